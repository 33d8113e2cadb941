//! Invoices. Only `POST /_control/pay` pays them.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{World, after_hours, random_text};

/// A payment request, in the form of a Lightning invoice.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) hash: String,
    /// The text for a wallet. It cannot receive a real payment.
    pub(crate) request: String,
    pub(crate) sats: i64,
    pub(crate) expires: Timestamp,
    pub(crate) paid: Option<Timestamp>,
}

/// All invoices, by payment hash.
#[derive(Debug, Default)]
pub(crate) struct Ledger(HashMap<String, Invoice>);

impl Ledger {
    pub(crate) fn get(&self, hash: &str) -> Option<&Invoice> {
        self.0.get(hash)
    }

    /// Marks an invoice, named by its hash or its text, as paid. Returns it.
    pub(crate) fn pay(&mut self, named: &str, now: Timestamp) -> Option<Invoice> {
        let invoice = self.0.values_mut().find(|row| row.hash == named || row.request == named)?;
        invoice.paid.get_or_insert(now);
        Some(invoice.clone())
    }
}

impl World {
    /// Returns a new invoice that is valid for an hour.
    pub(crate) fn invoice(&mut self, sats: i64) -> Invoice {
        let now = self.now();
        let hash = Sha256::digest(random_text()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let invoice = Invoice {
            request: format!("lnbcrt{sats}n1sandbox{}", &hash[..40]),
            hash: hash.clone(),
            sats,
            expires: after_hours(now, 1),
            paid: None,
        };
        self.ledger.0.insert(hash, invoice.clone());
        invoice
    }

    /// Returns when an invoice was paid.
    pub(crate) fn paid(&self, hash: &str) -> Option<Timestamp> {
        self.ledger.get(hash).and_then(|invoice| invoice.paid)
    }
}

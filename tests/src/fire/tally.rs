//! The counts of a row.

use std::fmt::{self, Write as _};

/// How many losses are reported in full.
const TOLD: usize = 8;

/// The tries, the losses, and the faults that landed.
#[derive(Debug, Clone)]
pub struct Tally {
    unit: &'static str,
    tried: u64,
    lost: u64,
    losses: Vec<String>,
    faults: Vec<Fault>,
    facts: Vec<String>,
    not_tried: Vec<String>,
}

/// Faults of one kind: how many landed, and how many are needed to prove anything.
#[derive(Debug, Clone)]
struct Fault {
    what: String,
    landed: u64,
    least: u64,
}

impl Tally {
    /// Returns a tally of tries of this kind, in the plural: `calls`.
    pub(super) fn of(unit: &'static str) -> Self {
        Self {
            unit,
            tried: 0,
            lost: 0,
            losses: Vec::new(),
            faults: Vec::new(),
            facts: Vec::new(),
            not_tried: Vec::new(),
        }
    }

    /// Counts one try, and whether it survived; `how` describes the loss.
    pub(super) fn check(&mut self, good: bool, how: impl FnOnce() -> String) {
        self.tried += 1;
        if !good {
            self.lose(how());
        }
    }

    /// Adds tries that were counted elsewhere.
    pub(super) fn tries(&mut self, count: u64) {
        self.tried += count;
    }

    /// Checks a further condition.
    pub(super) fn hold(&mut self, good: bool, how: impl FnOnce() -> String) {
        if !good {
            self.lose(how());
        }
    }

    /// Checks that two figures are equal.
    pub(super) fn same<T: PartialEq + fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        self.hold(found == expected, || format!("{what}: {found:?}, expected {expected:?}"));
    }

    /// Adds losses of one kind.
    pub(super) fn losses(&mut self, count: u64, how: impl FnOnce() -> String) {
        if count > 0 {
            self.lose(how());
            self.lost += count - 1;
        }
    }

    fn lose(&mut self, how: String) {
        self.lost += 1;
        if self.losses.len() < TOLD {
            self.losses.push(how);
        }
    }

    /// Adds faults that landed; with fewer than `least` the run proves nothing, and fails.
    pub(super) fn fault(&mut self, what: impl Into<String>, landed: u64, least: u64) {
        self.faults.push(Fault { what: what.into(), landed, least });
    }

    /// Adds a figure of interest.
    pub(super) fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    /// Adds a part that cannot be tried here.
    pub(super) fn not_tried(&mut self, what: impl Into<String>) {
        self.not_tried.push(what.into());
    }

    /// Adds the counts of another part.
    pub(super) fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.lost += other.lost;
        self.losses.extend(other.losses);
        self.losses.truncate(TOLD);
        self.faults.extend(other.faults);
        self.facts.extend(other.facts);
        self.not_tried.extend(other.not_tried);
    }

    /// Returns whether nothing was lost and every fault landed often enough.
    pub fn passed(&self) -> bool {
        self.lost == 0 && self.faults.iter().all(|fault| fault.landed >= fault.least)
    }

    /// Returns the problems, one a line; empty if there are none.
    pub fn problems(&self) -> String {
        let mut out = String::new();
        for loss in &self.losses {
            let _ = writeln!(out, "  lost: {loss}");
        }
        for fault in self.faults.iter().filter(|fault| fault.landed < fault.least) {
            let _ = writeln!(
                out,
                "  missed: {} {}, fewer than {}: the run proves nothing",
                number(fault.landed),
                fault.what,
                number(fault.least)
            );
        }
        out
    }

    /// Returns the parts that could not be tried here.
    pub fn untried(&self) -> &[String] {
        &self.not_tried
    }

    /// Returns the cells of a table: tried, survived, lost, faults that landed.
    pub fn cells(&self) -> [String; 4] {
        let mut proof: Vec<String> =
            self.faults.iter().map(|fault| format!("{} {}", number(fault.landed), fault.what)).collect();
        proof.extend(self.facts.iter().cloned());
        [
            format!("{} {}", number(self.tried), self.unit),
            number(self.tried - self.lost.min(self.tried)),
            number(self.lost),
            proof.join("; "),
        ]
    }
}

/// Formats a number with commas between its thousands.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_and_a_missed_fault_both_fail_the_row() {
        let mut tally = Tally::of("calls");
        tally.check(true, String::new);
        tally.fault("kills", 5, 5);
        assert!(tally.passed() && tally.problems().is_empty());
        tally.fault("swaps", 4, 5);
        assert!(!tally.passed() && tally.problems().contains("missed: 4 swaps"), "{}", tally.problems());
        let mut tally = Tally::of("calls");
        tally.check(false, || "the file".to_owned());
        tally.losses(2, || "two more".to_owned());
        assert!(!tally.passed());
        assert_eq!(tally.cells()[..3], ["1 calls", "0", "3"]);
        assert_eq!(tally.problems(), "  lost: the file\n  lost: two more\n");
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
    }
}

//! What a row counted.

use std::fmt::{self, Write as _};

/// How many losses are told in full.
const TOLD: usize = 8;

/// What was tried, what was lost, and the faults that landed.
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

/// Faults of one kind: how many landed, and how few would prove nothing.
#[derive(Debug, Clone)]
struct Fault {
    what: String,
    landed: u64,
    least: u64,
}

impl Tally {
    /// Counts tries of this kind, in the plural: `calls`.
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

    /// One try, and whether it survived; says how it was lost.
    pub(super) fn check(&mut self, good: bool, how: impl FnOnce() -> String) {
        self.tried += 1;
        if !good {
            self.lose(how());
        }
    }

    /// Tries that were counted elsewhere.
    pub(super) fn tries(&mut self, count: u64) {
        self.tried += count;
    }

    /// Something that must hold beside the tries.
    pub(super) fn hold(&mut self, good: bool, how: impl FnOnce() -> String) {
        if !good {
            self.lose(how());
        }
    }

    /// Two figures that must be the same.
    pub(super) fn same<T: PartialEq + fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        self.hold(found == expected, || format!("{what}: {found:?}, expected {expected:?}"));
    }

    /// So many losses of a kind.
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

    /// Faults that landed; with fewer than `least` the run proves nothing, and fails.
    pub(super) fn fault(&mut self, what: impl Into<String>, landed: u64, least: u64) {
        self.faults.push(Fault { what: what.into(), landed, least });
    }

    /// A figure of interest.
    pub(super) fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    /// A part that cannot be tried here.
    pub(super) fn not_tried(&mut self, what: impl Into<String>) {
        self.not_tried.push(what.into());
    }

    /// Counts that another row's part made.
    pub(super) fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.lost += other.lost;
        self.losses.extend(other.losses);
        self.losses.truncate(TOLD);
        self.faults.extend(other.faults);
        self.facts.extend(other.facts);
        self.not_tried.extend(other.not_tried);
    }

    /// Whether nothing was lost and every fault landed often enough.
    pub fn passed(&self) -> bool {
        self.lost == 0 && self.faults.iter().all(|fault| fault.landed >= fault.least)
    }

    /// What is wrong, a line for each; empty when nothing is.
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

    /// The parts that could not be tried here.
    pub fn untried(&self) -> &[String] {
        &self.not_tried
    }

    /// The cells of a table: tried, survived, lost, faults that landed.
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

/// A number with commas between its thousands.
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

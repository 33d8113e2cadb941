//! Where a store lives, so that a copy of it in another place is noticed before a token is spent twice.
//!
//! Two copies of a refresh token end with the family revoked, and nothing in a copied file tells it from the
//! original. What cannot be copied is the directory itself: its inode and its birth time, and the machine that it
//! is on. All of them are hashed, since files are shown to others. The device number does not count: a reboot may
//! change it. Renaming the directory, mounting it elsewhere and restarting the machine change nothing.
//!
//! What cannot be noticed: a backup that is restored into the same directory, the image of a whole disk, and
//! containers that are started from one image which holds a store.

use serde::{Deserialize, Serialize};

use crate::canonical::sha256_hex;

/// Where a store lives, as hashes. What a system does not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The machine's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The directory's inode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<String>,
    /// The directory's inode and birth time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
}

impl Location {
    /// A place: the machine's id, the directory's inode, and its birth time in nanoseconds since 1970.
    pub fn of(machine: Option<&str>, inode: Option<u64>, born: Option<i128>) -> Self {
        let machine = machine.map(str::trim).filter(|id| !id.is_empty() && *id != "uninitialized");
        let number = inode.map_or_else(String::new, |inode| inode.to_string());
        Self {
            machine: machine.map(|id| hashed("machine", id)),
            inode: inode.map(|_| hashed("inode", &number)),
            born: born.map(|born| hashed("born", &format!("{number} {born}"))),
        }
    }

    /// Whether this is another place than that. Only what both sides know is compared.
    pub fn is_elsewhere(&self, other: &Self) -> bool {
        let differ = |one: &Option<String>, two: &Option<String>| match (one, two) {
            (Some(one), Some(two)) => Some(one != two),
            _ => None,
        };
        let directory = differ(&self.born, &other.born).or_else(|| differ(&self.inode, &other.inode));
        differ(&self.machine, &other.machine) == Some(true) || directory == Some(true)
    }
}

/// Salted, so that the machine's id cannot be compared with what other programs make of it.
fn hashed(what: &str, value: &str) -> String {
    let mut digest = sha256_hex(format!("colony-sdk {what} {value}").as_bytes());
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_sides_know_tells_two_places_apart() {
        let here = Location::of(Some("m1\n"), Some(7), Some(1_000));
        for (other, elsewhere) in [
            (Location::of(Some("m1"), Some(7), Some(1_000)), false),
            (Location::of(None, Some(7), Some(1_000)), false),
            (Location::of(Some(""), Some(7), None), false),
            (Location::of(Some("uninitialized"), None, None), false),
            (Location::default(), false),
            (Location::of(Some("m2"), Some(7), Some(1_000)), true),
            (Location::of(None, Some(8), Some(1_000)), true),
            (Location::of(None, Some(7), Some(1_001)), true),
            (Location::of(Some("m1"), Some(8), None), true),
        ] {
            assert_eq!(here.is_elsewhere(&other), elsewhere, "{other:?}");
            assert_eq!(other.is_elsewhere(&here), elsewhere, "{other:?}");
        }
        let shown = serde_json::to_string(&here).unwrap();
        assert!(!shown.contains("m1") && !shown.contains("1000"), "{shown}");
    }
}

//! How a credential is kept: in a file, or in a vault such as the system's keyring.

/// How a credential is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeping {
    /// In the system's keyring.
    Keyring,
    /// In a file, encrypted.
    Encrypted,
    /// In a file as it is, with these Unix permission bits; 0600 is what this SDK writes, and what stands
    /// for the access rules of systems without such bits.
    File {
        /// The permission bits.
        mode: u32,
    },
}

impl Keeping {
    /// The file that this SDK writes.
    pub const PRIVATE_FILE: Self = Self::File { mode: 0o600 };

    /// Its name in a pointer ([`document`](super::document)): `keyring`, `encrypted`, `file`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Encrypted => "encrypted",
            Self::File { .. } => "file",
        }
    }

    /// The keeping of a pointer. No pointer leads to a file.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Keyring, Self::Encrypted].into_iter().find(|keeping| keeping.name() == name)
    }

    /// Which of two keepings is the safer one: the higher.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Keyring => 2,
            Self::Encrypted => 1,
            Self::File { .. } => 0,
        }
    }
}

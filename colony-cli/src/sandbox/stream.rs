//! The behaviour of `/stream`.

use std::{fmt, str::FromStr};

/// The behaviour of the sandbox's `/stream`: normal, or one of the ways in which such streams fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StreamMode {
    /// A frame for each notification and each message, as it happens.
    #[default]
    On,
    /// 404, as from a service without a stream.
    Off,
    /// No reply at all.
    Hang,
    /// Meaningless bytes.
    Garbage,
    /// One endless line.
    Endless,
    /// The connection breaks as soon as it is open.
    Drop,
    /// The token that opened it is revoked at once, for all other calls too.
    Dying,
}

impl StreamMode {
    /// All modes.
    pub const ALL: [Self; 7] =
        [Self::On, Self::Off, Self::Hang, Self::Garbage, Self::Endless, Self::Drop, Self::Dying];

    /// Returns the name, such as `on`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Hang => "hang",
            Self::Garbage => "garbage",
            Self::Endless => "endless",
            Self::Drop => "drop",
            Self::Dying => "dying",
        }
    }
}

/// The error for text that is not a [`StreamMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseStreamModeError;

impl fmt::Display for ParseStreamModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mode is one of {}", StreamMode::ALL.map(StreamMode::as_str).join(", "))
    }
}

impl std::error::Error for ParseStreamModeError {}

impl FromStr for StreamMode {
    type Err = ParseStreamModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(ParseStreamModeError)
    }
}

//! How `/stream` behaves.

use std::{fmt, str::FromStr};

/// How the sandbox's `/stream` behaves: well, or in one of the ways in which such streams go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StreamMode {
    /// A frame for each notification and each message, as it comes.
    #[default]
    On,
    /// 404, as from a service that has no such stream.
    Off,
    /// No answer at all.
    Hang,
    /// Bytes that mean nothing.
    Garbage,
    /// One line without an end.
    Endless,
    /// The connection breaks as soon as it is open.
    Drop,
    /// The token that opened it ends at once, for every other call too.
    Dying,
}

impl StreamMode {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::On, Self::Off, Self::Hang, Self::Garbage, Self::Endless, Self::Drop, Self::Dying];

    /// Returns the name, `on` for example.
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

/// A name that is none of a [`StreamMode`].
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

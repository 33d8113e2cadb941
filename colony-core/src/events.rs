//! Hearing what happens: where positions are kept.

pub mod place;

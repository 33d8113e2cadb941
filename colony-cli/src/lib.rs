//! colony-cli

pub mod sandbox;

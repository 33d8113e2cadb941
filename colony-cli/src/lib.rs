//! colony-cli

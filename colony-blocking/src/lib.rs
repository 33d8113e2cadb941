//! colony-blocking

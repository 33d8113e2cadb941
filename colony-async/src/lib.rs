//! colony-async

//! The shared login token: where its file lives, what the file says, and when a token is fresh.
pub mod cache_path;

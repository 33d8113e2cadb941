//! Tokens for other services: exchanged once however many want one, kept under the login's rules, and found by
//! a discovery document that is not believed too readily.

mod clocks;
mod discovery;
mod file;
mod id_token;
mod place;
mod processes;
mod refusals;
mod sharing;

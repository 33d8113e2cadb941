//! Tokens for other services: exchanged once for any number of callers, kept under the login's rules, at an endpoint
//! from a discovery document that is checked strictly.

mod clocks;
mod discovery;
mod file;
mod id_token;
mod place;
mod processes;
mod refusals;
mod sharing;

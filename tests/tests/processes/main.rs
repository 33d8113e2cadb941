//! The token session under attack: real processes, real files and real sockets, with logins counted at the
//! server.

#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

mod ahead;
mod blocking_inside;
mod callbacks;
mod cancel;
mod driven;
mod holders;
mod one_endpoint;
mod one_login;
mod outage;
mod place;
mod refusals;
mod rejected;
mod secrets;
mod stale;
mod unusable;

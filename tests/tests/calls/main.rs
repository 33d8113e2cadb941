//! Calls on both clients: which requests are repeated and under which key, which limit ends a call, where a redirect
//! leads, and how a call is reported.

#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

mod budgets;
mod duplicates;
mod gateway;
mod keys;
mod limits;
mod redirects;
mod scene;
mod traced;

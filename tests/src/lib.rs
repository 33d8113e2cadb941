//! What the tests that need several processes, a server or a clock of their own are made of.
//!
//! - [`crew`]: real processes that wait at one line and start together; each is the program `worker`.
//! - [`service`]: a server that answers by a script, for replies that the sandbox does not give.
//! - [`clock`]: a clock that stands still until it is told otherwise.

pub mod clock;
pub mod crew;
pub mod plan;
pub mod service;

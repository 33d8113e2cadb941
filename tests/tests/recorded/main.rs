//! What the Python package was recorded to do, against both clients over real sockets.
//!
//! `COLONY_VECTORS=posts,comments` looks at some groups of `vectors` only.

#![allow(missing_docs, clippy::print_stdout)]

mod behaviour;
mod deliberate;
mod documented;
mod errors;
mod lifecycle;
mod vectors;
mod warnings;

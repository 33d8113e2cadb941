//! The recordings of the Python package, against both clients over real sockets.
//!
//! `COLONY_VECTORS=posts,comments` runs only these groups of `vectors`.

#![allow(missing_docs, clippy::print_stdout)]

mod behaviour;
mod deliberate;
mod documented;
mod errors;
mod lifecycle;
mod vectors;
mod warnings;

//! Many processes in one: real clients over a simulated disk, clock and service, on a scheduler that decides
//! after each step who goes on, who is killed, and when the power fails. Everything follows from a seed.
//!
//! What is simulated is only what is outside the client: the session, its gate, its files and its lock are
//! the code that programs run. Each process has a thread, and one of them runs at a time.
//!
//! The rules that are watched at every step are in [`World`]; [`run`] plays one world to its end.

pub mod campaign;
mod disk;
mod process;
pub mod rotation;
mod store;
mod world;

pub use process::{Outcome, Report, run};
pub use store::{Failover, Fault, Fleet};
pub use world::{Chooser, Sabotage, Scene, World};

//! Many processes simulated in one: real clients over a simulated disk, clock and service. A scheduler decides after
//! each step which process acts, which is killed, and when the power fails. A seed determines everything.
//!
//! Only the client's surroundings are simulated: the session, its gate, its files and its lock are the code that
//! programs run. Each process has a thread, and one thread runs at a time.
//!
//! [`World`] has the rules that are checked at every step; [`run`] simulates one world to its end.

pub mod campaign;
mod disk;
mod process;
pub mod rotation;
mod store;
mod world;

pub use process::{Outcome, Report, run};
pub use store::{Failover, Fault, Fleet};
pub use world::{Chooser, Sabotage, Scene, World};

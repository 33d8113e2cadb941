//! Watching: what the design promises in figures, on simulated clocks and disks.

mod clients;
mod days;
#[cfg(unix)]
mod disks;

//! Fleets: hosts that share a token over a real `redis-server`. A host is a cache directory.

pub(super) mod away;
pub(super) mod clocks;
pub(super) mod cut;
pub(super) mod failover;
pub(super) mod kills;
pub(super) mod lies;
pub(super) mod logins;
mod namespaces;
pub(super) mod others;
mod scene;
pub(super) mod server;
pub(super) mod trouble;
pub(super) mod usual;
pub(super) mod versions;

//! Watching: the design's promises in figures. A sandbox runs in this process, watches in it and in others.

pub(super) mod bell;
pub(super) mod clients;
pub(super) mod commands;
pub(super) mod days;
pub(super) mod disks;
pub(super) mod kills;
pub(super) mod late;
pub(super) mod memory;
pub(super) mod repeats;
mod scene;
pub(super) mod service;
pub(super) mod stops;
pub(super) mod weight;

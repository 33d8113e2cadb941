//! The parts of the tests that need several processes, a server or a simulated clock.
//!
//! - [`crew`]: real processes that wait for each other and start together; each is the program `worker`.
//! - [`worker`]: what that program does.
//! - [`subject`]: the kind of token that it gets, a client's or a program's own.
//! - [`fire`]: the token cache under fire; short as tests, long as `under_fire`, with the same code.
//! - [`giant`]: a server whose replies are too large to keep in memory.
//! - [`raw`]: HTTP on raw sockets, for servers that hang up, hold answers back or never end.
//! - [`recorder`]: a receiver of webhooks that keeps every delivery.
//! - [`service`]: a login server whose answers can be held, refused and cut off.
//! - [`site`]: the same for a site that is an OpenID provider.
//! - [`failing`]: a disk whose n-th call fails.
//! - [`played`]: a service that is a function, for clients without a socket.
//! - [`sim`]: many processes simulated in one, from a seed.
//! - [`provider`]: a real OpenID provider, written by a third party.
//! - [`rotators`]: real processes that share a rotating credential; each is the program `rotator`.
//! - [`clock`]: a clock that stands still until a test moves it.
//! - [`openapi`]: the service's own description, and the check of a reply against it.
//! - [`soundness`]: the conditions that must hold for everything read from a file, a header or a reply.
//!
//! For the recordings of the Python package (`tests/wire`), on both clients:
//!
//! - [`recorded`]: which cases count, and the comparison of outcomes.
//! - [`wire`]: the comparison of requests.
//! - [`server`]: serves the recorded replies, with wiremock.
//! - [`timer`]: a clock on which sleeping takes no time and is recorded.
//! - [`stage`]: a client with its server, clock and cache directory.

pub mod clock;
pub mod crew;
pub mod failing;
#[cfg(unix)]
pub mod fire;
pub mod giant;
pub mod openapi;
pub mod plan;
pub mod played;
pub mod provider;
pub mod raw;
pub mod recorded;
pub mod recorder;
pub mod rotators;
pub mod server;
pub mod service;
pub mod sim;
pub mod site;
pub mod soundness;
pub mod stage;
pub mod subject;
pub mod timer;
pub mod wire;
pub mod worker;

use std::{fs, path::PathBuf};

use serde_json::Value;

/// Returns the folder of the recorded cases.
pub fn wire_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wire")
}

/// Reads a recorded file of one JSON value.
pub fn json_file(name: &str) -> Value {
    serde_json::from_slice(&fs::read(wire_folder().join(name)).expect(name)).expect(name)
}

/// Reads a recorded file with a JSON value on each line.
pub fn json_lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(wire_folder().join(name)).expect(name);
    text.lines().map(|line| serde_json::from_str(line).expect(name)).collect()
}

//! R3: several processes write the token file, and several read it.

use serde::{Deserialize, Serialize};

use super::{Ground, Outcome, Tally, parts::Player, scene::Scene};

/// Returns the token of a writer: its letter, repeated so that the length identifies the writer.
pub(super) fn token_of(writer: u8) -> String {
    char::from(b'a' + writer).to_string().repeat(500 + 37 * usize::from(writer))
}

/// The counts of one reader.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) reads: u64,
    /// Reads by the SDK that found no token, although the file always exists.
    pub(super) misses: u64,
    /// Contents that no writer wrote as a whole.
    pub(super) torn: u64,
    /// How often the token differed from the previous read.
    pub(super) changes: u64,
}

/// Runs processes that write and processes that read. Every second read is the SDK's; the others read the bare bytes,
/// without the SDK's second read after a torn one.
pub(super) fn run(ground: &Ground) -> Outcome {
    const WRITERS: u8 = 8;
    const READERS: u64 = 3;
    let each = ground.scale.pick(12_000, 340_000);
    let scene = Scene::new(ground)?;
    let writers: Result<Vec<_>, _> =
        (0..WRITERS).map(|writer| Player::start(&scene.place, "write", &writer.to_string())).collect();
    let mut writers = writers?;
    for writer in &mut writers {
        writer.line()?; // the first token is there
    }
    let readers: Result<Vec<_>, _> =
        (0..READERS).map(|_| Player::start(&scene.place, "read", &each.to_string())).collect();
    let mut tally = Tally::of("reads");
    for mut reader in readers? {
        let seen: Seen = serde_json::from_str(&reader.line()?)?;
        tally.tries(seen.reads);
        tally.losses(seen.misses, || format!("{} reads found nothing", seen.misses));
        tally.losses(seen.torn, || format!("{} reads were torn", seen.torn));
        tally.fault("changes seen by a reader", seen.changes, 50);
    }
    let mut writes = 0;
    for mut writer in writers {
        writer.hang_up();
        writes += writer.line()?.trim().parse::<u64>()?;
    }
    tally.fault("writes meanwhile", writes, ground.scale.pick(100, 1_000));
    tally.same("temporary files left", scene.litter(), Vec::new());
    Ok(tally)
}

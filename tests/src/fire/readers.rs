//! R3: several processes write the token file, several read it.

use serde::{Deserialize, Serialize};

use super::{Ground, Outcome, Tally, parts::Player, scene::Scene};

/// A token of writer `n`: its letter, as often as only its tokens are long.
pub(super) fn token_of(writer: u8) -> String {
    char::from(b'a' + writer).to_string().repeat(500 + 37 * usize::from(writer))
}

/// What one reader saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) reads: u64,
    /// Reads of the SDK that found nothing, though there is always a file.
    pub(super) misses: u64,
    /// Bytes that no writer wrote as a whole.
    pub(super) torn: u64,
    /// How often the token was another than at the look before.
    pub(super) changes: u64,
}

/// Processes that write and processes that read. Every second read is the SDK's own, the others look at the
/// bare bytes, which the SDK's second look after a torn one cannot make good.
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

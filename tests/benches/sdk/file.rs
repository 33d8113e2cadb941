//! The token file, against `std::fs` and `serde_json` without the precautions: no check of owner, mode or links when
//! reading, no temporary file and no `fsync` when writing. In the last line the bare program has those too.

use std::{
    fs,
    hint::black_box,
    io::Write,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use colony_async::bench_support::TokenFile;
use serde::{Deserialize, Serialize};

use crate::{Outcome, pairs};

#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u32,
    token: String,
    expiry: f64,
}

fn load(path: &Path) -> Option<usize> {
    let envelope: Envelope = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(envelope.token.len())
}

fn save_atomically(directory: &Path, path: &Path, envelope: &Envelope) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec(envelope)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

pub(crate) fn run() -> Outcome {
    let place = tempfile::tempdir()?;
    let directory = place.path().join("cache");
    let file = TokenFile::new(directory.clone(), "0123456789abcdef".to_owned());
    let text = format!("eyJ{}.{}.{}", "a".repeat(33), "b".repeat(160), "c".repeat(43));
    let expiry = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() + 82_800.25;
    let token = text.clone().into();
    let envelope = Envelope { v: 1, token: text, expiry };
    file.save(&token, expiry)?;
    let (path, bare) = (directory.join("0123456789abcdef.json"), directory.join("bare.json"));
    assert_eq!((file.load(), load(&path)), (Some(241), Some(241)), "both read the same file");

    let load_sdk = |count| {
        for _ in 0..count {
            black_box(file.load());
        }
    };
    let load_bare = |count| {
        for _ in 0..count {
            black_box(load(black_box(&path)));
        }
    };
    pairs::compare("token file, load", 41, 2000, load_sdk, load_bare);

    let save_sdk = |count| {
        for _ in 0..count {
            file.save(&token, expiry).expect("the directory can be written");
        }
    };
    let save_bare = |count| {
        for _ in 0..count {
            let text = serde_json::to_vec(black_box(&envelope)).expect("this is JSON");
            fs::write(&bare, text).expect("the directory can be written");
        }
    };
    pairs::compare("token file, save; bare: in place, no fsync", 21, 50, save_sdk, save_bare);
    let save_carefully = |count| {
        for _ in 0..count {
            save_atomically(&directory, &bare, &envelope).expect("the directory can be written");
        }
    };
    pairs::compare("token file, save; bare: temporary, fsync, rename", 21, 50, save_sdk, save_carefully);
    Ok(())
}

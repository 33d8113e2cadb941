//! W11: after any failure the state file is the old one or the new one, and never "from now".

use std::{fs, path::Path, sync::Arc};

use colony_async::{disk::Real, events::PositionFile};
use colony_core::events::Position;

use crate::{
    failing::{Failing, Left},
    fire::{Ground, Outcome, Tally},
};

type Failed = Box<dyn std::error::Error>;

const NAME: &str = "watch-u1.json";

fn position(hour: u32) -> Position {
    let text = format!(r#"{{"v":1,"cursor":"2026-11-26T{hour:02}:00:00Z","done":["post:{hour}"]}}"#);
    serde_json::from_str(&text).expect("a position")
}

fn read(directory: &Path) -> Option<Position> {
    PositionFile::open_on(Arc::new(Real), directory.to_owned(), NAME, "u1", "b").expect("a position").1
}

/// Runs row W11.
pub(in crate::fire) fn run(_: &Ground) -> Outcome {
    let mut tally = Tally::of("state files on a disk that fails");
    let mut faults = 0;
    // EIO, ENOSPC, EACCES, EROFS.
    for errno in [5, 28, 13, 30] {
        for for_good in [false, true] {
            for at in 1.. {
                let landed = fault(&mut tally, at, errno, for_good)?;
                faults += landed;
                if landed == 0 {
                    break;
                }
            }
        }
    }
    tally.fault("operations of the disk that failed", faults as u64, 80);
    let mut cuts = 0;
    for at in 1.. {
        let landed = cut(&mut tally, at)?;
        cuts += landed;
        if landed == 0 {
            break;
        }
    }
    tally.fault("power cuts", cuts, 60);
    Ok(tally)
}

/// Cuts the power at the operation of this number, with each possible result of a cut. Returns how many cuts came
/// before the write was over.
fn cut(tally: &mut Tally, at: usize) -> Result<u64, Failed> {
    let mut cuts = 0;
    for left in [Left::Nothing, Left::Half, Left::All] {
        for names in 0.. {
            let directory = tempfile::tempdir()?;
            let path = directory.path().join("state");
            let (mut file, _) = PositionFile::open_on(Arc::new(Real), path.clone(), NAME, "u1", "b")?;
            file.write(&position(1))?;
            drop(file);
            let disk = Failing::for_good(at, 5);
            let opened = PositionFile::open_on(Arc::new(disk.clone()), path.clone(), NAME, "u1", "b");
            let _ = opened.and_then(|(mut file, _)| file.write(&position(2)));
            let undone = disk.cut_power(names, left)?;
            let found = PositionFile::open_on(Arc::new(Real), path, NAME, "u1", "b").map(|(_, found)| found);
            let is_good =
                found.as_ref().is_ok_and(|found| [position(1), position(2)].map(Some).contains(found));
            tally.check(is_good, || format!("cut {at}, {left:?}, {undone} names: {found:?}"));
            cuts += u64::from(!disk.failed().is_empty());
            if undone < names {
                break;
            }
        }
    }
    Ok(cuts)
}

/// Lets the operation of this number fail. Returns how many operations failed.
fn fault(tally: &mut Tally, at: usize, errno: i32, for_good: bool) -> Result<usize, Failed> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("state");
    let (mut file, _) = PositionFile::open_on(Arc::new(Real), path.clone(), NAME, "u1", "b")?;
    file.write(&position(1))?;
    drop(file);
    let disk = if for_good { Failing::for_good(at, errno) } else { Failing::once(at, errno) };
    let opened = PositionFile::open_on(Arc::new(disk.clone()), path.clone(), NAME, "u1", "b");
    let anew = opened.as_ref().is_ok_and(|(_, found)| *found != Some(position(1)));
    let written = opened.is_ok_and(|(mut file, _)| file.write(&position(2)).is_ok());
    let found = read(&path);
    let is_good = !anew && (found == Some(position(2)) || !written && found == Some(position(1)));
    tally.check(is_good, || {
        format!("fault {at}, error {errno}: {found:?}, written {written}, a new beginning {anew}")
    });
    tally.hold(fs::read_dir(&path)?.count() <= 3, || format!("fault {at}: files are left"));
    Ok(disk.failed().len())
}

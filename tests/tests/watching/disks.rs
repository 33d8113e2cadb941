//! W11: the state file is the old one or the new one, whatever fails, and never "from now".

use std::{fs, path::Path, sync::Arc};

use colony_async::{disk::Real, events::PositionFile};
use colony_core::events::Position;
use colony_tests::failing::Failing;

const NAME: &str = "watch-u1.json";

fn position(hour: u32) -> Position {
    let text = format!(r#"{{"v":1,"cursor":"2026-11-26T{hour:02}:00:00Z","done":["post:{hour}"]}}"#);
    serde_json::from_str(&text).unwrap()
}

fn read(directory: &Path) -> Option<Position> {
    PositionFile::open_on(Arc::new(Real), directory.to_owned(), NAME, "u1", "b").unwrap().1
}

#[test]
fn w11_each_failure_leaves_the_old_position_or_the_new_one() {
    // EIO, ENOSPC, EACCES, EROFS.
    for errno in [5, 28, 13, 30] {
        for for_good in [false, true] {
            let (mut at, mut faults) = (1, 0);
            loop {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("state");
                let (mut file, none) =
                    PositionFile::open_on(Arc::new(Real), path.clone(), NAME, "u1", "b").unwrap();
                assert_eq!(none, None);
                file.write(&position(1)).unwrap();
                drop(file);
                let disk = if for_good { Failing::for_good(at, errno) } else { Failing::once(at, errno) };
                let opened = PositionFile::open_on(Arc::new(disk.clone()), path.clone(), NAME, "u1", "b");
                let written = opened.as_ref().is_ok_and(|(_, found)| {
                    assert_eq!(*found, Some(position(1)), "never a new beginning");
                    true
                }) && opened.is_ok_and(|(mut file, _)| file.write(&position(2)).is_ok());
                let found = read(&path).expect("a position");
                assert!(found == position(2) || !written && found == position(1), "fault {at}: {found:?}");
                let left = fs::read_dir(&path).unwrap().count();
                assert!(left <= 3, "{left} files");
                faults += disk.failed().len();
                if disk.failed().is_empty() {
                    break;
                }
                at += 1;
            }
            assert!(faults > 10, "{faults} faults");
        }
    }
}

//! Moments in the server's form, and in ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use colony_core::{Timestamp, token::freshness::unix_seconds};
use proptest::prelude::*;

use crate::{holds, text};

/// Generates any moment of the years 1 to 9999, and some of the system clock's range beyond.
fn moment() -> impl Strategy<Value = SystemTime> {
    let seconds = prop_oneof![
        4 => 0..4_000_000_000_i64,
        2 => -62_000_000_000..253_000_000_000_i64,
        1 => -1_000_000_000_000..1_000_000_000_000_i64,
    ];
    let nanos = prop_oneof![
        Just(0),
        0..1_000_000_000_u32,
        (0..1_000_000_u32).prop_map(|micros| micros * 1000),
        (0..1000_u32)
    ];
    (seconds, nanos).prop_filter_map("a time this system can hold", |(seconds, nanos)| {
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        time?.checked_add(Duration::from_nanos(nanos.into()))
    })
}

#[test]
fn a_moment_that_is_written_is_the_one_that_is_read() {
    holds("a moment, written and read", moment(), |moment| {
        let written = Timestamp::from(moment);
        let read = written.to_system_time().unwrap_or_else(|| panic!("{written} is no moment"));
        // A moment before the year 1 or after 9999 is written as the first or last possible one.
        let far = !(-6.2e10..2.5e11).contains(&unix_seconds(moment));
        let away = moment.duration_since(read).unwrap_or_else(|after| after.duration());
        assert!(far || away < Duration::from_micros(1), "{moment:?} was written as {written}, {away:?} away");
        // A moment that was read is written as the same text again.
        assert_eq!(Timestamp::from(read), written);
    });
}

#[test]
fn whatever_the_server_writes_is_kept() {
    let nearly = "[+-]?[0-9]{2,6}-[0-9]{2}-[0-9]{2}[Tt ]?[0-9]{0,2}:?[0-9]{0,2}(:[0-9]{0,2})?([.,][0-9]{0,10})?(Z|z|[+-][0-9]{2}:?[0-9]{0,2})?(\\[[A-Za-z/]{0,12}\\])?";
    holds("a moment of any text", prop_oneof![2 => nearly, 1 => text()], |text| {
        let timestamp = Timestamp::from(text.as_str());
        assert_eq!(timestamp.as_str(), text);
        assert_eq!(timestamp.unix_seconds().is_some(), timestamp.to_system_time().is_some());
        let json = serde_json::to_string(&timestamp).expect("JSON");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("a timestamp"), timestamp);
    });
}

#[test]
fn unix_seconds_are_those_of_the_clock() {
    holds("seconds of the clock", moment(), |moment| {
        let seconds = unix_seconds(moment);
        assert_eq!(seconds < 0.0, moment < UNIX_EPOCH);
        let back = Duration::from_secs_f64(seconds.abs());
        let distance = moment.duration_since(UNIX_EPOCH).unwrap_or_else(|before| before.duration());
        assert!(back.abs_diff(distance) < Duration::from_millis(1), "{moment:?} is {seconds}");
    });
}

//! The rows of watching, short: `colony_tests::fire`.

#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

use std::sync::{Mutex, PoisonError};

use colony_tests::fire::{Ground, ROWS, Scale};

/// Runs a row, one at a time: one of them looks at this process's memory.
fn short(id: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let ground =
        Ground { program: env!("CARGO_BIN_EXE_under_fire").into(), scale: Scale::Short, python: None };
    let row = ROWS.iter().find(|row| row.id == id).expect("a row");
    let tally = (row.run)(&ground).expect("a harness that works");
    println!("{id} {}: {}", row.promise, tally.cells().join(" | "));
    tally.untried().iter().for_each(|what| println!("NOT TRIED: {what}"));
    assert!(tally.passed(), "{id}\n{}", tally.problems());
}

#[test]
fn w1_kills_lose_nothing() {
    short("W1");
}

#[test]
fn w2_late_rows_are_seen() {
    short("W2");
}

#[test]
fn w3_no_repeats() {
    short("W3");
}

#[test]
fn w4_full_kinds() {
    short("W4");
}

#[test]
fn w5_a_position_that_is_too_old() {
    short("W5");
}

#[test]
fn w6_no_429_of_its_own_making() {
    short("W6");
}

#[test]
fn w7_the_services_times_count() {
    short("W7");
}

#[test]
fn w8_an_outage() {
    short("W8");
}

#[test]
fn w9_a_revoked_login() {
    short("W9");
}

#[test]
fn w10_a_bad_row() {
    short("W10");
}

#[test]
fn w11_failing_disks() {
    short("W11");
}

#[test]
fn w12_one_watch_for_each_file() {
    short("W12");
}

#[test]
fn w13_stopping() {
    short("W13");
}

#[test]
fn w14_hostile_text() {
    short("W14");
}

#[test]
fn w15_both_clients() {
    short("W15");
}

#[test]
fn w16_memory() {
    short("W16");
}

#[test]
fn w17_ones_own_posts() {
    short("W17");
}

#[test]
fn w18_the_bell() {
    short("W18");
}

#[test]
fn w19_weight() {
    short("W19");
}

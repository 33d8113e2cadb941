//! The rows of fleets, short; where there is no `redis-server`, what is not tried is said: `colony_tests::fire`.

#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

use std::sync::{Mutex, PoisonError};

use colony_tests::fire::{Ground, ROWS, Scale};

/// Runs a row, one at a time: two at once would starve each other.
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
fn f1_one_login() {
    short("F1");
}

#[test]
fn f2_warm_calls() {
    short("F2");
}

#[test]
fn f3_warm_hosts() {
    short("F3");
}

#[test]
fn f4_a_dead_holder() {
    short("F4");
}

#[test]
fn f5_a_dead_store() {
    short("F5");
}

#[test]
fn f6_a_store_that_dies() {
    short("F6");
}

#[test]
fn f7_a_store_that_stands_still() {
    short("F7");
}

#[test]
fn f8_a_store_that_forgets() {
    short("F8");
}

#[test]
fn f15_secrets() {
    short("F15");
}

#[test]
fn f16_lies() {
    short("F16");
}

#[test]
fn f21_weight() {
    short("F21");
}

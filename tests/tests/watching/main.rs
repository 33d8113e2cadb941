//! The rows of watching, short: `colony_tests::fire`.

#![cfg(unix)]

use colony_tests::fire;

fn short(id: &str) {
    fire::short(id, env!("CARGO_BIN_EXE_under_fire"));
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

//! The rows of fleets, short: `colony_tests::fire`. Without `redis-server` they print what was not tried.

#![cfg(unix)]

use colony_tests::fire;

fn short(id: &str) {
    fire::short(id, env!("CARGO_BIN_EXE_under_fire"));
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

#[test]
fn f10_a_full_store() {
    short("F10");
}

#[test]
fn f11_a_store_that_is_wrongly_set_up() {
    short("F11");
}

#[test]
fn f12_a_failover() {
    short("F12");
}

#[test]
fn f13_a_revocation() {
    short("F13");
}

#[test]
fn f14_a_limit() {
    short("F14");
}

#[test]
fn f18_mixed_versions() {
    short("F18");
}

#[test]
fn f19_beside_the_usual_locks() {
    short("F19");
}

#[test]
fn simf_simulated_fleets() {
    short("SIMF");
}

#[test]
fn f9_a_host_that_is_cut_off() {
    short("F9");
}

#[test]
fn f17_clocks() {
    short("F17");
}

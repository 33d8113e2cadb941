//! The rows of `colony_tests::fire`, short. A row that cannot be tried here prints `NOT TRIED`.

#![cfg(unix)]

use colony_tests::fire;

fn short(id: &str) {
    fire::short(id, env!("CARGO_BIN_EXE_under_fire"));
}

#[test]
fn p1_a_child_with_a_proxy() {
    short("P1");
}

#[test]
fn p2_tools_through_a_proxy() {
    short("P2");
}

#[test]
fn p3_hostile_requests() {
    short("P3");
}

#[test]
fn p4_answers_that_repeat_the_token() {
    short("P4");
}

#[test]
fn r1_one_login_for_each_expiry() {
    short("R1");
}

#[test]
fn r2_kills() {
    short("R2");
}

#[test]
fn r3_readers_and_writers() {
    short("R3");
}

#[test]
fn r4_the_python_package() {
    short("R4");
}

#[test]
fn r6_ten_thousand_tasks() {
    short("R6");
}

#[test]
fn r7_a_crowd_of_refusals() {
    short("R7");
}

#[test]
fn r8_renewal_ahead_of_time() {
    short("R8");
}

#[test]
fn r9_callers_and_runtimes_that_go_away() {
    short("R9");
}

#[test]
fn r11_no_lock() {
    short("R11");
}

#[test]
fn r13_modes_under_every_umask() {
    short("R13");
}

#[test]
fn r14_swapped_paths() {
    short("R14");
}

#[test]
fn r15_failing_disks() {
    short("R15");
}

#[test]
fn r15c_each_call_to_the_disk() {
    short("R15c");
}

#[test]
fn r15s_failing_system_calls() {
    short("R15s");
}

#[test]
fn r16_signals() {
    short("R16");
}

#[test]
fn r17_a_stopped_holder() {
    short("R17");
}

#[test]
fn r18_children() {
    short("R18");
}

#[test]
fn r20_secrets() {
    short("R20");
}

#[test]
fn r22_runtimes() {
    short("R22");
}

#[test]
fn r25_a_warm_token() {
    short("R25");
}

#[test]
fn r26_a_limit() {
    short("R26");
}

#[test]
fn r27_an_outage() {
    short("R27");
}

#[test]
fn l1_signatures() {
    short("L1");
}

#[test]
fn l2_restarts() {
    short("L2");
}

#[test]
fn l3_retries() {
    short("L3");
}

#[test]
fn l4_failing_handlers() {
    short("L4");
}

#[test]
fn l5_replays() {
    short("L5");
}

#[test]
fn l6_hostile_senders() {
    short("L6");
}

#[test]
fn l7_bytes_passed_on() {
    short("L7");
}

#[test]
fn l8_bodies() {
    short("L8");
}

#[test]
fn s1_shared_token_one_fetch_for_each_expiry() {
    short("S1");
}

#[test]
fn s2_shared_token_kills() {
    short("S2");
}

#[test]
fn s7_shared_token_a_crowd_of_refusals() {
    short("S7");
}

#[test]
fn s17_shared_token_a_stopped_holder() {
    short("S17");
}

#[test]
fn s26_shared_token_a_limit() {
    short("S26");
}

#[test]
fn s27_shared_token_an_outage() {
    short("S27");
}

#[test]
fn every_row_has_a_test() {
    // The rows of watching and of fleets are in separate test programs.
    let tests = concat!(
        include_str!("main.rs"),
        include_str!("../watching/main.rs"),
        include_str!("../fleet/main.rs")
    );
    for row in fire::ROWS {
        assert!(tests.contains(&format!("short(\"{}\")", row.id)), "{}", row.id);
    }
}

#[test]
fn sim_the_protocol_between_processes() {
    short("SIM");
}

#[test]
fn simr_the_rotation_of_a_credential() {
    short("SIMR");
}

//! The in-process gate of `colony-async`, model-checked: the same source file, on primitives whose every step a
//! scheduler (shuttle) decides. There are three schedulers: random, random priorities (PCT, which finds a bug that
//! needs few switches with a known probability), and depth first, which tries one schedule after another.
//!
//! `COLONY_SCHEDULES=100000 cargo test -p colony-tests --test gate` is the long form, with this number of schedules
//! for each scheduler and scene; the default is [`SHORT`].

#![allow(missing_docs, clippy::print_stdout)]

#[allow(dead_code, reason = "the scenes need not wait without work of their own")]
#[path = "../../../colony-async/src/gate.rs"]
mod gate;
mod scenes;
mod tasks;

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::{
    Config, Runner,
    scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler},
};

/// How many schedules each scheduler tries, unless `COLONY_SCHEDULES` sets another number.
const SHORT: usize = 500;

fn schedules() -> usize {
    let said = std::env::var("COLONY_SCHEDULES").ok();
    said.map_or(SHORT, |said| said.parse().expect("COLONY_SCHEDULES is a number"))
}

fn run(scheduler: impl Scheduler + 'static, scene: fn()) -> usize {
    let mut config = Config::new();
    // Unoptimised code needs more than the library's default.
    config.stack_size = 256 * 1024;
    config.failure_persistence = shuttle::FailurePersistence::None;
    Runner::new(scheduler, config).run(scene)
}

/// Runs a scene on many schedules.
fn holds(what: &str, scene: fn()) {
    let count = schedules();
    let random = run(RandomScheduler::new(count), scene);
    // The number of switches between threads at the wrong moment.
    let priorities: usize = [2, 3].into_iter().map(|depth| run(PctScheduler::new(depth, count), scene)).sum();
    let depth_first = run(DfsScheduler::new(Some(count), false), scene);
    println!(
        "{what}: held on {random} random schedules, {priorities} by priority, {depth_first} depth first"
    );
    assert_eq!((random, priorities), (count, 2 * count));
}

/// Returns whether a scheduler finds the fault of a scene.
fn finds(scheduler: impl Scheduler + 'static, scene: fn()) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(scheduler, scene))).is_err()
}

#[test]
fn one_work_at_a_time_and_its_outcome_goes_to_those_who_waited() {
    holds("four callers", scenes::callers_share);
}

#[test]
fn an_error_goes_to_those_who_waited_and_to_nobody_later() {
    holds("an error", scenes::an_error_is_shared_once);
}

#[test]
fn a_cancelled_caller_cancels_nothing() {
    holds("cancelled callers", scenes::callers_are_cancelled);
}

#[test]
fn work_that_panics_leaves_nobody_waiting() {
    holds("work that panics", scenes::work_panics);
}

#[test]
fn work_outlives_the_runtime_of_its_caller() {
    holds("a runtime that is shut down", scenes::a_runtime_is_shut_down);
}

#[test]
fn a_caller_whose_token_was_rejected_gets_another() {
    holds("a rejected token", scenes::a_token_is_rejected);
}

/// The checker is useful only if it finds faults.
#[test]
fn the_checker_finds_a_gate_that_looks_before_it_locks() {
    assert!(finds(RandomScheduler::new(10_000), scenes::broken::looked_and_then_acted));
    assert!(finds(PctScheduler::new(3, 10_000), scenes::broken::looked_and_then_acted));
    assert!(finds(DfsScheduler::new(Some(100_000), false), scenes::broken::looked_and_then_acted));
}

#[test]
fn the_checker_finds_a_worker_that_its_caller_takes_along() {
    assert!(finds(RandomScheduler::new(10_000), scenes::broken::worked_in_the_caller));
}

#[test]
fn the_checker_finds_a_caller_that_gives_up_after_three_flights() {
    assert!(finds(RandomScheduler::new(100_000), scenes::broken::asked_three_times));
}

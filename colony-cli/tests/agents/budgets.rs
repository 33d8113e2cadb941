//! Daily budgets under kills, full disks and clock steps: P2 and P3.

use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

use crate::{bench::Bench, length, told};

/// Starts a command that creates a post, with a budget of twenty.
fn create(bench: &Bench, number: usize) -> Child {
    let title = format!("title=Post {number}");
    let body = format!("body=The text of {number}");
    let mut command = bench.command(&["call", "--daily", "create_post=20", "create_post", &title, &body]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn created(bench: &Bench) -> u64 {
    let stats = bench.sandbox.stats();
    stats.with_status("POST /posts", 200) + stats.with_status("POST /posts", 201)
}

#[test]
fn p2_a_budget_holds_for_all_processes_together() {
    let bench = Bench::new();
    bench.json(&["--json", "whoami"]);
    let children: Vec<Child> = (0..50).map(|number| create(&bench, number)).collect();
    let codes: Vec<Option<i32>> =
        children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
    let of = |code| codes.iter().filter(|it| **it == Some(code)).count();
    assert_eq!((created(&bench), of(0), of(10)), (20, 20, 30), "{codes:?}");
    told(
        "P2",
        format_args!(
            "50 processes, budget 20, no kills: {} at the server, {} refused",
            created(&bench),
            of(10)
        ),
    );

    // Killed at random: the count may be too high, but never too low.
    let rounds = length(2, 20);
    let (mut most, mut least, mut kills) = (0, u64::MAX, 0);
    for round in 0..rounds {
        let bench = Bench::new();
        bench.json(&["--json", "whoami"]);
        let mut children: Vec<Child> = (0..50).map(|number| create(&bench, number)).collect();
        let mut seed = 7 + round as u64;
        for child in &mut children {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if seed >> 33 & 1 == 1 {
                std::thread::sleep(Duration::from_millis(seed >> 40 & 15));
                let is_under_way = child.try_wait().unwrap().is_none();
                let _ = child.kill();
                kills += usize::from(is_under_way);
            }
        }
        children.into_iter().for_each(|mut child| {
            child.wait().unwrap();
        });
        let sent = created(&bench);
        assert!(sent <= 20, "{sent}");
        (most, least) = (most.max(sent), least.min(sent));
    }
    assert!(kills > 0, "no kill landed");
    told(
        "P2",
        format_args!(
            "{rounds} rounds of 50 processes with {kills} kills that landed: {least} to {most} at the server"
        ),
    );
}

#[test]
fn p3_what_is_wrong_with_the_ledger_spends_nothing() {
    let bench = Bench::new();
    let state = bench.cache.path().join(".local/state/colony-sdk");
    let post = |title: &str, more: &[&str]| {
        let title = format!("title={title}");
        let arguments = [
            "--json",
            "call",
            "--daily",
            "create_post=3",
            "create_post",
            &title,
            "body=Some text of its own",
        ];
        let output = bench.command(&[&arguments[..], more].concat()).output().unwrap();
        (output.status.code().unwrap(), crate::bench::text(&output.stderr))
    };
    assert_eq!(post("First post", &[]).0, 0);
    let ledger = fs::read_dir(&state).unwrap().map(|it| it.unwrap().path());
    let ledger = ledger.filter(|path| path.extension().is_some_and(|end| end == "ledger")).last().unwrap();
    let whole = fs::read_to_string(&ledger).unwrap();
    let path = ledger.display().to_string();
    // Truncated at every byte: refused, unless it ends at a line, which records the spending.
    let mut torn = 0;
    for end in (1..whole.len()).step_by(length(11, 1)) {
        fs::write(&ledger, &whole[..end]).unwrap();
        let (code, stderr) = post("A torn one", &[]);
        assert!(code == 10 && stderr.contains(&path), "{end}: {code} {stderr}");
        torn += 1;
    }
    // A ledger with a date after the clock's counts, and its remaining budget applies.
    let later = whole.replace(&whole[8..18], "2999-01-01").replace(":1}", ":2}");
    fs::write(&ledger, &later).unwrap();
    assert_eq!(post("A later day", &[]).0, 0);
    let (code, stderr) = post("A later day, too", &[]);
    assert!(code == 10 && stderr.contains("2999-01-01"), "{stderr}");
    // Untrusted files, and a path that is no directory.
    fs::write(&ledger, &whole).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&ledger, fs::Permissions::from_mode(0o666)).unwrap();
    let (code, stderr) = post("An open ledger", &[]);
    assert!(code == 10 && stderr.contains(&path), "{stderr}");
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "no directory").unwrap();
    let (code, stderr) = post("No directory", &[]);
    assert!(code == 10 && stderr.contains("colony-sdk"), "{stderr}");
    fs::remove_file(&state).unwrap();
    assert_eq!(created(&bench), 2);
    told(
        "P3",
        format_args!(
            "{torn} torn ledgers, a clock that is behind, an open file, no directory: 0 sent beyond the budget, each refusal names the file"
        ),
    );
}

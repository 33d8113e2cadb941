//! R18: children of a program that is in the middle of a login, by exec and by a bare fork.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::process::parent_id,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use colony_blocking::{Client, api::account::GetMe};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::{
    Ground, Outcome, Tally,
    parts::{Player, say},
    preload,
    scene::{Scene, eventually},
};
use crate::service::Answer;

type Failed = Box<dyn std::error::Error>;

pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = executed(ground)?;
    tally.add(forked(ground)?);
    Ok(tally)
}

/// Returns the files in this directory, and the sockets, that a process has open.
fn open_there(process: u32, directory: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/fd"))? {
        // A descriptor can be closed meanwhile.
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        if target.starts_with(directory) || target.to_string_lossy().starts_with("socket:") {
            found.push(target.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Checks that a child started in the middle of a login has neither the lock, nor the token's file, nor the
/// connection; so the lock is free when the parent is killed, although the child lives on.
fn executed(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("children");
    let mut held = 0;
    let runs = ground.scale.pick(5, 100);
    for _ in 0..runs {
        let scene = Scene::new(ground)?;
        scene.service.otherwise(Answer::Held);
        let mut parent = Player::start(&scene.place, "parent", "")?;
        scene.until_logins(1)?;
        parent.say("spawn")?;
        let child: u32 = parent.line()?.trim().parse()?;
        let lock = scene.file("lock");
        let with_parent = open_there(parent.child.id(), scene.cache())?;
        held += u64::from(with_parent.iter().any(|path| Path::new(path) == lock) && scene.is_locked());
        let with_child = open_there(child, scene.cache())?;
        tally.check(with_child.is_empty(), || format!("a child has {with_child:?}"));
        drop(parent);
        let free = eventually(Duration::from_secs(5), || !scene.is_locked());
        tally.hold(free, || "the child keeps the lock".to_owned());
        let process = i32::try_from(child).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        tally.hold(kill_process(process, Signal::KILL).is_ok(), || "the child was gone already".to_owned());
    }
    tally.fault("parents that had the lock open and held", held, runs);
    Ok(tally)
}

/// The part: logs in, and starts a child on request.
pub(super) fn parent(_: &str) -> Result<(), Failed> {
    let client = client()?;
    std::thread::spawn(move || client.auth().token());
    io::stdin().read_line(&mut String::new())?;
    // It gets other streams, or reading ours to the end would wait for it.
    let mut command = Command::new("sleep");
    command.arg("600").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    say(&command.spawn()?.id().to_string())?;
    std::thread::sleep(Duration::from_secs(60));
    Ok(())
}

fn client() -> Result<Client, Failed> {
    let builder = Client::builder(std::env::var("COLONY_API_KEY")?);
    Ok(builder.timeout(Duration::from_secs(20)).build()?)
}

/// Tests a program that has a client and forks, as Python's `os.fork` does: the child has the clients but not the
/// threads that drive them. Its calls must fail and not hang; a new client works, unless another thread was working
/// during the fork.
fn forked(ground: &Ground) -> Outcome {
    let forks = ground.scale.pick(10, 100);
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("forked children");
    let Some(library) = preload::compile(scene.outer.path())? else {
        tally.not_tried("a bare fork: there is no C compiler");
        return Ok(tally);
    };
    scene.service.otherwise(Answer::After(Duration::from_millis(20)));
    let mut place = scene.place.clone();
    place.environment.push(("LD_PRELOAD".into(), library.into()));
    place.environment.push(("UNDER_FIRE_FORK".into(), OsString::from("1")));
    let mut player = Player::start(&place, "fork", &forks.to_string())?;
    let mut in_login = 0;
    for _ in 0..forks {
        let line = player.line()?;
        let (state, outcome) = line.trim().split_once(' ').ok_or("half a line")?;
        tally.check(outcome == "0", || format!("a child forked {state} ended with {outcome}"));
        in_login += u64::from(state == "in-a-login");
    }
    let logins: u64 = player.line()?.trim().parse()?;
    // Only the parent logs in; its children adopt its tokens.
    tally.same("logins", scene.counts().logins, logins);
    tally.fault("forks", forks, forks);
    tally.fault("of them in the middle of a login", in_login, forks / 3);
    Ok(tally)
}

/// The part: forks `forks` times, every second time in the middle of a login, and prints how each child ended.
pub(super) fn fork(forks: &str) -> Result<(), Failed> {
    let forks: u64 = forks.parse()?;
    let client = client()?;
    client.execute_json(GetMe::default())?;
    let unblocked = colony_async::Client::builder(std::env::var("COLONY_API_KEY")?).build()?;
    let mut logins = 1;
    for number in 0..forks {
        let login = if number % 2 == 1 {
            client.auth().forget_token()?;
            let moved = client.clone();
            logins += 1;
            let login = std::thread::spawn(move || moved.auth().token());
            std::thread::sleep(Duration::from_millis(8));
            Some(login)
        } else {
            None
        };
        let state = match &login {
            Some(login) if !login.is_finished() => "in-a-login",
            _ => "idle",
        };
        // This forks: see `preload.c`.
        let child = parent_id();
        if child == 0 {
            std::process::exit(child_s_life(&client, &unblocked, state == "idle"));
        }
        let process = i32::try_from(child).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        let mut ended = None;
        let in_time = eventually(Duration::from_secs(30), || {
            ended = waitpid(Some(process), WaitOptions::NOHANG).ok().flatten();
            ended.is_some()
        });
        let outcome = if in_time {
            ended
                .and_then(|(_, status)| status.exit_status())
                .map_or("a signal".to_owned(), |it| it.to_string())
        } else {
            kill_process(process, Signal::KILL)?;
            let _ = waitpid(Some(process), WaitOptions::empty());
            "a hang".to_owned()
        };
        say(&format!("{state} {outcome}"))?;
        if let Some(login) = login {
            login.join().map_err(|_| "the login panicked")??;
        }
    }
    say(&logins.to_string())?;
    Ok(())
}

/// Runs in a forked child: uses its parent's client, then, if the parent was idle, a new one. Returns zero if all
/// went well.
///
/// In a child of a program with other working threads the locks of any library can be taken for ever (POSIX, `fork`),
/// so code that is built on libraries can only avoid them there.
fn child_s_life(inherited: &Client, unblocked: &colony_async::Client, idle: bool) -> i32 {
    match inherited.execute_json(GetMe::default()) {
        Err(error) if error.to_string().contains("fork") => {}
        Err(_) => return 11,
        Ok(_) => return 12,
    }
    if !idle {
        return 0;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 15 };
    match runtime.block_on(unblocked.execute_json(GetMe::default())) {
        Err(error) if error.to_string().contains("fork") => {}
        Err(_) => return 16,
        Ok(_) => return 17,
    }
    let Ok(own) = client() else { return 13 };
    match own.execute_json(GetMe::default()) {
        Ok(_) => 0,
        Err(_) => 14,
    }
}

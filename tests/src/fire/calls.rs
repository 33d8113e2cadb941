//! R15, at the `Disk` trait: the n-th call to the disk fails, for n = 1, 2, 3 … until a run has no n-th call.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::SystemTime,
};

use colony_async::{Client, ErrorKind, RetryPolicy, api::account::GetMe};
use colony_core::{
    Transport as _,
    token::{cache_path, envelope::Envelope},
};
use rustix::io::Errno;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Runtime;

use super::{Ground, Outcome, Tally};
use crate::{
    failing::Failing,
    played::{LIFETIME, Played},
};

const KEY: &str = "col_planted_key_0123456789";
const BASE: &str = "http://127.0.0.1:9/api/v1";

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

fn fingerprint() -> String {
    cache_path::fingerprint(BASE, KEY)
}

pub(super) fn client(service: &Played, directory: &Path, disk: Option<&Failing>) -> Client {
    let mut builder = Client::builder(KEY)
        .base_url(BASE)
        .auth_retry(RetryPolicy::none())
        .script(&service.script(now))
        .cache_token(true)
        .token_cache_dir(directory);
    if let Some(disk) = disk {
        builder = builder.disk(disk.clone());
    }
    builder.build().expect("a client")
}

/// The errors of disks. `INTR` is an error of every call that can wait.
const ERRORS: [(&str, Errno); 8] = [
    ("EIO", Errno::IO),
    ("ENOSPC", Errno::NOSPC),
    ("EDQUOT", Errno::DQUOT),
    ("EROFS", Errno::ROFS),
    ("EACCES", Errno::ACCESS),
    ("EINTR", Errno::INTR),
    ("ESTALE", Errno::STALE),
    ("EMFILE", Errno::MFILE),
];

/// The state that a program finds, and its action.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scene {
    /// Nothing exists, not even the directory.
    Cold,
    /// A valid token.
    Warm,
    /// A token near its expiry, which is replaced.
    Stale,
    /// A token that the server no longer accepts.
    Revoked,
    /// The login is refused with this status, which the other processes learn.
    Refused(u16),
    /// A valid token, but a new one is requested.
    Forgotten,
    /// A file that holds no token.
    Damaged,
    /// The directory is open to all users.
    Loose,
}

const SCENES: [Scene; 9] = [
    Scene::Cold,
    Scene::Warm,
    Scene::Stale,
    Scene::Revoked,
    Scene::Refused(401),
    Scene::Refused(429),
    Scene::Forgotten,
    Scene::Damaged,
    Scene::Loose,
];

/// Returns the token in the token file.
fn token_in(directory: &Path) -> Option<String> {
    let bytes = fs::read(directory.join(format!("{}.json", fingerprint()))).ok()?;
    let envelope = Envelope::read(&bytes).unwrap_or_else(|why| panic!("a torn file: {why}"));
    Some(envelope.token.expose_secret().to_owned())
}

/// Sets up the scene. Returns the existing token.
fn prepare(scene: Scene, service: &Played, directory: &Path) -> Option<String> {
    let file = directory.join(format!("{}.json", fingerprint()));
    let lifetime = match scene {
        Scene::Cold | Scene::Refused(_) => return None,
        Scene::Damaged => {
            make(directory);
            write(&file, b"{\"v\": 1, \"token\": \"ey");
            return None;
        }
        Scene::Stale => 30.0,
        Scene::Warm | Scene::Revoked | Scene::Forgotten | Scene::Loose => LIFETIME,
    };
    make(directory);
    let token = service.issue(now(), lifetime);
    let envelope = Envelope { token: SecretString::from(token.clone()), expiry: now() + lifetime };
    write(&file, envelope.write().expect("an envelope").as_bytes());
    if scene == Scene::Revoked {
        service.revoke();
    }
    if scene == Scene::Loose {
        set_mode(directory, 0o777);
    }
    Some(token)
}

fn make(directory: &Path) {
    fs::create_dir(directory).expect("a directory");
    set_mode(directory, 0o700);
}

fn write(file: &Path, content: &[u8]) {
    fs::write(file, content).expect("a file");
    set_mode(file, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
}

/// Runs a scene on a disk, and panics if it ends badly.
async fn play(scene: Scene, disk: &Failing, what: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("colony-sdk");
    let service = Played::default();
    let old = prepare(scene, &service, &directory);
    if let Scene::Refused(status) = scene {
        service.refuse(Some(status));
    }
    let client = client(&service, &directory, Some(disk));
    if scene == Scene::Forgotten {
        client.transport().forget_token().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let outcome = client.execute(GetMe::default()).await;
    match (scene, outcome) {
        (Scene::Refused(status), Err(error)) => {
            let expected = if status == 401 { ErrorKind::Auth } else { ErrorKind::RateLimit };
            assert_eq!(error.kind(), expected, "{what}");
        }
        (Scene::Refused(_), Ok(_)) => panic!("{what}: a token in spite of the refusal"),
        (_, Err(error)) => panic!("{what}: {error}"),
        (_, Ok(_)) => {}
    }
    assert!(service.logins() <= 1, "{what}: {} logins", service.logins());
    drop(client);

    // The file is the old one, a valid new one, or absent.
    let left = if scene == Scene::Damaged && service.logins() == 1 {
        let bytes = fs::read(directory.join(format!("{}.json", fingerprint()))).unwrap_or_default();
        Envelope::read(&bytes).ok().map(|envelope| envelope.token.expose_secret().to_owned())
    } else {
        token_in(&directory)
    };
    if let Some(left) = &left {
        assert!(service.knows(left) || old.as_ref() == Some(left), "{what}: a token from nowhere");
    }
    let failed = disk.failed();
    if !failed.is_empty() && failed.len() < 3 {
        let names = fs::read_dir(&directory).into_iter().flatten();
        let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
        let temporary = names.iter().find(|name| name.to_string_lossy().ends_with(".tmp"));
        assert_eq!(temporary, None, "{what}: left behind");
    }

    // The next process, on a working disk, is not affected.
    service.refuse(None);
    let next = self::client(&service, &directory, None);
    match next.execute(GetMe::default()).await {
        Ok(_) => {}
        Err(error) if scene == Scene::Refused(429) => {
            assert_eq!(error.kind(), ErrorKind::RateLimit, "{what}");
        }
        Err(error) => panic!("{what}: the next one: {error}"),
    }
}

/// Lets each call fail once, and then each together with all that follow. Both scales are the same: there are no more
/// calls than these.
pub(super) fn run(_: &Ground) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tally = Tally::of("runs");
    let mut failed: BTreeMap<&'static str, u64> = BTreeMap::new();
    for scene in SCENES {
        for (name, errno) in ERRORS {
            let once = (1..).map(|at| (Failing::once(at, errno.raw_os_error()), format!("at call {at}")));
            for call in series(&runtime, &mut tally, scene, name, once) {
                *failed.entry(call).or_default() += 1;
            }
            // No machine interrupts every call with a signal for ever.
            if errno != Errno::INTR {
                let on = (1..)
                    .map(|at| (Failing::for_good(at, errno.raw_os_error()), format!("from call {at} on")));
                series(&runtime, &mut tally, scene, name, on);
            }
        }
    }
    tally.fault("calls that failed alone", failed.values().sum(), 1_500);
    for call in CALLS {
        tally.hold(failed.contains_key(call), || format!("{call} never failed"));
    }
    tally.fact(format!("{} kinds of call, {} errors, {} scenes", failed.len(), ERRORS.len(), SCENES.len()));
    Ok(tally)
}

/// The disk calls of a login: each of these must have failed at least once.
const CALLS: [&str; 14] = [
    "facts",
    "create_directory",
    "set_mode",
    "open",
    "file_facts",
    "read",
    "try_lock",
    "unlock",
    "create_temporary",
    "write",
    "sync",
    "rename",
    "remove",
    "list",
];

/// Runs a scene on one disk after the other, until a run meets no fault. Returns the first call that failed in each.
fn series(
    runtime: &Runtime,
    tally: &mut Tally,
    scene: Scene,
    error: &str,
    disks: impl Iterator<Item = (Failing, String)>,
) -> Vec<&'static str> {
    let mut first = Vec::new();
    for (disk, place) in disks {
        let what = format!("{scene:?}, {error} {place}");
        let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(play(scene, &disk, &what))));
        let failed = disk.failed();
        tally.check(played.is_ok(), || format!("{what}: {}", told(&*played.unwrap_err())));
        let Some(call) = failed.first() else { break };
        first.push(*call);
    }
    first
}

/// Returns a panic's message.
fn told(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

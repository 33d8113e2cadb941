//! The n-th call to the disk fails, for n = 1, 2, 3 … until a run has no n-th call.

use std::{collections::BTreeMap, fs, path::Path};

use colony_async::{ErrorKind, api::account::GetMe};
use colony_core::{Transport as _, token::envelope::Envelope};
use colony_tests::{
    failing::Failing,
    played::{LIFETIME, Played},
};
use rustix::io::Errno;
use secrecy::{ExposeSecret as _, SecretString};

use crate::place::{client, fingerprint, now};

/// What disks answer. `INTR` is not an answer of theirs, but of every call that may wait.
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

/// How a program finds things, and what it does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scene {
    /// There is nothing, not even the directory.
    Cold,
    /// There is a good token.
    Warm,
    /// There is one near its end, and it is replaced.
    Stale,
    /// There is one that the server does not take any more.
    Revoked,
    /// The login is refused with this status, and the others are told.
    Refused(u16),
    /// There is a good one, and a new one is asked for all the same.
    Forgotten,
    /// There is what is no token.
    Damaged,
    /// The directory is open to everybody.
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

/// What is in the token file.
fn token_in(directory: &Path) -> Option<String> {
    let bytes = fs::read(directory.join(format!("{}.json", fingerprint()))).ok()?;
    let envelope = Envelope::read(&bytes).unwrap_or_else(|why| panic!("a torn file: {why}"));
    Some(envelope.token.expose_secret().to_owned())
}

/// Sets the scene. Gives the token that is there.
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

/// Plays a scene on a disk. Gives the calls that failed.
async fn play(scene: Scene, disk: &Failing, what: &str) -> Vec<&'static str> {
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

    // The file is the old one, a new one that is good, or none.
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

    // Whoever comes next, on a disk that works, is not harmed.
    service.refuse(None);
    let next = crate::place::client(&service, &directory, None);
    match next.execute(GetMe::default()).await {
        Ok(_) => {}
        Err(error) if scene == Scene::Refused(429) => {
            assert_eq!(error.kind(), ErrorKind::RateLimit, "{what}");
        }
        Err(error) => panic!("{what}: the next one: {error}"),
    }
    failed
}

#[tokio::test]
async fn each_call_in_turn_fails_once() {
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for scene in SCENES {
        for (name, errno) in ERRORS {
            for at in 1.. {
                let disk = Failing::once(at, errno.raw_os_error());
                let failed = play(scene, &disk, &format!("{scene:?}, {name} at call {at}")).await;
                let Some(call) = failed.first() else { break };
                *tried.entry(call).or_default() += 1;
            }
        }
    }
    #[expect(clippy::print_stdout, reason = "the figures that docs/reliability.md quotes")]
    {
        println!("failed once: {} calls: {tried:?}", tried.values().sum::<usize>());
    }
    for call in ["facts", "create_directory", "open", "file_facts", "read", "try_lock", "write", "sync"] {
        assert!(tried.contains_key(call), "{call} never failed: {tried:?}");
    }
    for call in ["create_temporary", "rename", "remove", "unlock", "set_mode", "list"] {
        assert!(tried.contains_key(call), "{call} never failed: {tried:?}");
    }
}

#[tokio::test]
async fn from_each_call_on_all_fail() {
    let mut tried = 0;
    for scene in SCENES {
        // A signal at every call for good would be a machine that does nothing but signal.
        for (name, errno) in ERRORS.into_iter().filter(|(name, _)| *name != "EINTR") {
            for at in 1.. {
                let disk = Failing::for_good(at, errno.raw_os_error());
                let failed = play(scene, &disk, &format!("{scene:?}, {name} from call {at} on")).await;
                if failed.is_empty() {
                    break;
                }
                tried += 1;
            }
        }
    }
    #[expect(clippy::print_stdout, reason = "the figures that docs/reliability.md quotes")]
    {
        println!("failed for good: {tried} runs");
    }
    assert!(tried > 500, "{tried}");
}

//! The n-th call to the disk fails during a rotation, for n = 1, 2, 3 … until a run has no n-th call.

use colony_async::{
    ErrorKind,
    credential::{CredentialStore, RotatingCredential},
};
use colony_tests::{clock::Clock, failing::Failing};
use rustix::io::Errno;
use serde_json::json;

use crate::{Ground, scale};

const ERRORS: [(&str, Errno); 4] =
    [("EIO", Errno::IO), ("ENOSPC", Errno::NOSPC), ("EACCES", Errno::ACCESS), ("ESTALE", Errno::STALE)];

fn over(store: CredentialStore) -> RotatingCredential {
    // Pauses take no time.
    RotatingCredential::builder(store.timer(Clock::flowing())).build()
}

/// After any failure, once or for good, no spent token is sent again, the file is whole, and the next process, with a
/// working disk, gets a token. It waits first only after a failure for good with the note in the file.
#[tokio::test]
async fn every_call_to_the_disk_may_fail() {
    let Some(mut ground) = Ground::new(&json!({})) else { return };
    let errors = &ERRORS[..scale(1, 4) as usize];
    let (mut tried, mut unknown, mut refreshed) = (0, 0, 0);
    for (name, errno) in errors {
        for for_good in [false, true] {
            for n in 1.. {
                // A new directory for each: a disk that fails for good leaves a temporary file.
                ground.directory = crate::in_memory();
                ground.login_long_ago().await;
                let before = ground.provider.count("token_requests");
                let errno = errno.raw_os_error();
                let disk = if for_good { Failing::for_good(n, errno) } else { Failing::once(n, errno) };
                let rotating = over(ground.store().disk(disk.clone()));
                let outcome = rotating.token().await;
                if disk.failed().is_empty() {
                    outcome.expect("nothing failed");
                    break;
                }
                let case = format!("{name} at call {n}, {:?} failed: {outcome:?}", disk.failed());
                tried += 1;
                let sent = ground.provider.count("token_requests") - before;
                assert!(sent <= 1, "{case}");
                if let Err(error) = &outcome {
                    assert_eq!(error.kind(), ErrorKind::CredentialStore, "{case}");
                    assert_eq!(sent, 0, "what was sent was answered: {case}");
                }
                refreshed += u32::from(outcome.is_ok());
                // The same process still has its token, and the file is whole for others.
                assert!(!for_good || outcome.is_err() || rotating.token().await.is_ok(), "{case}");
                match over(ground.store()).rotate().await {
                    Ok(_) => assert!(ground.provider.is_good(&ground.refresh_token()), "{case}"),
                    Err(error) => {
                        assert_eq!(error.code(), Some("interrupted"), "{case}: {error:?}");
                        assert!(
                            for_good,
                            "the answer could have been stored, or the note taken back: {case}"
                        );
                        unknown += 1;
                    }
                }
                assert_eq!(ground.provider.count("replays"), 0, "{case}");
            }
        }
    }
    println!(
        "R15 rotation on a failing disk: {tried} faults, {refreshed} refreshed all the same, {unknown} left alone for \
         `settle` (the disk died with the note in the file), 0 spent tokens sent again"
    );
    assert!(tried > 40, "{tried} faults only");
    assert!(unknown > 0 && refreshed > 0, "no fault hit the window");
}

/// A credential that could not be stored is kept in memory, and its process stores it as soon as that works.
#[tokio::test]
async fn what_could_not_be_stored_is_stored_later() {
    let Some(ground) = Ground::new(&json!({"access_token_seconds": 1})) else { return };
    ground.login_long_ago().await;
    // The number of calls of a rotation before the answer is stored, counted on one rotation.
    let counting = Failing::once(usize::MAX, Errno::IO.raw_os_error());
    over(ground.store().disk(counting.clone())).rotate().await.expect("a rotation");
    let total = counting.calls();
    let disk = Flaky::working();
    let rotating = over(ground.store().disk(disk.clone()));
    let before = ground.refresh_token();
    let mut held = None;
    for at in 1..=total {
        disk.fail_from(at);
        let outcome = rotating.rotate().await;
        disk.mend();
        if let Ok(rotation) = outcome
            && ground.spending()["state"] == "sent"
        {
            held = Some(rotation);
            break;
        }
    }
    let held = held.expect("no fault hit the window");
    assert_eq!(ground.spending()["state"], "sent");
    // Another process gets an error that the outcome is unknown…
    let error = over(ground.store()).rotate().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CredentialBusy, Some("interrupted")), "{error:?}");
    // …until the one that knows has stored it.
    rotating.rotate().await.expect("a rotation");
    assert_ne!(ground.refresh_token(), before);
    assert_ne!(ground.refresh_token(), crate::secret(&held.credential), "stored, and rotated once more");
    assert_eq!(ground.spending(), json!(null));
    over(ground.store()).rotate().await.expect("a rotation");
    ground.assert_family_alive();
}

use flaky::Flaky;

mod flaky {
    //! A disk that fails from a call on until it is repaired.

    use std::{
        ffi::OsString,
        io,
        path::{Path, PathBuf},
        sync::{Arc, Mutex, PoisonError},
        time::Duration,
    };

    use colony_async::disk::{Access, Disk, Facts, OpenFile};
    use colony_tests::failing::Failing;
    use rustix::io::Errno;

    #[derive(Debug, Clone)]
    pub(super) struct Flaky(Arc<Mutex<Failing>>);

    impl Flaky {
        pub(super) fn working() -> Self {
            Self(Arc::new(Mutex::new(Failing::once(usize::MAX, 0))))
        }

        pub(super) fn fail_from(&self, call: usize) {
            self.put(Failing::for_good(call, Errno::NOSPC.raw_os_error()));
        }

        pub(super) fn mend(&self) {
            self.put(Failing::once(usize::MAX, 0));
        }

        fn put(&self, disk: Failing) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = disk;
        }

        fn now(&self) -> Failing {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    impl Disk for Flaky {
        fn facts(&self, path: &Path) -> io::Result<Facts> {
            self.now().facts(path)
        }

        fn create_directory(&self, path: &Path) -> io::Result<()> {
            self.now().create_directory(path)
        }

        fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
            self.now().set_mode(path, mode)
        }

        fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
            self.now().open(path, access)
        }

        fn create_temporary(
            &self,
            directory: &Path,
            prefix: &str,
        ) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
            self.now().create_temporary(directory, prefix)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.now().rename(from, to)
        }

        fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.now().link(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            self.now().remove(path)
        }

        fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
            self.now().list(directory)
        }

        fn sync_directory(&self, directory: &Path) -> io::Result<()> {
            self.now().sync_directory(directory)
        }

        fn pause(&self, duration: Duration) {
            self.now().pause(duration);
        }
    }
}

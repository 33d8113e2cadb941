//! R11, for refresh tokens: without a lock there is no refresh.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use colony_async::{
    ErrorKind,
    credential::{CredentialStore, RotatingCredential},
    disk::{Access, Disk, Facts, OpenFile, Real},
};
use rustix::io::Errno;
use serde_json::json;

use crate::{Ground, now};

/// The system's disk, on which locks fail: when the file is opened, or when it is locked.
#[derive(Debug, Clone, Copy)]
enum NoLocks {
    Opening(Errno),
    Locking(Errno),
}

impl Disk for NoLocks {
    fn facts(&self, path: &Path) -> io::Result<Facts> {
        Real.facts(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        Real.create_directory(path)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        Real.set_mode(path, mode)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
        match self {
            Self::Opening(errno) if access != Access::Read => Err((*errno).into()),
            _ => Ok(Box::new(NoLock { file: Real.open(path, access)?, why: *self })),
        }
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        Real.create_temporary(directory, prefix)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Real.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        Real.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Real.remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Real.list(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Real.sync_directory(directory)
    }

    fn pause(&self, duration: Duration) {
        Real.pause(duration);
    }
}

struct NoLock {
    file: Box<dyn OpenFile>,
    why: NoLocks,
}

impl OpenFile for NoLock {
    fn facts(&self) -> io::Result<Facts> {
        self.file.facts()
    }

    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        self.file.read(limit)
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.write(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn try_lock(&mut self) -> io::Result<()> {
        match self.why {
            NoLocks::Locking(errno) => Err(errno.into()),
            NoLocks::Opening(_) => self.file.try_lock(),
        }
    }

    fn unlock(&mut self) -> io::Result<()> {
        self.file.unlock()
    }
}

/// Asserts that every call on this store fails with this kind, sends nothing and changes nothing.
async fn assert_closed(ground: &Ground, store: &CredentialStore, kind: ErrorKind, case: &str) {
    let (before, requests) = (ground.bytes(), ground.provider.count("token_requests"));
    let rotating = RotatingCredential::builder(store.clone()).timeout(Duration::from_millis(1)).build();
    let blocking = {
        let store = colony_blocking::credential::CredentialStore::over(store.clone()).expect("a thread");
        let settings = colony_blocking::credential::RotatingCredential::builder(store);
        colony_blocking::credential::RotatingCredential::start(settings).expect("a thread")
    };
    let new = ground.provider.login(ground.client, now());
    let rejected = "at-rejected".to_owned().into();
    let errors = [
        rotating.token().await.unwrap_err(),
        rotating.token_other_than(&rejected).await.unwrap_err(),
        rotating.rotate().await.unwrap_err(),
        rotating.log_out(None).await.unwrap_err(),
        store.save(&new).await.unwrap_err(),
        store.save_despite_downgrade(&new).await.unwrap_err(),
        store.remove().await.unwrap_err(),
        tokio::task::spawn_blocking(move || blocking.token().unwrap_err()).await.expect("no panic"),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{case}: {error:?}");
        assert!(error.hint().is_some() && error.to_string().contains(".lock"), "{case}: {error}");
    }
    assert_eq!(ground.provider.count("token_requests"), requests, "{case}: something was sent");
    assert_eq!(ground.bytes(), before, "{case}: the file changed");
    assert!(ground.provider.is_good(&ground.refresh_token()), "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_no_lock_no_refresh() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    ground.login_long_ago().await;
    let cases = [
        ("ENOLCK", NoLocks::Locking(Errno::NOLCK)),
        ("EOPNOTSUPP", NoLocks::Locking(Errno::OPNOTSUPP)),
        ("ENOSYS", NoLocks::Locking(Errno::NOSYS)),
        ("EACCES", NoLocks::Opening(Errno::ACCESS)),
        ("EROFS", NoLocks::Opening(Errno::ROFS)),
    ];
    for (name, disk) in cases {
        assert_closed(&ground, &ground.store().disk(disk), ErrorKind::CredentialStore, name).await;
    }
    // The sixth: another holder does not release the lock. It opens the file itself, as another process does.
    let (store, file) = (ground.store(), ground.store().file().with_extension("lock"));
    let mut lock =
        fd_lock::RwLock::new(std::fs::OpenOptions::new().write(true).open(file).expect("a lock file"));
    let held = lock.try_write().expect("the lock");
    let busy = store.timer(colony_tests::clock::Clock::flowing());
    assert_closed(&ground, &busy, ErrorKind::CredentialBusy, "timeout").await;
    drop(held);
    println!(
        "R11 six kinds of lock failure, eight calls each, async and blocking: {} refresh requests, file unchanged",
        ground.provider.count("token_requests")
    );
    // With the lock, the next call works.
    ground.rotating().build().token().await.expect("a token");
    ground.assert_family_alive();
}

/// While the access token is valid, a failed lock is only a warning.
#[tokio::test]
async fn a_living_token_serves_without_a_lock() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    // Thirty seconds left: due for a refresh, but valid.
    let credential = ground.provider.login(ground.client, now() - 870.0);
    ground.store().save(&credential).await.expect("stored");
    let store = ground.store().disk(NoLocks::Locking(Errno::NOLCK));
    let rotating = RotatingCredential::builder(store).build();
    let token = rotating.token().await.expect("the living token");
    assert!(credential.has_access_token(&token));
    // But not for a caller whose token was refused, nor for one that asks for a rotation.
    let error = rotating.token_other_than(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialStore);
    assert_eq!(rotating.rotate().await.unwrap_err().kind(), ErrorKind::CredentialStore);
    assert_eq!(ground.provider.count("token_requests"), 0);
}

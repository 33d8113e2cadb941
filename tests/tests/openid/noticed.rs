//! A running program notices a logout or a login by another process.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use colony_async::{
    Error,
    credential::{CredentialStore, Keeping, RotatingCredential, Vault},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{Ground, machine::Machine};

/// A keyring.
#[derive(Debug, Clone, Default)]
struct Ring(Arc<Mutex<HashMap<String, SecretString>>>);

impl Vault for Ring {
    fn keeping(&self) -> Keeping {
        Keeping::Keyring
    }

    fn read(&self, name: &str) -> io::Result<Option<SecretString>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn write(&self, name: &str, document: &SecretString) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), document.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

/// In a file and in a keyring: two seconds after a removal, the removed credential is not used any more, although its
/// access token is fresh; and after a login the former one is not used.
#[tokio::test]
async fn a_logout_and_a_login_by_another_process_are_noticed() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    for ring in [None, Some(Ring::default())] {
        let machine = Machine::new();
        let store = || {
            let store = ground.store().timer(machine.timer(0.0));
            match &ring {
                Some(ring) => store.vault(ring.clone()),
                None => store,
            }
        };
        let login = async |store: CredentialStore| {
            let credential = ground.provider.login(ground.client, crate::now());
            store.save_despite_downgrade(&credential).await.expect("stored");
            credential
        };
        let first = login(store()).await;
        let running = RotatingCredential::builder(store()).build();
        let serves = async || running.token().await;
        assert!(first.has_access_token(&serves().await.expect("a token")));

        let second = login(store()).await;
        machine.pass(2.0);
        assert!(second.has_access_token(&serves().await.expect("a token")), "the former login serves on");

        store().remove().await.expect("removed");
        machine.pass(2.0);
        let gone = |error: Error| assert_eq!(error.code(), Some("no_credential"), "{error}");
        gone(serves().await.expect_err("the removed credential serves on"));
        gone(running.rotate().await.expect_err("it does"));

        let third = login(store()).await;
        assert!(third.has_access_token(&serves().await.expect("a token")));
        let newest = RotatingCredential::builder(store()).build().rotate().await.expect("a rotation");
        machine.pass(2.0);
        let token = serves().await.expect("a token");
        assert!(newest.credential.has_access_token(&token), "a rotation by another process");
    }
    assert_eq!(ground.provider.count("token_requests"), 2);
}

/// A removed credential is not used when the lock cannot be obtained, nor after a failed refresh.
#[tokio::test]
async fn a_removed_credential_does_not_serve_on_when_the_refresh_fails() {
    let Some(ground) = Ground::new(&json!({"decline_next": 1_000, "decline": "slow_down"})) else { return };
    let machine = Machine::new();
    let credential = ground.provider.login(ground.client, crate::now() - 870.0);
    ground.store().save(&credential).await.expect("stored");
    let running = ground.over(machine.timer(0.0)).build();
    running.token().await.expect("the living token, after a failed refresh");
    let lock = std::fs::OpenOptions::new().write(true).open(ground.store().file().with_extension("lock"));
    let mut lock = fd_lock::RwLock::new(lock.expect("a lock file"));
    let held = lock.try_write().expect("the lock");
    std::fs::remove_file(ground.store().file()).expect("removed");
    machine.pass(2.0);
    let error = running.token().await.expect_err("the removed credential serves on");
    assert_eq!(error.code(), Some("no_credential"), "{error}");
    drop(held);
}

/// Waiting for a request under way does not disturb other refreshes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settling_disturbs_no_refresh() {
    let Some(ground) = Ground::new(&json!({"before_ms": 2})) else { return };
    ground.login().await;
    let rotating = ground.rotating().build();
    let (stop, settled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let settlers: Vec<_> = (0..4)
        .map(|_| {
            let (rotating, stop, settled) = (rotating.clone(), Arc::clone(&stop), Arc::clone(&settled));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    rotating.settle().await;
                    settled.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..100 {
        rotating.rotate().await.expect("a rotation");
    }
    stop.store(true, Ordering::Relaxed);
    for settler in settlers {
        settler.await.expect("no panic");
    }
    assert!(settled.load(Ordering::Relaxed) > 100, "nobody settled in between");
    assert_eq!(ground.provider.count("granted"), 100);
    ground.assert_family_alive();
}

/// After `close` nothing is sent, the result of a sent request is stored, and a valid token is still returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_stores_what_was_sent_and_sends_nothing_more() {
    let Some(ground) = Ground::new(&json!({"before_ms": 20, "after_ms": 20})) else { return };
    ground.login().await;
    for _ in 0..20 {
        let rotating = ground.rotating().build();
        let task = tokio::spawn({
            let rotating = rotating.clone();
            async move { rotating.rotate().await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(fastrand::u64(0..50))).await;
        task.abort();
        rotating.close().await;
        let (requests, spending) = (ground.provider.count("token_requests"), ground.spending());
        assert_eq!(spending, json!(null), "an answer is still to be stored");
        let error = rotating.rotate().await.expect_err("closed");
        assert_eq!(error.kind(), colony_async::ErrorKind::Busy, "{error}");
        assert!(!rotating.token().await.expect("the living token").expose_secret().is_empty());
        assert_eq!(ground.provider.count("token_requests"), requests);
    }
    assert!(ground.provider.count("granted") > 0);
    ground.assert_family_alive();
}

//! R12: a better credential is not replaced by a worse one.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use colony_async::{
    ErrorKind,
    credential::{Credential, CredentialId, CredentialStore, Keeping, RotatingCredential, Vault},
    disk::{Access, Disk, Facts, OpenFile, Real},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;

const ISSUER: &str = "https://thecolony.example";
const NOW: f64 = 1_790_000_000.0;

fn credential(issuer: &str, path: &str, refresh: Option<&str>, at: f64) -> Credential {
    let reply = json!({"access_token": "at-new", "refresh_token": refresh, "expires_in": 900}).to_string();
    let id = CredentialId::new(issuer, "colony_app");
    Credential::from_reply(id, format!("{issuer}{path}"), reply.as_bytes(), at).expect("a credential")
}

/// Returns a store with a credential that renews itself.
async fn kept() -> (TempDir, CredentialStore) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = CredentialStore::in_directory(directory.path(), CredentialId::new(ISSUER, "colony_app"));
    store.save(&credential(ISSUER, "/oauth/token", Some("rt-kept"), NOW)).await.expect("stored");
    (directory, store)
}

/// Asserts that a save is refused with this code, and the file is unchanged.
async fn assert_refused(store: &CredentialStore, new: &Credential, kind: ErrorKind, code: &str) {
    let (before, mode) = (fs::read(store.file()).expect("a file"), mode(&store.file()));
    let error = store.save(new).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{error:?}");
    assert!(!error.to_string().contains("rt-") && !error.to_string().contains("at-"), "{error}");
    assert_eq!(fs::read(store.file()).expect("a file"), before, "{code}: the file changed");
    assert_eq!(self::mode(&store.file()), mode, "{code}: its mode changed");
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("a file").permissions().mode() & 0o7777
}

fn edited(store: &CredentialStore, edit: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(store.file()).expect("a file")).expect("JSON");
    edit(&mut value);
    fs::write(store.file(), value.to_string()).expect("written");
}

/// A change to a store's file.
type Damage = fn(&CredentialStore);

#[tokio::test]
async fn r12_downgrades_are_refused_and_change_nothing() {
    use ErrorKind::{CredentialDowngrade, CredentialStore as Unusable};
    let mut tried = 0;
    let good = || credential(ISSUER, "/oauth/token", Some("rt-new"), NOW + 1.0);
    let mut other_host = good();
    other_host.token_endpoint = "https://evil.example/oauth/token".to_owned();
    let mut plain = good();
    plain.token_endpoint = "http://127.0.0.1:1/oauth/token".to_owned();
    let mut other_client = good();
    other_client.id.client_id = "colony_other".to_owned();
    let mut other_resource = good();
    other_resource.id.resource = Some("https://resource.example".to_owned());
    let cases = [
        (credential(ISSUER, "/oauth/token", None, NOW + 1.0), "not_refreshable"),
        (credential(ISSUER, "/oauth/token", Some("rt-older"), NOW - 1.0), "older"),
        (credential("https://evil.example", "/oauth/token", Some("rt-new"), NOW + 1.0), "other_issuer"),
        (credential("http://127.0.0.1:1", "/oauth/token", Some("rt-new"), NOW + 1.0), "unencrypted"),
        (plain, "unencrypted"),
        (other_host, "other_host"),
        (credential(ISSUER, "/other/token", Some("rt-new"), NOW + 1.0), "other_token_endpoint"),
        (other_client, "other_client"),
        (other_resource, "other_resource"),
    ];
    for (new, code) in &cases {
        let (_directory, store) = kept().await;
        assert_refused(&store, new, CredentialDowngrade, code).await;
        tried += 1;
    }

    // A file of a later version.
    let (_directory, store) = kept().await;
    edited(&store, |value| value["schema"] = json!(2));
    assert_refused(&store, &good(), CredentialDowngrade, "older_schema").await;
    // A credential in a keyring, with a program that has none.
    let (_directory, store) = kept().await;
    let keyring = store.clone().vault(Keyring::default());
    keyring.save(&good()).await.expect("moved");
    assert_refused(&store, &good(), CredentialDowngrade, "weaker_keeping").await;
    // A file system on which the new file would be open to others.
    let (_directory, store) = kept().await;
    assert_refused(&store.disk(Modeless), &good(), CredentialDowngrade, "wider_mode").await;
    tried += 3;

    // A credential that cannot be read is not replaced either, by any other.
    let unreadable: [(&str, Damage); 6] = [
        ("open_to_others", |store| {
            fs::set_permissions(store.file(), fs::Permissions::from_mode(0o644)).expect("a mode");
        }),
        ("not_json", |store| fs::write(store.file(), "{\"schema\": 1, ").expect("written")),
        ("no_schema", |store| fs::write(store.file(), "{}").expect("written")),
        ("field", |store| edited(store, |value| value["expiry"] = json!("soon"))),
        ("misplaced", |store| edited(store, |value| value["client_id"] = json!("colony_other"))),
        ("hard_linked", |store| {
            fs::hard_link(store.file(), store.file().with_extension("copy")).expect("a link");
        }),
    ];
    for (code, spoil) in unreadable {
        let (_directory, store) = kept().await;
        spoil(&store);
        assert_refused(&store, &good(), Unusable, code).await;
        let despite = store.save_despite_downgrade(&good()).await.unwrap_err();
        assert_eq!((despite.kind(), despite.code()), (Unusable, Some(code)));
        let error = RotatingCredential::builder(store.clone()).build().rotate().await.unwrap_err();
        assert_eq!(error.kind(), Unusable, "{error:?}");
        tried += 1;
    }
    // A link to another file.
    let (directory, store) = kept().await;
    let victim = directory.path().join("victim");
    fs::rename(store.file(), &victim).expect("moved");
    symlink(&victim, store.file()).expect("a link");
    assert_refused(&store, &good(), Unusable, "link").await;
    tried += 1;

    println!("R12 {tried} downgrades and unreadable stores: all refused, typed, file and mode unchanged");
}

#[tokio::test]
async fn a_downgrade_that_is_meant_is_made() {
    let (_directory, store) = kept().await;
    let lesser = credential(ISSUER, "/oauth/token", None, NOW - 1.0);
    store.save_despite_downgrade(&lesser).await.expect("stored");
    let found = store.load().await.expect("read").expect("stored");
    assert!(!found.is_refreshable());
    // And it can be corrected without confirmation.
    store.save(&credential(ISSUER, "/oauth/token", Some("rt-new"), NOW)).await.expect("stored");
    assert_eq!(mode(&store.file()), 0o600);
    // But not in the place of another credential, nor of a newer version.
    let other = credential("https://evil.example", "/oauth/token", Some("rt-new"), NOW);
    assert!(store.save_despite_downgrade(&other).await.unwrap_err().is_invalid_argument());
    edited(&store, |value| value["schema"] = json!(2));
    let error = store.save_despite_downgrade(&lesser).await.unwrap_err();
    assert_eq!(error.code(), Some("older_schema"));
    // A removed credential is gone, so nothing is replaced.
    store.remove().await.expect("removed");
    store.save(&lesser).await.expect("stored");
}

/// Fields of a file that this version does not know survive a rotation.
#[tokio::test]
async fn unknown_fields_outlive_a_rotation() {
    let Some(ground) = crate::Ground::new(&json!({})) else { return };
    ground.login().await;
    edited(&ground.store(), |value| value["later"] = json!({"kept": [1, 2.5]}));
    ground.rotating().build().rotate().await.expect("a rotation");
    let value: Value = serde_json::from_slice(&ground.bytes()).expect("JSON");
    assert_eq!(value["later"], json!({"kept": [1, 2.5]}));
    ground.assert_family_alive();
}

#[tokio::test]
async fn a_keyring_keeps_the_tokens_out_of_the_file() {
    let Some(ground) = crate::Ground::new(&json!({})) else { return };
    let first = ground.login_long_ago().await;
    let keyring = Keyring::default();
    let store = ground.store().vault(keyring.clone());
    let rotating = RotatingCredential::builder(store.clone()).build();
    rotating.token().await.expect("a token");
    let file = String::from_utf8(ground.bytes()).expect("text");
    assert!(file.contains("keyring") && !file.contains("token\""), "{file}");
    let kept = store.load().await.expect("read").expect("kept");
    assert_ne!(crate::secret(&kept), crate::secret(&first));
    assert!(ground.provider.is_good(&crate::secret(&kept)));
    rotating.rotate().await.expect("a rotation");
    assert_eq!(ground.provider.count("presented_twice"), 0);

    // A keyring that does not work is an error, and no file is written instead.
    keyring.break_it();
    let requests = ground.provider.count("token_requests");
    let error = rotating.rotate().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CredentialStore, Some("vault")), "{error:?}");
    assert_eq!(ground.provider.count("token_requests"), requests);
    assert_eq!(String::from_utf8(ground.bytes()).expect("text"), file);
}

/// A keyring in memory.
#[derive(Debug, Clone, Default)]
struct Keyring(Arc<Mutex<(HashMap<String, String>, bool)>>);

impl Keyring {
    fn break_it(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, String>) -> T) -> io::Result<T> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.1 { Err(io::Error::other("the keyring is locked")) } else { Ok(work(&mut inner.0)) }
    }
}

impl Vault for Keyring {
    fn keeping(&self) -> Keeping {
        Keeping::Keyring
    }

    fn read(&self, name: &str) -> io::Result<Option<SecretString>> {
        self.with(|map| map.get(name).map(|text| text.clone().into()))
    }

    fn write(&self, name: &str, document: &SecretString) -> io::Result<()> {
        self.with(|map| _ = map.insert(name.to_owned(), document.expose_secret().to_owned()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.with(|map| _ = map.remove(name))
    }
}

/// A file system that does not keep modes, like many mounts: every new file is open to all.
#[derive(Debug)]
struct Modeless;

impl Disk for Modeless {
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
        Real.open(path, access)
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        let (path, _) = Real.create_temporary(directory, prefix)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
        let file = Real.open(&path, Access::LockIfThere)?;
        Ok((path, file))
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

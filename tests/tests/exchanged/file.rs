//! The file of an exchanged token: its name, content, mode and removal.

use std::{fs, time::SystemTime};

use colony_core::{openid::exchanged, token::cache_path};
use colony_tests::site::{Answer, EXCHANGE};
use serde_json::{Value, json};

use crate::place::{APP, KEY, Place, exchange};

#[tokio::test]
async fn it_is_private_and_says_whose_it_is() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    let file: Value = serde_json::from_slice(&fs::read(place.file()).expect("a file")).expect("JSON");
    let login = cache_path::fingerprint(&place.site.base_url(), KEY);
    assert_eq!(
        (file["v"].as_u64(), file["kind"].as_str(), file["login"].as_str()),
        (Some(1), Some("exchanged_token"), Some(&*login))
    );
    assert_eq!(
        (file["audience"].as_str(), file["requested_scope"].as_str()),
        (Some(APP), Some("openid profile"))
    );
    assert!(!file.to_string().contains(KEY));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for entry in fs::read_dir(place.directory.path()).expect("a directory") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("its metadata").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{entry:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_a_good_file_is_a_miss() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    let good: Value = serde_json::from_slice(&fs::read(place.file()).expect("a file")).expect("JSON");
    let changed = |name: &str, value: Value| {
        let mut file = good.clone();
        file[name] = value;
        file.to_string()
    };
    let now = place.clock.unix();
    let bad = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        // A login's file, under this name.
        json!({"v": 1, "token": "eyJ.a.b", "expiry": now + 900.0}).to_string(),
        changed("v", json!(2)),
        changed("kind", json!("something")),
        changed("login", json!("0123456789abcdef")),
        changed("audience", json!("colony_evil")),
        changed("requested_scope", json!("openid")),
        changed("access_token", json!("")),
        changed("access_token", json!("two words")),
        changed("id_token", json!("line\r\nbreak")),
        changed("expiry", json!("soon")),
        changed("expiry", json!(now + 1e6)),
        changed("expiry", json!(now - 1.0)),
        changed("at", json!(now + 3_600.0)),
        " ".repeat(70_000),
    ];
    let rounds = bad.len() as u64;
    for (round, text) in bad.into_iter().enumerate() {
        fs::write(place.file(), &text).expect("written");
        exchange(&place.client()).await.unwrap_or_else(|error| panic!("{text:.80}: {error}"));
        assert_eq!(place.site.count(EXCHANGE), round as u64 + 2, "{text:.80}");
    }
    // And unchanged it is a hit.
    fs::write(place.file(), good.to_string()).expect("written");
    exchange(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), rounds + 1);
}

#[tokio::test]
async fn an_id_token_in_a_file_does_not_outlive_what_it_says_itself() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    let mut file: Value = serde_json::from_slice(&fs::read(place.file()).expect("a file")).expect("JSON");
    file["id_expiry"] = json!(place.clock.unix() + 900.0);
    fs::write(place.file(), file.to_string()).expect("written");
    place.clock.jump(280.0);
    crate::place::identity(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_open_to_others_or_a_link_is_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    let file = place.file();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("opened");
    exchange(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 2);
    let aside = place.directory.path().join("aside");
    fs::rename(&file, &aside).expect("moved");
    std::os::unix::fs::symlink(&aside, &file).expect("a link");
    exchange(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 3);
}

#[tokio::test]
async fn lists_and_clears_know_it() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    place.client().auth().audience("colony_other").token().await.expect("a token");
    let directory = place.directory.path();
    let login = cache_path::fingerprint(&place.site.base_url(), KEY);
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs_f64(place.clock.unix());
    let listed = colony_async::cached_tokens(directory, None, now).expect("a list");
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|token| token.is_fresh && token.problem.is_none()), "{listed:?}");
    let found = listed.iter().find(|token| token.audience.as_deref() == Some(APP)).expect("the app's");
    assert_eq!(found.scope.as_deref(), Some("openid profile"));
    assert!(found.fingerprint.starts_with(exchanged::PREFIX));
    assert_eq!(found.file, directory.join(format!("{}.json", found.fingerprint)));
    // One alone.
    assert_eq!(colony_async::clear_cached_tokens(directory, Some(&found.fingerprint)).expect("cleared"), 1);
    assert_eq!(place.files(".json").len(), 2);
    // Another account's file stays after a logout.
    let other = colony_async::Client::builder("col_another_key")
        .base_url(place.site.base_url())
        .token_cache_dir(directory)
        .timer(place.clock.clone())
        .build()
        .expect("a client");
    exchange(&other).await.expect("a token");
    assert_eq!(colony_async::clear_cached_tokens(directory, Some(&login)).expect("cleared"), 2);
    assert_eq!(place.files(".json").len(), 2);
    // All files except locks.
    let locks = place.files(".lock").len();
    assert_eq!(colony_async::clear_cached_tokens(directory, None).expect("cleared"), 2);
    assert!(place.files(".json").is_empty());
    assert_eq!(place.files(".lock").len(), locks);
}

#[tokio::test]
async fn it_goes_when_the_key_is_replaced() {
    let place = Place::standing();
    let client = place.client();
    exchange(&client).await.expect("a token");
    place
        .site
        .otherwise("/api/v1/auth/rotate-key", Answer::Json(200, json!({"api_key": "col_planted_new_key"})));
    client.auth().rotate_key().await.expect("a key");
    assert!(place.files(".json").is_empty());
    exchange(&client).await.expect("a token");
    assert_eq!(place.site.counts(), (2, 1, 2), "with a login of the new key");
    let login = cache_path::fingerprint(&place.site.base_url(), "col_planted_new_key");
    let file: Value = serde_json::from_slice(&fs::read(place.file()).expect("a file")).expect("JSON");
    assert_eq!(file["login"].as_str(), Some(&*login));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_to_costs_exchanges_and_no_call() {
    let place = Place::standing();
    let blocked = place.directory.path().join("file");
    fs::write(&blocked, "").expect("written");
    let client = || place.builder().token_cache_dir(&blocked).build().expect("a client");
    for round in 1..=2 {
        exchange(&client()).await.expect("a token");
        assert_eq!(place.site.count(EXCHANGE), round);
    }
}

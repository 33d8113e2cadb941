//! Clients of a played service, on a disk with faults.

use std::{path::Path, time::SystemTime};

use colony_async::{Client, RetryPolicy};
use colony_core::token::cache_path;
use colony_tests::{failing::Failing, played::Played};

const KEY: &str = "col_planted_key_0123456789";
const BASE: &str = "http://127.0.0.1:9/api/v1";

pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

pub(crate) fn fingerprint() -> String {
    cache_path::fingerprint(BASE, KEY)
}

pub(crate) fn client(service: &Played, directory: &Path, disk: Option<&Failing>) -> Client {
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

//! A corpus of damaged cache files, given to both clients: each is a miss, which costs one login. The call succeeds,
//! the file's content is not sent, and a valid file replaces it.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use colony_async::api::account::GetMe;
use colony_core::token::{cache_path, envelope::Envelope};
use colony_tests::{clock::Clock, service::Service};

const KEY: &str = "col_planted_key_0123456789";
/// The time of the Python package's recordings.
const NOW: f64 = 1_790_000_000.25;
const GOOD: &str = r#"{"v": 1, "token": "eyJ.open.token", "expiry": 1790003600.25}"#;

/// Returns the recorded files that the Python package misses, or fails on.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let rows = colony_tests::json_file("token_cache.json");
    let rows = rows["reading"].as_array().expect("rows").iter().filter(|row| row["hit"] != true);
    rows.filter_map(|row| {
        let bytes = match (row["text"].as_str(), row["bytes_base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64).expect("base64"),
            (None, None) => return None,
        };
        Some((format!("recorded {}", row["id"]), bytes))
    })
    .collect()
}

/// Returns a file with this token and expiry.
fn saying(token: &str, expiry: &str) -> Vec<u8> {
    format!(r#"{{"v": 1, "token": {token}, "expiry": {expiry}}}"#).into_bytes()
}

fn spoilt() -> Vec<(String, Vec<u8>)> {
    let good = GOOD.as_bytes();
    let utf16 = |order: fn(u16) -> [u8; 2]| {
        "\u{feff}".encode_utf16().chain(GOOD.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
    };
    let token = r#""eyJ.open.token""#;
    let ahead = "1790003600.25";
    let padded = |length: usize| {
        let mut file = good.to_vec();
        file.resize(length, b' ');
        file
    };
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("a line's end", b"\n".to_vec()),
        ("zeros, as a crash leaves them", vec![0; good.len()]),
        ("good, then zeros", [good, &[0; 100]].concat()),
        ("zeros, then good", [&[0; 100], good].concat()),
        ("good twice", [good, good].concat()),
        ("good, and the tail of a longer one", [good, &good[40..]].concat()),
        ("the head of one and the tail of another", [&good[..30], &good[10..]].concat()),
        ("a byte order mark", ["\u{feff}".as_bytes(), good].concat()),
        ("UTF-16, little end first", utf16(u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(u16::to_be_bytes)),
        ("bytes that are no text", vec![0xff; 64]),
        ("an overlong zero", saying("\"a\u{fffd}b\"", ahead).iter().map(|byte| byte | 0x80).collect()),
        (
            "a raw surrogate",
            [br#"{"v": 1, "token": ""#.as_slice(), &[0xed, 0xa0, 0x80], &good[33..]].concat(),
        ),
        ("compressed", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56]),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("a page", b"<!doctype html><title>502 Bad Gateway</title>".to_vec()),
        ("a private key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n".to_vec()),
        ("a token alone", b"eyJ.open.token".to_vec()),
        ("single quotes", GOOD.replace('"', "'").into_bytes()),
        ("a comma too many", GOOD.replace('}', ",}").into_bytes()),
        ("a comment", format!("// mine\n{GOOD}").into_bytes()),
        ("two lines of JSON", format!("{GOOD}\n{GOOD}").into_bytes()),
        ("brackets without an end", b"[".repeat(60_000)),
        ("objects without an end", br#"{"a":"#.repeat(10_000)),
        ("brackets in an unknown field", saying(token, &format!("{ahead}, \"x\": {}", "[".repeat(5_000)))),
        ("a byte more than is read", padded(64 * 1024 + 1)),
        ("a megabyte", padded(1024 * 1024)),
        ("a token of 70,000 characters", saying(&format!("\"{}\"", "a".repeat(70_000)), ahead)),
        ("nothing but braces", b"{}".to_vec()),
        ("a list", format!("[{GOOD}]").into_bytes()),
        ("null", b"null".to_vec()),
        ("a text", b"\"eyJ.open.token\"".to_vec()),
        ("a number", b"1790003600.25".to_vec()),
        ("no token", format!(r#"{{"v": 1, "expiry": {ahead}}}"#).into_bytes()),
        ("no expiry", format!(r#"{{"v": 1, "token": {token}}}"#).into_bytes()),
        ("other names", GOOD.replace("token\"", "Token\"").into_bytes()),
        ("a later version", GOOD.replace("\"v\": 1", "\"v\": 2").into_bytes()),
        ("a much later version", GOOD.replace("\"v\": 1", "\"v\": 1e300").into_bytes()),
        ("an empty token", saying("\"\"", ahead)),
        ("a token that is null", saying("null", ahead)),
        ("a token that is a number", saying("5", ahead)),
        ("a token that is true", saying("true", ahead)),
        ("a token that is a list", saying("[\"a\"]", ahead)),
        ("a token that is an object", saying("{\"a\": \"b\"}", ahead)),
        ("a token with a line's end", saying("\"eyJ.open.token\\n\"", ahead)),
        ("a token with a header", saying("\"a\\r\\nX-Evil: 1\"", ahead)),
        ("a token with a zero", saying("\"a\\u0000b\"", ahead)),
        ("a token with a space", saying("\"a b\"", ahead)),
        ("a token beyond ASCII", saying("\"eyJ.öpen.token\"", ahead)),
        ("half a surrogate pair", saying("\"a\\ud800\"", ahead)),
        ("the last token counts, and is bad", saying(&format!("{token}, \"token\": null"), ahead)),
        ("an expiry that is null", saying(token, "null")),
        ("an expiry that is a list", saying(token, "[1790003600.25]")),
        ("an expiry in words", saying(token, "\"soon\"")),
        ("an empty expiry", saying(token, "\"\"")),
        ("an expiry that is not a number", saying(token, "NaN")),
        ("the same in words", saying(token, "\"nan\"")),
        ("an expiry without end", saying(token, "Infinity")),
        ("the same in words again", saying(token, "\"inf\"")),
        ("an expiry too large for a number", saying(token, "1e400")),
        ("an expiry in milliseconds", saying(token, "1790003600250")),
        ("an expiry of the year 11000", saying(token, "285000000000")),
        ("an expiry before 1970", saying(token, "-1790003600.25")),
        ("an expiry of zero", saying(token, "0")),
        ("expired", saying(token, "1789999999")),
        ("a minute left", saying(token, "1790000060.25")),
        ("hexadecimal", saying(token, "0x6AB1C4B0")),
        ("two points", saying(token, "1790003600.25.1")),
    ];
    files.into_iter().map(|(what, file)| (what.to_owned(), file)).collect()
}

/// Returns every prefix of a valid file.
fn cut() -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..GOOD.len()).map(|length| (format!("cut after {length} bytes"), GOOD.as_bytes()[..length].to_vec()))
}

struct Scene {
    service: Service,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn set() -> Self {
        let clock = Clock::standing();
        clock.set(NOW);
        let seen = clock.clone();
        let service = Service::start(move || seen.unix()).expect("a service");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { service, clock, runtime }
    }

    /// Returns the cache file in this directory.
    fn file(&self, directory: &Path) -> std::path::PathBuf {
        directory.join(cache_path::file_name(&self.service.base_url(), KEY))
    }

    /// Writes this file into the cache and makes a call. Returns the numbers of logins and of calls with a refused
    /// token.
    fn call(&self, file: &[u8], blocking: bool) -> Result<(u64, u64), String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = self.file(directory.path());
        write_private(&path, file);
        let before = self.service.counts();
        let outcome = if blocking {
            let client = colony_blocking::Client::builder(KEY)
                .base_url(self.service.base_url())
                .token_cache_dir(directory.path())
                .timer(self.clock.clone())
                .build();
            client.and_then(|client| client.execute_json(GetMe::default())).map(drop)
        } else {
            let client = colony_async::Client::builder(KEY)
                .base_url(self.service.base_url())
                .token_cache_dir(directory.path())
                .timer(self.clock.clone())
                .build();
            self.runtime.block_on(async { client?.execute_json(GetMe::default()).await }).map(drop)
        };
        outcome.map_err(|error| error.to_string())?;
        let left = fs::read(&path).map_err(|error| error.to_string())?;
        Envelope::read(&left).map_err(|error| format!("what is left: {error}"))?;
        let after = self.service.counts();
        Ok((after.logins - before.logins, after.rejected - before.rejected))
    }
}

fn write_private(path: &Path, content: &[u8]) {
    fs::write(path, content).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
    }
}

#[test]
fn every_spoilt_file_is_a_miss_and_nothing_worse() {
    let scene = Scene::set();
    // The server does not know the token in these files, so it reveals a client that uses it.
    for blocking in [false, true] {
        assert_eq!(scene.call(GOOD.as_bytes(), blocking), Ok((1, 1)), "a good file is read, and sent");
    }
    let corpus: Vec<_> = spoilt().into_iter().chain(recorded()).collect();
    let named = corpus.len();
    assert!(named >= 40, "only {named} files");
    let mut wrong = Vec::new();
    for (index, (what, file)) in corpus.into_iter().chain(cut()).enumerate() {
        for blocking in [false, true] {
            // Every file with both clients; the cut ones with each in turn.
            if index >= named && (index % 2 == 1) != blocking {
                continue;
            }
            let outcome = scene.call(&file, blocking);
            if outcome != Ok((1, 0)) {
                wrong.push(format!("{what} (blocking: {blocking}): {outcome:?}"));
            }
        }
    }
    println!("{named} spoilt files and {} cut ones: each a miss", cut().count());
    assert!(wrong.is_empty(), "logins and refused calls, not (1, 0):\n{}", wrong.join("\n"));
}

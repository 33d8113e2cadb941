//! The cache file's name and bytes against those that Python itself writes.

use std::{
    io::{ErrorKind, Write as _},
    process::{Command, Stdio},
};

use colony_core::token::{
    cache_path::{file_name, normalise_base_url},
    envelope::Envelope,
};
use colony_tests::soundness;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{cases, config, holds, text};

/// How many cases one Python process is given.
const BATCH: usize = 20_000;

/// A date that is too far ahead to be accepted: the end of the year 9999.
const END_OF_TIME: f64 = 253_402_300_799.0;

#[derive(Debug, Clone)]
struct Case {
    base_url: String,
    api_key: String,
    token: String,
    expiry: f64,
}

fn case() -> impl Strategy<Value = Case> {
    (base_url(), api_key(), token(), expiry()).prop_map(|(base_url, api_key, token, expiry)| Case {
        base_url,
        api_key,
        token,
        expiry,
    })
}

fn base_url() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "https?://[a-z0-9.-]{1,20}(:[0-9]{1,5})?(/[a-z0-9%._~-]{0,8}){0,4}/{0,3}",
        1 => text(),
    ]
}

fn api_key() -> impl Strategy<Value = String> {
    prop_oneof![3 => "col_(v2_)?[A-Za-z0-9_-]{1,60}", 1 => text()]
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_-]{2,60}\\.[A-Za-z0-9_-]{2,160}\\.[A-Za-z0-9_-]{2,90}",
        2 => "[!-~]{1,40}",
        // Any text but the empty one, which is not written.
        2 => text().prop_map(|text| text + "x"),
    ]
}

fn expiry() -> impl Strategy<Value = f64> {
    // Seconds and microseconds, as `time.time() + 82800` gives them.
    let realistic = (1_500_000_000_u64..2_500_000_000, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| seconds as f64 + f64::from(nanos) / 1e9 + 82_800.0);
    let whole = (0..4_000_000_000_u64).prop_map(|seconds| seconds as f64);
    let powers = (-330..310_i32, -3..4_i8, proptest::bool::ANY).prop_map(|(power, steps, negative)| {
        let mut number: f64 = format!("1e{power}").parse().expect("a number");
        for _ in 0..steps.unsigned_abs() {
            number = if steps < 0 { number.next_down() } else { number.next_up() };
        }
        if negative { -number } else { number }
    });
    // Numbers exactly between two texts, and those with unequal distances to their neighbours.
    let between =
        (0..(1_u64 << 53), 0..6_u8).prop_map(|(number, halvings)| number as f64 / f64::from(1 << halvings));
    let twos = (-1074..1024_i32).prop_map(|power| 2_f64.powi(power));
    let any = proptest::num::u64::ANY.prop_map(f64::from_bits);
    prop_oneof![4 => realistic, 1 => whole, 1 => powers, 1 => between, 1 => twos, 2 => any]
        .prop_filter("finite", |x| x.is_finite())
}

/// Generates `count` random cases.
fn draw(runner: &mut TestRunner, count: usize) -> Vec<Case> {
    let strategy = case();
    (0..count).map(|_| strategy.new_tree(runner).expect("a case").current()).collect()
}

/// Asks one Python process for the names and texts of these; `None` without Python.
fn ask_python(cases: &[Case]) -> Option<Vec<(String, String)>> {
    let mut python = match Command::new("python3")
        .args(["-c", include_str!("as_python.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    {
        Ok(python) => python,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("python3: {error}"),
    };
    let lines: String = cases
        .iter()
        .map(|case| {
            let bits = format!("{:016x}", case.expiry.to_bits());
            format!("{}\n", json!([case.base_url, case.api_key, case.token, bits]))
        })
        .collect();
    let mut to = python.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || to.write_all(lines.as_bytes()));
    let output = python.wait_with_output().expect("python3");
    writer.join().expect("a thread").expect("python3 reads all");
    assert!(output.status.success(), "python3 ended with {}", output.status);
    let answers: Vec<(String, String)> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a pair"))
        .collect();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}

/// Returns whether the written file can be read again: a token that a header can carry, and a valid moment.
fn is_usable(case: &Case) -> bool {
    case.token.bytes().all(|byte| byte.is_ascii_graphic()) && case.expiry <= END_OF_TIME
}

#[test]
fn names_and_bytes_are_those_of_python() {
    let mut runner = TestRunner::new(config());
    let mut left = cases() as usize;
    let mut read_again = 0;
    while left > 0 {
        let drawn = draw(&mut runner, left.min(BATCH));
        left -= drawn.len();
        let Some(answers) = ask_python(&drawn) else {
            println!("NOT TRIED: what needs python3");
            return;
        };
        for (case, (name, theirs)) in drawn.iter().zip(answers) {
            assert_eq!(file_name(normalise_base_url(&case.base_url), &case.api_key), name, "{case:?}");
            let envelope = Envelope { token: case.token.clone().into(), expiry: case.expiry };
            let ours = envelope.write().unwrap_or_else(|error| panic!("{error}: {case:?}"));
            assert_eq!(ours, theirs, "{case:?}");
            // And back: a file that is read and written again is unchanged.
            match Envelope::read(theirs.as_bytes()) {
                Ok(read) => {
                    assert!(is_usable(case), "{case:?} was taken");
                    assert_eq!(read.token.expose_secret(), case.token);
                    assert_eq!(read.expiry.to_bits(), case.expiry.to_bits(), "{case:?}");
                    assert_eq!(read.write().as_deref(), Ok(&*theirs), "{case:?}");
                    read_again += 1;
                }
                Err(reason) => assert!(!is_usable(case), "{reason}: {case:?}"),
            }
        }
    }
    println!("names and bytes are those of python3: {} cases, {read_again} read and written again", cases());
    assert!(read_again * 2 > cases(), "only {read_again} of {} cases could be read", cases());
}

#[test]
fn recorded_names_are_ours() {
    let recorded = colony_tests::json_file("token_cache.json");
    let text = |row: &Value, key: &str| row[key].as_str().expect(key).to_owned();
    let mut names = 0;
    for row in recorded["filenames"]["function_of_pair"].as_array().expect("rows") {
        assert_eq!(file_name(&text(row, "base_url"), &text(row, "api_key")), text(row, "filename"));
        names += 1;
    }
    for row in recorded["filenames"]["through_client"].as_array().expect("rows") {
        let base_url = text(row, "client_base_url");
        let name = file_name(normalise_base_url(&base_url), &text(row, "api_key"));
        assert_eq!(name, text(row, "filename"));
        names += 1;
    }
    assert!(names >= 11, "{names}");
}

#[test]
fn reading_takes_whatever_bytes_there_are() {
    holds("a cache file of any bytes", crate::bytes(), |bytes| soundness::envelope(&bytes));
}

#[test]
fn reading_takes_whatever_an_object_says() {
    let spaces = || "[ \\t\\r\\n]{0,3}";
    let number = prop_oneof![
        "-?[0-9]{1,12}(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
        "NaN|-?Infinity|1e999|-1e999",
        "\"[ _0-9.e+-]{0,16}\"",
        crate::json().prop_map(|value| value.to_string()),
    ];
    let token = prop_oneof![
        3 => token().prop_map(|token| json!(token).to_string()),
        1 => crate::json().prop_map(|value| value.to_string()),
    ];
    let file = (spaces(), number, spaces(), token, proptest::num::u8::ANY, crate::json()).prop_map(
        |(before, expiry, between, token, order, other)| {
            let mut fields = [
                format!("\"v\":{between}{}", if order < 200 { "1" } else { "2.0" }),
                format!("\"token\"{before}: {token}"),
                format!("{between}\"expiry\": {expiry}"),
                format!("\"other\": {other}"),
            ];
            fields.rotate_left(usize::from(order % 4));
            format!("{before}{{{}}}{between}", fields.join(","))
        },
    );
    holds("a cache file that is nearly right", file, |file| soundness::envelope(file.as_bytes()));
}

//! Properties that hold for any file, header, reply or user input, checked with random values, which are shrunk to
//! the smallest that fails.
//!
//! `PROPTEST_CASES=100000 cargo test -p colony-tests --test properties` is the long form; without the
//! variable each property is tried with [`SHORT`] values. `PROPTEST_RNG_SEED` repeats a run.

#![allow(missing_docs, clippy::print_stdout)]

mod addresses;
mod bad_files;
mod deliveries;
mod error_replies;
mod python_file;
mod recorded_replies;
mod timestamps;
mod token_rules;

use proptest::{
    strategy::{Just, Strategy},
    test_runner::{Config, TestRunner},
};

/// How many values a property is tried with, unless `PROPTEST_CASES` sets another number.
const SHORT: u32 = 4_000;

/// Returns how many values each property is tried with.
fn cases() -> u32 {
    config().cases
}

fn config() -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SHORT;
    }
    config
}

/// Checks that a property holds for the values of a strategy, that is, does not panic.
#[track_caller]
fn holds<S: Strategy>(what: &str, values: S, property: impl Fn(S::Value)) {
    holds_for(cases(), what, values, property);
}

/// Does the same as [`holds`], with `cases` values, for slower properties.
#[track_caller]
fn holds_for<S: Strategy>(cases: u32, what: &str, values: S, property: impl Fn(S::Value)) {
    let mut runner = TestRunner::new(Config { cases, ..config() });
    let tried = runner.run(&values, |value| {
        property(value);
        Ok(())
    });
    match tried {
        Ok(()) => println!("{what}: held for {cases} values"),
        Err(found) => panic!("{what}: {found}"),
    }
}

/// Generates any text, mostly short, with an excess of characters that often break parsers.
fn text() -> impl Strategy<Value = String> {
    let awkward = proptest::sample::select(vec![
        "",
        " ",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "\u{1f600}",
        "\u{10ffff}",
        "\u{1c}",
        "\\",
        "\"",
        "'",
        "/",
        "//",
        ".",
        "..",
        "%",
        "%2e",
        "%2F",
        "?",
        "#",
        "@",
        ":",
        "|",
        "{",
        "}",
        "[",
        "]",
        "+",
        "-",
        "_",
        "&",
        "=",
        ",",
        ";",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "null",
        "0",
        "-0",
        "1_0",
        "٣",
        "ß",
        "ſ",
        "İ",
        "col_planted",
        "eyJ0",
    ]);
    let pieces = proptest::collection::vec(
        proptest::prop_oneof![
            3 => awkward.prop_map(str::to_owned),
            2 => proptest::collection::vec(proptest::char::any(), 0..6).prop_map(String::from_iter),
            2 => "[ -~]{0,12}",
        ],
        0..6,
    );
    pieces.prop_map(|pieces| pieces.concat())
}

/// Generates any bytes: noise, text, or text that was cut or had a byte changed.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::prop_oneof![
        proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        text().prop_map(String::into_bytes),
        json().prop_map(|value| value.to_string().into_bytes()).prop_flat_map(damaged),
    ]
}

/// Generates these bytes unchanged, cut off, with one of them changed, or with some of them twice.
fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = bytes.len();
    (Just(bytes), 0..4_u8, 0..=length, 0..=length, proptest::num::u8::ANY).prop_map(
        |(mut bytes, damage, one, other, byte)| {
            match damage {
                0 => {}
                1 => bytes.truncate(one),
                2 => {
                    if let Some(place) = bytes.get_mut(one) {
                        *place = byte;
                    }
                }
                _ => {
                    let (from, to) = (one.min(other), one.max(other));
                    let again = bytes[from..to].to_vec();
                    bytes.extend(again);
                }
            }
            bytes
        },
    )
}

/// Generates any JSON value, a few levels deep, with an excess of names that replies have.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = proptest::prop_oneof![
        Just(Value::Null),
        proptest::bool::ANY.prop_map(Value::from),
        proptest::num::i64::ANY.prop_map(Value::from),
        proptest::num::u64::ANY.prop_map(Value::from),
        proptest::num::f64::ANY.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Generates a field's name: one that the service uses, or any text.
fn name() -> impl Strategy<Value = String> {
    let used = [
        "detail",
        "error",
        "error_description",
        "code",
        "message",
        "msg",
        "loc",
        "type",
        "items",
        "total",
        "has_more",
        "next_cursor",
        "id",
        "v",
        "token",
        "expiry",
        "exp",
        "iat",
        "kind",
        "at",
        "until",
        "status",
        "access_token",
        "post_id",
        "author",
        "event",
        "actor",
        "extra",
        "fields",
        "count",
        "created_at",
    ];
    proptest::prop_oneof![
        4 => proptest::sample::select(used.to_vec()).prop_map(str::to_owned),
        1 => text(),
    ]
}

//! Words find operations, and schemas match what operations accept: M4 and M5.

use colony_core::registry::{self, Access};
use serde_json::{Map, Value, json};

use crate::{
    bench::Bench,
    length,
    talk::{Talk, operations},
    told,
};

fn everything(more: &'static str) -> Vec<String> {
    let groups =
        registry::groups().iter().flat_map(|group| ["--allow".to_owned(), format!("group:{}", group.name)]);
    groups.chain([more.to_owned()]).collect()
}

#[test]
fn m4_words_find_the_operation() {
    let bench = Bench::new();
    let flags = everything("--write");
    let mut talk = Talk::start(&bench, &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut first, mut among, mut count) = (0, 0, 0);
    let mut missed = Vec::new();
    for line in include_str!("questions.txt").lines() {
        let (question, wanted) = line.split_once(" = ").expect("a question and its answer");
        let wanted: Vec<&str> = wanted.split('|').collect();
        for name in &wanted {
            assert!(registry::find(name).is_some(), "{name}");
        }
        let found = talk.ok("find_operation", json!({"words": question}));
        let found: Vec<&str> = found["operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["operation"].as_str().unwrap().split('(').next().unwrap())
            .collect();
        count += 1;
        first += usize::from(found.first().is_some_and(|name| wanted.contains(name)));
        let is_among = found.iter().take(5).any(|name| wanted.contains(name));
        among += usize::from(is_among);
        if !found.first().is_some_and(|name| wanted.contains(name)) {
            missed.push(format!("{question}: {found:?}{}", if is_among { "" } else { "  (not among five)" }));
        }
    }
    assert!(count >= 120, "{count}");
    assert!(
        among * 100 >= count * 95 && first * 100 >= count * 75,
        "{among} and {first} of {count}\n{}",
        missed.join("\n")
    );
    told("M4", format_args!("{count} questions: {first} first, {among} among the first five"));
}

/// Returns a value that a schema accepts, and some that it refuses.
fn draw(schema: &Value, turn: u64) -> (Value, Vec<Value>) {
    let wrong = |good: &[&str]| {
        let all = [
            ("string", json!("text")),
            ("integer", json!(7)),
            ("boolean", json!(true)),
            ("object", json!({"a": 1})),
            ("array", json!([1])),
        ];
        all.into_iter().filter(|(kind, _)| !good.contains(kind)).map(|(_, value)| value).collect::<Vec<_>>()
    };
    if let Some(words) = schema["enum"].as_array() {
        return (words[turn as usize % words.len()].clone(), vec![json!("no such word"), json!(99)]);
    }
    match schema["type"].as_str() {
        // A number or a boolean is accepted as text, as the Python package does.
        Some("string") => (text_of(turn), wrong(&["string", "integer", "boolean"])),
        Some("integer") => {
            let least = schema["minimum"].as_i64().unwrap_or(1);
            let most = schema["maximum"].as_i64().unwrap_or(least + 20);
            (json!(least + turn as i64 % (most - least + 1)), wrong(&["integer"]))
        }
        Some("number") => (json!(0.5 + (turn % 7) as f64 / 10.0), wrong(&["integer"])),
        Some("boolean") => (json!(turn.is_multiple_of(2)), wrong(&["boolean"])),
        Some("array") => {
            let items = (0..1 + turn % 2).map(|more| draw(&schema["items"], turn + more).0).collect();
            (Value::Array(items), wrong(&["array"]))
        }
        Some("object") if schema["properties"].is_object() => {
            (json!({"$bytes_base64": "aGVsbG8="}), wrong(&["object"]))
        }
        Some("object") => (json!({}), wrong(&["object"])),
        _ => (json!([turn]), Vec::new()),
    }
}

/// Returns an id or words: a text accepts either.
fn text_of(turn: u64) -> Value {
    ["abc", "some-words", "a-text"][turn as usize % 3].into()
}

/// Groups of arguments of which exactly one is given.
const ONE_OF: &[(&str, &[&str])] = &[
    ("suppress_suggestions", &["username", "user_id"]),
    ("get_user_comments", &["username", "user_id"]),
    ("iter_user_comments", &["username", "user_id"]),
    ("get_user_notarisations", &["username", "user_id"]),
    ("get_reaction_users", &["post_id", "comment_id"]),
    ("create_reminder", &["duration", "remind_at"]),
    // The alternative to this one requires a specific value of another argument.
    ("report_post", &["description"]),
    ("report_comment", &["description"]),
];

#[test]
fn m5_a_schema_is_what_the_operation_takes() {
    let bench = Bench::new();
    let flags = everything("--write");
    let mut talk = Talk::start(&bench, &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut taken, mut refused) = (0, 0);
    let mut problems = Vec::new();
    for docs in operations() {
        let operation = registry::find(&docs.name).unwrap();
        // These accept no generated arguments: the service does not have them, or a record must be complete.
        let takes_nothing = ["report_message", "report_user", "verify_notarisation"].contains(&&*docs.name);
        if operation.access() == Access::Secret || takes_nothing {
            continue;
        }
        let described = talk.ok("describe_operation", json!({"name": docs.name}));
        let schema = &described["arguments"];
        let properties = schema["properties"].as_object().unwrap();
        let required: Vec<&str> = schema["required"]
            .as_array()
            .map(|names| names.iter().map(|it| it.as_str().unwrap()).collect())
            .unwrap_or_default();
        assert_eq!(
            properties.keys().cloned().collect::<std::collections::BTreeSet<_>>(),
            operation.arguments().iter().map(|it| (*it).to_owned()).collect(),
            "{}",
            docs.name
        );
        for turn in 0..length(6, 40) as u64 {
            // Exactly one of some arguments is given.
            let is_other = |name: &str| docs.name.starts_with("report_") && name == "custom_reason";
            let others =
                ONE_OF.iter().find(|(name, _)| *name == docs.name).map_or(&[][..], |(_, names)| names);
            // Some of the optional arguments, a different choice each time.
            let chosen = properties
                .iter()
                .enumerate()
                .filter(|(_, (name, _))| !others.contains(&name.as_str()) && !is_other(name))
                .filter(|(at, (name, _))| required.contains(&name.as_str()) || (turn >> (at % 6)) & 1 == 1);
            let mut good: Map<String, Value> =
                chosen.map(|(at, (name, schema))| (name.clone(), draw(schema, turn + at as u64).0)).collect();
            if let Some(one) = others.get(turn as usize % others.len().max(1)) {
                good.insert((*one).to_owned(), draw(&properties[*one], turn).0);
            }
            match operation.prepare(Value::Object(good.clone())) {
                Ok(_) => taken += 1,
                Err(error) => {
                    problems.push(format!("{} refuses {}: {error}", docs.name, Value::Object(good.clone())));
                }
            }
            // With one thing wrong, it is refused.
            let mut bad: Vec<Map<String, Value>> = Vec::new();
            for (name, schema) in properties {
                for value in draw(schema, turn).1 {
                    let mut fields = good.clone();
                    fields.insert(name.clone(), value);
                    bad.push(fields);
                }
            }
            for name in &required {
                let mut fields = good.clone();
                fields.remove(*name);
                bad.push(fields);
            }
            if schema["additionalProperties"] == false {
                let mut fields = good.clone();
                fields.insert("no_such_argument".to_owned(), json!(1));
                bad.push(fields);
            }
            for fields in bad {
                match operation.prepare(Value::Object(fields.clone())) {
                    Ok(_) => problems.push(format!("{} takes {}", docs.name, Value::Object(fields))),
                    Err(_) => refused += 1,
                }
            }
            if turn > 0 && properties.is_empty() {
                break;
            }
        }
    }
    problems.sort();
    problems.dedup_by_key(|problem| problem.split(' ').take(2).collect::<Vec<_>>().join(" "));
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    told("M5", format_args!("every operation: {taken} drawn values taken, {refused} wrong ones refused"));
}

//! The short commands, and the selection of a reply's fields.

use serde_json::Value;

use crate::bench::{Bench, text};

#[test]
fn a_person_takes_part() {
    let bench = Bench::new();
    let created = bench.json(&[
        "--json",
        "posts",
        "create",
        "--title",
        "On tokens",
        "--body",
        "x",
        "--colony",
        "general",
    ]);
    let post = created["id"].as_str().unwrap();
    let comment = bench.json(&["--json", "comment", post, "Well found."]);
    let comment = comment["id"].as_str().unwrap();
    let reply = bench.json(&["--json", "reply", comment, "Thank you."]);
    assert_eq!(reply["parent_id"], comment);
    let others = bench.json(&["--json", "posts", "list"]);
    let me = bench.json(&["--json", "whoami"]);
    let other =
        others.as_array().unwrap().iter().find(|post| post["author"]["username"] != me["username"]).unwrap();
    let (other_post, author) = (other["id"].as_str().unwrap(), other["author"]["username"].as_str().unwrap());
    for arguments in [
        &["vote", other_post][..],
        &["vote", "--down", other_post],
        &["follow", author],
        &["follow", "--undo", author],
        &["users", "view", author],
        &["users"],
        &["users", "list", "agent"],
        &["colonies"],
        &["colonies", "list", "--mine"],
        &["colonies", "join", "findings"],
        &["colonies", "leave", "findings"],
        &["posts"],
        &["posts", "view", post],
        &["dm", author, "Hello"],
        &["dm", author],
        &["notifications", "--unread"],
        &["search", "on", "tokens"],
        &["limits"],
    ] {
        let output = bench.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        // Run again, except commands that work only once.
        if !["follow", "colonies", "vote"].contains(&arguments[0]) || arguments.len() < 2 {
            bench.json(&[&["--json"], arguments].concat());
        }
    }
    let view = text(&bench.run(&["posts", "view", post]).stdout);
    assert!(view.contains("Well found.") && view.contains(comment), "{view}");
}

#[test]
fn lists_say_where_they_are() {
    let bench = Bench::new();
    let ids = |arguments: &[&str]| -> Vec<String> {
        let listed = bench.json(&[&["--json", "posts", "list"], arguments].concat());
        listed.as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&["-n", "100"]);
    assert!(all.len() >= 6);
    assert_eq!(ids(&["-n", "2"]), all[..2]);
    assert_eq!(ids(&["-n", "2", "--page", "2"]), all[2..4]);
    assert_eq!(ids(&["-n", "2", "--offset", "3"]), all[3..5]);
    let said = |arguments: &[&str]| text(&bench.run(arguments).stderr);
    let first = said(&["posts", "list", "-n", "2"]);
    assert!(first.contains(&format!("posts 1 to 2 of {}; the next ones: --page 2", all.len())), "{first}");
    assert!(said(&["posts", "list", "-n", "2", "--offset", "2"]).contains("--offset 4"));
    assert!(!said(&["posts", "list", "-n", "100"]).contains("next"));
    assert!(said(&["posts", "list", "--tag", "no-such-tag"]).contains("no posts"));
    assert_eq!(said(&["--quiet", "posts", "list"]), "");
    let me = bench.sandbox.username();
    bench.json(&["--json", "posts", "create", "--title", "Mine", "--body", "x", "--colony", "general"]);
    let mine = bench.json(&["--json", "posts", "list", "--author", me]);
    assert!(!mine.as_array().unwrap().is_empty());
    assert!(mine.as_array().unwrap().iter().all(|post| post["author"]["username"] == me));
    for (arguments, said) in [
        (&["posts", "list", "--sort", "newst"][..], "newest"),
        (&["posts", "list", "--post-type", "findings"], "finding"),
        (&["posts", "list", "--page", "0"], "--page"),
        (&["posts", "list", "--page", "2", "--offset", "1"], "--offset"),
        (&["search"], "WORDS"),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
}

/// The JSON has the same shape with all options.
#[test]
fn json_has_one_shape() {
    let bench = Bench::new();
    let id = bench.json(&["--json", "posts", "list"])[0]["id"].as_str().unwrap().to_owned();
    let keys = |value: Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let with = keys(bench.json(&["--json", "posts", "view", &id]));
    assert_eq!(keys(bench.json(&["--json", "posts", "view", &id, "--no-comments"])), with);
    assert!(bench.json(&["--json", "posts", "list", "--tag", "no-such-tag"]).is_array());
    assert!(bench.json(&["--json", "notifications", "--mark-read"]).is_array());
}

#[test]
fn one_value_of_an_answer_is_printed() {
    let bench = Bench::new();
    let printed = |arguments: &[&str]| {
        let output = bench.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let me = bench.sandbox.username();
    assert_eq!(printed(&["--field", "username", "whoami"]), format!("{me}\n"));
    assert_eq!(printed(&["call", "get_me", "--field", "username"]), format!("{me}\n"));
    assert!(printed(&["api", "GET", "/users/me", "--field", "karma"]).trim().parse::<i64>().is_ok());
    assert_eq!(printed(&["posts", "list", "--field", "0.author.username"]).lines().count(), 1);
    assert!(printed(&["posts", "list", "--field", "0.author"]).starts_with('{'));
    let output = bench.run(&["--field", "no.such", "whoami"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(text(&output.stderr).contains("no.such"));
}

#[cfg(feature = "jq")]
#[test]
fn a_filter_works_on_the_answer() {
    let bench = Bench::new();
    let output = bench.run(&["posts", "list", "--jq", ".[] | .author.username"]);
    assert!(output.status.success() && text(&output.stdout).lines().count() >= 6);
    let output = bench.run(&["whoami", "--jq", "{username}"]);
    assert_eq!(text(&output.stdout), format!("{{\"username\":\"{}\"}}\n", bench.sandbox.username()));
    let sent = bench.sandbox.stats().routes.len();
    for (filter, code) in [(".[", 2), ("no_such_function", 2), (".username.x", 1)] {
        assert_eq!(bench.run(&["whoami", "--jq", filter]).status.code(), Some(code), "{filter}");
    }
    assert_eq!(bench.sandbox.stats().routes.len(), sent);
}

#[test]
fn settings_belong_to_the_profile() {
    let bench = Bench::new();
    let config = |arguments: &[&str]| {
        let mut command = crate::bench::colony(bench.cache.path());
        command.args([&["config"], arguments].concat()).output().unwrap()
    };
    assert_eq!(config(&["get", "base_url"]).status.code(), Some(1));
    assert!(config(&["set", "base_url", &bench.sandbox.base_url()]).status.success());
    assert_eq!(text(&config(&["get", "base_url"]).stdout).trim(), bench.sandbox.base_url());
    assert!(config(&["set", "output", "json"]).status.success());
    assert!(text(&config(&["list"]).stdout).starts_with('{'), "as the setting says");
    assert!(text(&config(&["path"]).stdout).contains("default.json"));
    for (arguments, said) in [
        (&["set", "output", "yaml"][..], "table or json"),
        (&["set", "base_url", "thecolony.ai"], "base_url"),
        (&["set", "base_url", "ftp://thecolony.ai"], "https://"),
        (&["set", "api_key", "col_x"], "base_url"),
    ] {
        let output = config(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
    assert!(bench.run(&["auth", "login"]).status.code() == Some(2), "nothing on stdin");
}

//! Text from people and files: arguments, files and stdin.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::bench::{Bench, colony, error_line, text};

/// Runs a command with this stdin.
fn pipe(command: &mut Command, stdin: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

/// Returns the arguments that publish a post, followed by these.
fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--json", "posts", "create", "--title", "A text", "--colony", "general"][..], more].concat()
}

#[test]
fn a_post_has_the_text_it_was_given() {
    let bench = Bench::new();
    let file = bench.cache.path().join("post.md");
    let name = file.to_str().unwrap();
    for (content, expected) in [
        (&b"one line\n"[..], "one line"),
        (b"\xef\xbb\xbftwo\r\nlines\r\n", "two\r\nlines"),
        (b"\xff\xfew\0i\0d\0e\0\n\0", "wide"),
        (b"  indented\n\n", "  indented"),
    ] {
        std::fs::write(&file, content).unwrap();
        assert_eq!(bench.json(&create(&["--body-file", name]))["body"], expected);
        let output = pipe(&mut bench.command(&create(&["--body-file", "-"])), content);
        let created: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(created["body"], expected);
        let output = pipe(&mut bench.command(&["--json", "dm", "sandbox-friend", "-"]), content);
        let sent: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if output.status.success() {
            assert_eq!(sent["body"], expected);
        }
    }
    for text in ["@ada hello", "@", "@nobody-has-this-file"] {
        assert_eq!(bench.json(&create(&["--body", text]))["body"], text);
    }
    let posts = bench.sandbox.stats().total("POST /posts");
    for (more, said) in [
        (&["--body-file", "/nowhere/post.md"][..], "/nowhere/post.md"),
        (&["--body", &format!("@{name}")], "--body-file"),
        (&["--body", "-"], "--body-file -"),
        (&["--body", " \n"], "empty"),
        (&["--body-file", "/dev/null"], "empty"),
        (&[], "--body"),
    ] {
        let (code, error) = bench.failure(&create(more));
        assert_eq!(code, 2, "{more:?}");
        assert!(error["message"].as_str().unwrap().contains(said), "{more:?}: {error}");
    }
    assert_eq!(bench.sandbox.stats().total("POST /posts"), posts, "nothing was sent");
}

#[test]
fn arguments_are_given_by_name() {
    let bench = Bench::new();
    let file = bench.cache.path().join("body.md");
    std::fs::write(&file, "\u{feff}from a file\n").unwrap();
    let at = format!("body=@{}", file.display());
    let dry = |arguments: &[&str]| bench.json(&[&["call", "--dry-run"], arguments].concat());
    let request = dry(&["create_post", "title=A=B", &at, "tags=one", "tags=two", "colony=general"]);
    assert_eq!(request["json"]["title"], "A=B");
    assert_eq!(request["json"]["body"], "from a file\n");
    assert_eq!(request["json"]["tags"], json!(["one", "two"]));
    let request = dry(&[
        "create_post",
        "title=@@ada",
        "body=true",
        "tags=[\"x\"]",
        "--args",
        "{\"colony\": \"general\"}",
    ]);
    assert_eq!((&request["json"]["title"], &request["json"]["body"]), (&json!("@ada"), &json!("true")));
    assert_eq!(
        dry(&["get_posts", "limit= 3 "])["query"],
        dry(&["get_posts", "--args", "{\"limit\": 3}"])["query"]
    );
    assert_eq!(dry(&["get_post", "post_id= p1\u{feff}"])["path"], "/posts/p1");
    let picture = bench.cache.path().join("me.png");
    std::fs::write(&picture, b"\x89PNG").unwrap();
    let given = format!("file_bytes=@{}", picture.display());
    let text = dry(&["upload_profile_avatar", &given]).to_string();
    assert!(text.contains("me.png") && text.contains("image/png"), "{text}");
    for (arguments, said) in [
        (&["get_posts", "limit"][..], "NAME=VALUE"),
        (&["get_posts", "limit=many"], "limit=many"),
        (&["get_posts", "limit=1", "limit=2"], "twice"),
        (&["get_posts", "limit=1", "--args", "{\"limit\": 2}"], "twice"),
        (&["get_posts", "limits=1"], "unknown field `limits`"),
        (&["get_post", "post_id=@/nowhere"], "@@"),
        (&["upload_profile_avatar", "file_bytes=abc"], "@FILE"),
        (&["get_post", "--args", "@/nowhere.json"], "/nowhere.json"),
    ] {
        let (code, error) = bench.failure(&[&["--json", "call"], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error["message"].as_str().unwrap().contains(said), "{arguments:?}: {error}");
    }
    // A byte order mark before JSON, and stdin only once.
    let output =
        pipe(&mut bench.command(&["call", "get_posts", "--args", "-"]), b"\xef\xbb\xbf{\"limit\": 1}\r\n");
    assert!(output.status.success(), "{}", text_of(&output));
    let twice = ["--json", "call", "create_post", "title=@-", "body=@-"];
    let output = pipe(&mut bench.command(&twice), b"text");
    assert_eq!(output.status.code(), Some(2));
    assert!(error_line(&output)["message"].as_str().unwrap().contains("stdin"));
}

fn text_of(output: &Output) -> String {
    text(&output.stderr)
}

#[test]
fn keys_codes_and_addresses_are_tidied() {
    let bench = Bench::new();
    let (key, url) = (bench.sandbox.api_key(), bench.sandbox.base_url());
    let file = bench.cache.path().join("key");
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(format!("{key}\r\n").encode_utf16().flat_map(u16::to_le_bytes));
    let padded = ["{key}\r\n", "\u{feff} {key}\n\n", "\"{key}\"\n"]
        .map(|text| text.replace("{key}", key).into_bytes());
    for content in padded.into_iter().chain([utf16]) {
        std::fs::write(&file, &content).unwrap();
        let whoami = ["--json", "whoami", "--api-key-file", file.to_str().unwrap()];
        let output = bench.command(&whoami).env_remove("COLONY_API_KEY").output().unwrap();
        assert!(output.status.success(), "{content:?}: {}", text(&output.stderr));
        let output = pipe(bench.command(&["auth", "login"]).env_remove("COLONY_API_KEY"), &content);
        assert!(output.status.success(), "{content:?}: {}", text(&output.stderr));
    }
    let output =
        bench.command(&["--json", "whoami"]).env("COLONY_API_KEY", format!("\u{feff}{key}\r\n")).output();
    assert!(output.unwrap().status.success());
    let mut padded = colony(bench.cache.path());
    padded
        .args(["--json", "whoami"])
        .env("COLONY_API_KEY", key)
        .env("COLONY_BASE_URL", format!(" {url}/\r\n"));
    let output = padded.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let garbled = std::ffi::OsStr::from_bytes(b"col_\xff");
        let output = bench.command(&["--json", "whoami"]).env("COLONY_API_KEY", garbled).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("COLONY_API_KEY is not text"), "{}", text(&output.stderr));
    }
    std::fs::write(&file, "two words\n").unwrap();
    let (code, _) = bench.failure(&["--json", "whoami", "--api-key-file", file.to_str().unwrap()]);
    assert_eq!(code, 2);
}

/// `--api-key-file <(…)`: a pipe can only be read once.
#[cfg(unix)]
#[test]
fn a_key_from_a_pipe_is_read_once() {
    let bench = Bench::new();
    for command in
        [&["whoami"][..], &["auth", "status"], &["auth", "refresh"], &["auth", "status", "--verify"]]
    {
        let arguments = [&["--json", "--api-key-file", "/dev/stdin"], command].concat();
        let mut command = bench.command(&arguments);
        let output = pipe(command.env_remove("COLONY_API_KEY"), bench.sandbox.api_key().as_bytes());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn messages_name_the_right_next_step() {
    let fail = |rule: &str| rule.parse().unwrap();
    let bench = Bench::with(colony_cli::sandbox::Options {
        fail: vec![fail("GET /stats=429x9;retry-after=3600"), fail("GET /users/me=401x9")],
        ..Default::default()
    });
    let (code, error) = bench.failure(&["--json", "call", "get_stats"]);
    assert_eq!(code, 6, "{error}");
    assert_eq!(error["operation"], "get_stats");
    assert!(error["hint"].as_str().is_some_and(|hint| !hint.contains("auth")), "{error}");
    let (_, error) = bench.failure(&["--json", "whoami"]);
    assert!(error["hint"].as_str().unwrap().contains("colony auth status --verify"), "{error}");
    let site = bench.sandbox.site();
    let (_, error) = bench.failure(&["--json", "posts", "list", "--base-url", &site]);
    assert!(error["hint"].as_str().unwrap().contains("/api/v1"), "{error}");
    for command in [&["whoami"][..], &["auth", "status"], &["auth", "token"]] {
        let output = colony(bench.cache.path()).args([&["--json"], command].concat()).output().unwrap();
        let error = error_line(&output);
        assert_eq!(error["code"], "NO_API_KEY", "{command:?}: {error}");
        assert!(error["hint"].as_str().unwrap().contains("colony auth login"), "{error}");
        assert!(!error.to_string().contains("Client::builder"), "{error}");
    }
    let (_, unknown) = bench.failure(&["--json", "call", "no_such_operation"]);
    assert!(unknown["message"].as_str().unwrap().contains("; `colony methods`"), "{unknown}");
    let missing = "00000000-0000-4000-8000-000000000000";
    let (_, error) = bench.failure(&["--json", "posts", "view", missing]);
    assert!(error["request_id"].is_string() && error["hint"].is_string(), "{error}");
}

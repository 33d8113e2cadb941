//! Every operation in the registry, over the protocol: M2, M3, M6, M7, and P1.

use std::collections::BTreeSet;

use colony_core::{
    policy::Policy,
    registry::{self, Access, Call, Operation},
};
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    talk::{Docs, Talk, needed, operations},
    told,
};

/// Returns each operation with its docs, except those that a model may never use.
fn usable() -> Vec<(&'static Operation, Docs)> {
    let found = operations().into_iter().filter_map(|docs| Some((registry::find(&docs.name)?, docs)));
    found.filter(|(operation, _)| operation.access() != Access::Secret).collect()
}

/// Returns flags that allow everything that can be allowed.
fn everything() -> Vec<String> {
    let mut flags = vec!["--write".to_owned()];
    for group in registry::groups() {
        flags.extend(["--allow".to_owned(), format!("group:{}", group.name)]);
    }
    flags
}

fn tool(operation: &Operation) -> &'static str {
    if operation.access() == Access::Read { "read_operation" } else { "write_operation" }
}

#[test]
fn m2_the_list_is_small_and_fixed() {
    let bench = Bench::new();
    let mut sizes = Vec::new();
    for (flags, count, most) in [(&[][..], 9, 9 * 1024), (&["--write"], 14, 14 * 1024)] {
        let mut talk = Talk::start(&bench, flags);
        let list = talk.request("tools/list", json!({}));
        let tools = list["result"]["tools"].as_array().unwrap();
        assert_eq!(tools.len(), count, "{list}");
        for tool in tools {
            assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
            assert!(tool.get("outputSchema").is_none(), "{tool}");
            let writes = ["create_post", "reply", "send_message", "vote", "write_operation"];
            let is_write = writes.iter().any(|name| tool["name"] == *name);
            assert_eq!(tool["annotations"]["readOnlyHint"], !is_write, "{tool}");
        }
        let size = list["result"].to_string().len();
        assert!(size <= most, "{size} > {most}");
        sizes.push(size);
    }
    let mut talk = Talk::start(&bench, &[]);
    let read = talk.request("resources/read", json!({"uri": "colony://instructions"}));
    let instructions = read["result"]["contents"][0]["text"].as_str().unwrap().len();
    assert!(instructions <= 600, "{instructions}");
    let figures = format_args!(
        "tools/list {} bytes read-only, {} with --write; instructions {instructions} bytes",
        sizes[0], sizes[1]
    );
    told("M2", figures);
}

#[test]
fn m3_every_operation_is_found_described_and_called() {
    let bench = Bench::new();
    let flags = everything();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--dry-run=all"]).collect();
    let mut talk = Talk::start(&bench, &flags);
    let (usable, mut problems, mut refused) = (usable(), Vec::new(), Vec::new());
    let (mut fields, mut longest) = (0, 0);
    for (operation, docs) in &usable {
        let name = operation.name;
        let found = talk.ok("find_operation", json!({"words": name}));
        let first = found["operations"][0]["operation"].as_str().unwrap_or_default();
        assert!(first.starts_with(&format!("{name}(")), "{name} finds {first}");
        let described = talk.ok("describe_operation", json!({"name": name}));
        assert_eq!(described["access"], json!(operation.access()), "{name}");
        assert_eq!(described["arguments"]["type"], "object", "{name}");
        // Each field of a reply, and of the models in it, is documented.
        if let Some(answer) = described["answer"].as_str() {
            let models = described["models"].as_object().unwrap();
            let shapes: Vec<&str> = answer.split(|c: char| !c.is_alphanumeric()).collect();
            assert!(models.keys().any(|model| shapes.contains(&&**model)), "{name}: {answer} {models:?}");
            let told = models.values().flat_map(|fields| fields.as_object().unwrap().values());
            let told = told.filter(|docs| docs.as_str().is_some_and(|docs| !docs.is_empty())).count();
            assert!(told > 0, "{name}: {models:?}");
            fields += told;
            longest = longest.max(described.to_string().len());
        }
        let arguments = Value::Object(needed(docs));
        let (text, is_error) = talk.call(tool(operation), json!({"name": name, "arguments": arguments}));
        let output = bench.run(&["call", name, "--args", &arguments.to_string(), "--dry-run"]);
        // Refusals are the same too: the service accepts no reports of users, for example.
        let said = match is_error {
            true => {
                serde_json::from_str::<Value>(&text).unwrap()["error"]["message"].as_str().unwrap().to_owned()
            }
            false => text.clone(),
        };
        let printed = if is_error { &output.stderr } else { &output.stdout };
        let printed = crate::bench::text(printed);
        if is_error {
            refused.push(name);
        }
        let is_alike = if is_error { printed.contains(&said) } else { printed.trim_end() == said };
        if is_error == output.status.success() || !is_alike {
            problems.push(format!("{name}: {text} {printed}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let expected = ["report_message", "report_user", "verify_notarisation"];
    assert_eq!(refused, expected, "the service takes none, and a record is a whole one");
    // A forbidden operation is not found, not described and not called.
    let mut reads = Talk::start(&bench, &[]);
    let mut hidden = 0;
    for (operation, docs) in usable.iter().filter(|(operation, _)| operation.access() != Access::Read) {
        let name = operation.name;
        let found = reads.ok("find_operation", json!({"words": name})).to_string();
        assert!(!found.contains(&format!("\"{name}(")), "{name}: {found}");
        assert_eq!(reads.err("describe_operation", json!({"name": name}))["kind"], "refused", "{name}");
        let call = json!({"name": name, "arguments": needed(docs)});
        assert_eq!(reads.err("write_operation", call)["kind"], "refused", "{name}");
        hidden += 1;
    }
    for name in
        registry::operations().map(|(_, it)| it).filter(|it| it.access() == Access::Secret).map(|it| it.name)
    {
        for tool in ["read_operation", "write_operation", "describe_operation"] {
            let arguments = if tool == "describe_operation" {
                json!({"name": name})
            } else {
                json!({"name": name, "arguments": {}})
            };
            assert_eq!(talk.err(tool, arguments)["kind"], "refused", "{name}");
        }
        hidden += 1;
    }
    assert_eq!(bench.sandbox.stats().routes.len(), 0, "nothing was sent");
    told(
        "M3",
        format_args!(
            "{} of {} operations found, described (with {fields} fields of answers, in at most {longest} bytes) and called \
             alike; {hidden} hidden where they are not allowed",
            usable.len(),
            usable.len()
        ),
    );
}

/// Returns the operations that the sandbox received: `GET /posts` and so on.
fn asked(bench: &Bench) -> BTreeSet<String> {
    let stats = bench.sandbox.stats();
    stats.routes.keys().filter(|route| *route != "POST /auth/token").cloned().collect()
}

#[test]
fn m6_a_server_without_write_only_reads() {
    let bench = Bench::new();
    bench.json(&["--json", "whoami"]);
    let unread = bench.json(&["call", "get_unread"]);
    let mut talk = Talk::start(&bench, &[]);
    let (mut reads, mut refused) = (0, 0);
    for docs in operations() {
        let operation = registry::find(&docs.name).unwrap();
        for tool in ["read_operation", "write_operation"] {
            let (text, is_error) = talk.call(tool, json!({"name": docs.name, "arguments": needed(&docs)}));
            if operation.access() != Access::Read {
                assert!(is_error, "{tool} {}: {text}", docs.name);
                refused += 1;
            } else if tool == "read_operation" {
                reads += 1;
            }
        }
    }
    let reading: BTreeSet<String> = registry::operations()
        .filter(|(_, it)| it.access() == Access::Read)
        .filter_map(|(_, it)| Some(route(it.method()?.as_str(), it.path)))
        .collect();
    let others: Vec<String> = asked(&bench).into_iter().filter(|it| !reading.contains(&shape(it))).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(bench.json(&["call", "get_unread"]), unread, "nothing was marked as read");
    told(
        "M6",
        format_args!("{reads} reads, {refused} refusals; 0 requests at the server that are not reads"),
    );
}

fn route(method: &str, path: &str) -> String {
    shape(&format!("{method} {path}"))
}

/// Returns a route without the names of its placeholders.
fn shape(route: &str) -> String {
    let parts = route.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn m7_no_secret_comes_out() {
    let bench = Bench::new();
    let flags = everything();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["-vvv"]).collect();
    let mut talk = Talk::start(&bench, &flags);
    let mut called = 0;
    // Operations that end the account come last.
    let mut all = operations();
    all.sort_by_key(|docs| docs.name == "delete_account");
    for docs in &all {
        let operation = registry::find(&docs.name).unwrap();
        talk.call(tool(operation), json!({"name": docs.name, "arguments": needed(docs)}));
        called += 1;
    }
    let tokens = std::fs::read_dir(bench.cache.path().join("tokens")).unwrap();
    let mut secrets = vec![bench.sandbox.api_key().to_owned()];
    for file in tokens.map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Ok(held) = serde_json::from_str::<Value>(&text) {
            secrets.extend(held["token"].as_str().map(str::to_owned));
        }
    }
    assert!(secrets.len() > 1, "a token was cached");
    let (code, stdout, stderr) = talk.end();
    assert_eq!(code, Some(0));
    for secret in &secrets {
        assert!(!stdout.contains(secret.as_str()) && !stderr.contains(secret.as_str()), "a secret came out");
        // A token's signature alone, and a key without its prefix.
        let part = secret.rsplit(['.', '_']).next().unwrap();
        assert!(
            part.len() < 16 || (!stdout.contains(part) && !stderr.contains(part)),
            "a part of a secret came out"
        );
    }
    assert!(stderr.len() > 10_000, "the log was on");
    let (out, log) = (stdout.len(), stderr.len());
    told(
        "M7",
        format_args!(
            "{called} operations called with everything allowed; 0 of {} secrets in {out} bytes of stdout and {log} of log",
            secrets.len()
        ),
    );
}

#[test]
fn p1_nothing_that_is_refused_is_sent() {
    let docs = operations();
    let policies: [(&str, Policy); 6] = [
        ("--read-only", Policy::read_only()),
        (
            "--allow=create_post,group:comments",
            Policy::read_only().allow("create_post").allow("group:comments"),
        ),
        ("--deny=group:posts,get_me", Policy::new().deny("group:posts").deny("get_me")),
        ("--allow=group:moderation", Policy::read_only().allow("group:moderation")),
        ("--daily=create_comment=0", Policy::new().daily("create_comment", 0)),
        ("--read-only --deny=get_posts", Policy::read_only().deny("get_posts")),
    ];
    let (mut refused, mut sent) = (0, 0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (flags, policy) in &policies {
        let bench = Bench::new();
        let cache = bench.cache.path().join("tokens");
        let client = colony_async::Client::builder(bench.sandbox.api_key().to_owned())
            .base_url(bench.sandbox.base_url())
            .token_cache_dir(&cache)
            .state_dir(bench.cache.path().join("state"))
            .policy(policy.clone())
            .build()
            .unwrap();
        let blocking = colony_blocking::Client::builder(bench.sandbox.api_key().to_owned())
            .base_url(bench.sandbox.base_url())
            .token_cache_dir(&cache)
            .state_dir(bench.cache.path().join("state"))
            .policy(policy.clone())
            .build()
            .unwrap();
        // If everything is refused, the server receives nothing: not one request, and no login.
        let refuses = |docs: &&Docs| policy.check(registry::find(&docs.name).unwrap(), 0).is_err();
        for docs in docs.iter().filter(refuses) {
            let operation = registry::find(&docs.name).unwrap();
            if operation.method().is_none() {
                continue;
            }
            let prepare = || operation.prepare(Value::Object(needed(docs)));
            // A signing key cannot be made up here.
            let (Ok(one), Ok(other)) = (prepare(), prepare()) else { continue };
            let outcomes = match (one, other) {
                (Call::Download(one), Call::Download(other)) => [
                    runtime.block_on(client.transport().call(one)).map(drop),
                    blocking.transport().call(other).map(drop),
                ],
                (one, other) => [
                    runtime.block_on(client.transport().run(one)).map(drop),
                    blocking.transport().run(other).map(drop),
                ],
            };
            for outcome in outcomes {
                let kind = outcome.map_err(|error| error.kind());
                assert_eq!(kind, Err(colony_core::ErrorKind::Refused), "{flags} {}", docs.name);
            }
            refused += 2;
        }
        assert_eq!(bench.sandbox.stats().routes.len(), 0, "{flags}: {:?}", bench.sandbox.stats().routes);
        // The command line, with a few of each kind: each is a process.
        let flags: Vec<&str> = flags.split(' ').collect();
        for docs in docs.iter().filter(refuses).step_by(if super::length(0, 1) == 1 { 1 } else { 23 }) {
            let arguments = Value::Object(needed(docs)).to_string();
            let (code, error) =
                bench.failure(&[&["--json", "call", &docs.name, "--args", &arguments], &flags[..]].concat());
            assert_eq!((code, error["kind"].as_str()), (10, Some("refused")), "{flags:?} {}", docs.name);
            refused += 1;
        }
        // Over the protocol, which allows only reads by default.
        let mut talk = Talk::start(&bench, &flags);
        for docs in docs.iter().filter(refuses) {
            let operation = registry::find(&docs.name).unwrap();
            if operation.access() == Access::Read && policy.allows(operation) {
                continue;
            }
            let (text, is_error) =
                talk.call(tool(operation), json!({"name": docs.name, "arguments": needed(docs)}));
            assert!(is_error && text.contains("\"refused\""), "{flags:?} {}: {text}", docs.name);
            refused += 1;
        }
        // A budget refuses an operation when it is sent, after the token is fetched.
        let routes = asked(&bench);
        assert!(routes.is_empty() || flags == ["--daily=create_comment=0"], "{flags:?}: {routes:?}");
        for docs in docs.iter().filter(|docs| !refuses(docs)).filter(|docs| docs.name.starts_with("get_post"))
        {
            let call = registry::find(&docs.name).unwrap().prepare(Value::Object(needed(docs))).unwrap();
            let outcome = runtime.block_on(client.transport().run(call));
            assert!(
                !matches!(outcome, Err(error) if error.kind() == colony_core::ErrorKind::Refused),
                "{}",
                docs.name
            );
            sent += 1;
        }
    }
    told(
        "P1",
        format_args!(
            "{} operations, {} policies, both clients, call and mcp: {refused} refused, 0 of them at the server; {sent} let through",
            docs.len(),
            policies.len()
        ),
    );
}

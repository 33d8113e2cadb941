//! A client of `colony mcp` without an SDK, so that it sees every byte.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use crate::bench::Bench;

/// How long to wait for a reply: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A generation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// 2025-11-25, with `initialize`.
    Handshake,
    /// 2026-07-28, in which each request describes the client.
    Inline,
}

/// A server, and its messages.
pub(crate) struct Talk {
    pub(crate) child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    answers: BTreeMap<u64, Value>,
    /// The server's requests, in order.
    pub(crate) asked: Vec<Value>,
    pub(crate) notifications: Vec<Value>,
    /// The whole stdout.
    pub(crate) stdout: String,
    stderr: Option<std::thread::JoinHandle<String>>,
    next: u64,
    protocol: Protocol,
    capabilities: Value,
}

impl Talk {
    /// Starts a server against a sandbox, and completes the handshake.
    pub(crate) fn start(bench: &Bench, flags: &[&str]) -> Self {
        Self::begin(bench.command(&[&["mcp"], flags].concat()), Protocol::Handshake, json!({}))
    }

    pub(crate) fn begin(mut command: Command, protocol: Protocol, capabilities: Value) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { return };
                if sender.send(String::from_utf8(line).expect("stdout is UTF-8")).is_err() {
                    return;
                }
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let stdin = child.stdin.take();
        let mut talk = Self {
            child,
            stdin,
            lines,
            answers: BTreeMap::new(),
            asked: Vec::new(),
            notifications: Vec::new(),
            stdout: String::new(),
            stderr: Some(stderr),
            next: 1,
            protocol,
            capabilities,
        };
        if protocol == Protocol::Handshake {
            let answer = talk.request(
                "initialize",
                json!({
                    "protocolVersion": "2025-11-25", "capabilities": talk.capabilities,
                    "clientInfo": {"name": "test", "version": "1"},
                }),
            );
            assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
            talk.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        }
        talk
    }

    pub(crate) fn write(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{message}").and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// Sends a request without waiting for its reply.
    pub(crate) fn send(&mut self, method: &str, mut params: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        if self.protocol == Protocol::Inline {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            });
        }
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Waits for the reply to a request.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        self.wait(id, PATIENCE).unwrap_or_else(|| panic!("no answer to {id}"))
    }

    /// Returns the reply, if it arrives in time.
    pub(crate) fn wait(&mut self, id: u64, patience: Duration) -> Option<Value> {
        let until = Instant::now() + patience;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return Some(answer);
            }
            let line = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
            self.take(line);
        }
    }

    /// Waits until the server sends a request.
    pub(crate) fn question(&mut self) -> Value {
        while self.asked.is_empty() {
            let line = self.lines.recv_timeout(PATIENCE).expect("the server asks");
            self.take(line);
        }
        self.asked.remove(0)
    }

    fn take(&mut self, line: String) {
        self.stdout += &line;
        self.stdout.push('\n');
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        match (message["id"].as_u64(), message["method"].as_str()) {
            (Some(id), None) => drop(self.answers.insert(id, message)),
            (_, Some(_)) if !message["id"].is_null() => self.asked.push(message),
            _ => self.notifications.push(message),
        }
    }

    /// Calls a tool. Returns its text, and whether it is an error.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> (String, bool) {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        said(&answer)
    }

    /// Calls a tool that must succeed, and parses its text.
    pub(crate) fn ok(&mut self, tool: &str, arguments: Value) -> Value {
        let (text, is_error) = self.call(tool, arguments);
        assert!(!is_error, "{tool}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Calls a tool that must fail. Returns the error.
    pub(crate) fn err(&mut self, tool: &str, arguments: Value) -> Value {
        let (text, is_error) = self.call(tool, arguments);
        assert!(is_error, "{tool}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Ends the server by closing its input. Returns the exit code, stdout and stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        self.close_stdin();
        let code = self.child.wait().unwrap().code();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.take(line);
        }
        let stderr = self.stderr.take().unwrap().join().unwrap();
        (code, std::mem::take(&mut self.stdout), stderr)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the text of a tool's reply, and whether it is an error.
pub(crate) fn said(answer: &Value) -> (String, bool) {
    let content = answer["result"]["content"].as_array().unwrap_or_else(|| panic!("no result: {answer}"));
    assert_eq!(content.len(), 1, "{answer}");
    let text = content[0]["text"].as_str().unwrap().to_owned();
    (text, answer["result"]["isError"] == true)
}

/// One operation as documented in `operations.json`.
#[derive(serde::Deserialize)]
pub(crate) struct Docs {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Argument {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) words: Vec<String>,
}

pub(crate) fn operations() -> Vec<Docs> {
    serde_json::from_str(include_str!("../../src/operations.json")).unwrap()
}

/// Returns the required arguments of an operation, with values.
pub(crate) fn needed(docs: &Docs) -> Map<String, Value> {
    let also = |argument: &&Argument| argument.required || ALSO.contains(&(&*docs.name, &*argument.name));
    let needed = docs.arguments.iter().filter(also);
    needed.map(|argument| (argument.name.clone(), sample(&docs.name, argument))).collect()
}

fn sample(operation: &str, argument: &Argument) -> Value {
    if let Some((.., value)) =
        WORDS.iter().find(|(name, of, _)| *name == argument.name && (of.is_empty() || *of == operation))
    {
        return serde_json::from_str(value).unwrap_or_else(|_| (*value).into());
    }
    if let Some(word) = argument.words.first() {
        return word.parse::<i64>().map_or_else(|_| word.clone().into(), Into::into);
    }
    match argument.kind.as_str() {
        "id" => "7c9e6679-7425-40de-944b-e07fc1f90ae7".into(),
        "integer" | "number" => 1.into(),
        "boolean" => true.into(),
        "object" | "any JSON" => json!({}),
        "bytes" => json!({"$bytes_base64": "aGVsbG8="}),
        "list of id" => json!(["7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
        "list of object" => json!([{}]),
        list if list.starts_with("list") => json!(["text"]),
        _ => "text".into(),
    }
}

/// Arguments of which one is required.
const ALSO: &[(&str, &str)] = &[
    ("suppress_suggestions", "username"),
    ("get_user_comments", "username"),
    ("iter_user_comments", "username"),
    ("get_user_notarisations", "username"),
    ("get_reaction_users", "post_id"),
    ("create_reminder", "duration"),
];

/// Values for arguments that accept no others: the argument, the operation if the value is specific to it, the value.
const WORDS: &[(&str, &str, &str)] = &[
    ("items", "mod_queue_bulk_action", r#"[{"kind": "post", "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}]"#),
    ("record", "verify_notarisation", r#"{"canonical": {}, "sha256": "x"}"#),
];

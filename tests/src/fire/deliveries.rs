//! L1, L3, L7, L8: the deliveries of `colony listen` and `colony trigger`, and those that `--receive` passes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use colony_cli::sandbox::{Options, Sandbox};
use colony_core::webhook::{
    Attempt, Due, Outbox, PAUSES, SIGNATURE_HEADER, Signer, UNSTAMPED_SIGNATURE_HEADER, Verifier,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Ground, Outcome, Scale, Tally, hooks::SECRET, scene::eventually};
use crate::{
    openapi::{Description, FaultKind, Payload, Type},
    raw::Received,
    recorder::Recorder,
};

type Failed = Box<dyn std::error::Error>;

const LIMIT: Duration = Duration::from_secs(300);
const ME: &str = "col_the_agent_0123456789abcdef";
const OTHER: &str = "col_another_agent_0123456789";

/// A sandbox, and `colony` with its own home directory.
pub(super) struct Scene {
    program: PathBuf,
    sandbox: Sandbox,
    _runtime: Runtime,
    pub(super) home: TempDir,
}

/// A program that is killed when it is dropped.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Scene {
    pub(super) fn new(ground: &Ground) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        // The first one is the sandbox's own account.
        let api_keys = [ME, OTHER].map(str::to_owned).to_vec();
        let options = Options { api_keys, ..Options::default() };
        let sandbox = runtime.block_on(Sandbox::start(options))?;
        let home = tempfile::Builder::new().prefix("colony-").tempdir()?;
        Ok(Self { program: ground.program.clone(), sandbox, _runtime: runtime, home })
    }

    /// Returns a command that runs `colony` as the sandbox's own account.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg0("colony")
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("COLONY_SDK_TOKEN_CACHE_DIR", self.home.path().join("cache"))
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", ME)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    pub(super) fn secret(&self) -> Result<String, Failed> {
        let output = self.command(&["listen", "--print-secret"]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts `colony listen`, which prints nothing.
    pub(super) fn listen(&self, url: &str, more: &[&str]) -> Result<Running, Failed> {
        let mut arguments = vec!["listen", "--forward-to", url, "--interval", "100ms..300ms"];
        arguments.extend(more);
        Ok(Running(self.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// Starts `colony listen --receive`, and returns its address.
    pub(super) fn receive(&self, forward: Option<&str>) -> Result<(Running, SocketAddr), Failed> {
        let mut arguments = vec!["--json", "listen", "--receive", "127.0.0.1:0"];
        arguments.extend(forward.iter().flat_map(|url| ["--forward-to", url]));
        let mut command = self.command(&arguments);
        let mut running =
            Running(command.env("COLONY_WEBHOOK_SECRET", SECRET).stdout(Stdio::piped()).spawn()?);
        let mut lines = BufReader::new(running.0.stdout.take().ok_or("no stdout")?).lines();
        let first: Value = serde_json::from_str(&lines.next().ok_or("it ended")??)?;
        let address = first["address"].as_str().and_then(|text| text.strip_prefix("http://"));
        std::thread::spawn(move || lines.for_each(drop));
        Ok((running, address.ok_or("no address")?.parse()?))
    }

    /// Lets the other account raise events.
    pub(super) fn happens(&self, kind: &str, count: usize) -> Result<(), Failed> {
        let base = self.sandbox.base_url();
        let host = base.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let body = json!({"kind": kind, "count": count}).to_string();
        let reply = exchange(host.parse()?, "/_control/event", &[], body.as_bytes())?;
        if reply.contains("\"ids\"") { Ok(()) } else { Err(reply.into()) }
    }

    /// Raises `count` events, and one more: posts, and mentions and comments on each, so that their bodies differ,
    /// unlike those of messages.
    pub(super) fn much_happens(&self, count: usize) -> Result<usize, Failed> {
        for number in 0..count {
            self.happens(["post", "mention", "comment"][number % 3], 1)?;
        }
        self.happens("message", 1)?;
        Ok(count + 1)
    }

    /// Calls an operation with this key, and returns the answer.
    fn call(&self, key: &str, arguments: &[&str]) -> Result<Value, Failed> {
        let output = self.command(&[&["call"], arguments].concat()).env("COLONY_API_KEY", key).output()?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// Sends a raw request, and returns the reply's text.
fn exchange(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<String, Failed> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())?;
    stream.write_all(body)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// L1: the deliveries of `colony listen`, checked by the published Python package and by `Verifier`, intact and with
/// one byte changed.
pub(super) fn signatures(ground: &Ground) -> Outcome {
    let wanted: usize = ground.scale.pick(60, 1_000);
    let mut tally = Tally::of("made deliveries");
    let (scene, recorder) = (Scene::new(ground)?, Recorder::start(|_, _| 204)?);
    let listen = scene.listen(&recorder.url(), &["--since", "1h"])?;
    let mut made = 0;
    while made < wanted {
        made += scene.much_happens(20)?;
        let came = recorder.wait(made, LIMIT).len();
        if came < made {
            return Err(format!("{came} of {made} deliveries came").into());
        }
    }
    drop(listen);
    let secret = scene.secret()?;
    let verifier = Verifier::new(&secret)?;
    let deliveries = recorder.requests();
    let mut questions = String::new();
    let mut refused = 0;
    for request in deliveries.iter().take(wanted) {
        let mut spoilt = request.body.clone();
        let place = fastrand::usize(..spoilt.len());
        spoilt[place] ^= fastrand::u8(1..);
        let headers = request.header_map();
        let now = SystemTime::now();
        let good = verifier.receive(&headers, &request.body, now);
        tally.check(good.is_ok(), || format!("Verifier refuses {good:?}"));
        let bad = verifier.receive(&headers, &spoilt, now);
        tally.hold(bad.is_err(), || "Verifier accepts a changed byte".to_owned());
        refused += u64::from(bad.is_err());
        for body in [&request.body, &spoilt] {
            let signature = request.header(UNSTAMPED_SIGNATURE_HEADER).unwrap_or_default();
            let question = json!({"body": STANDARD.encode(body), "signature": signature, "secret": secret});
            questions += &format!("{question}\n");
        }
    }
    tally.fault("bodies with a changed byte that Verifier refused", refused, wanted as u64);
    match &ground.python {
        None => tally.not_tried(
            "the Python package: there is no interpreter that has it (.ci/interop.sh installs one)",
        ),
        Some(python) => {
            let answers = ask_python(python, &questions, scene.home.path())?;
            let expected: Vec<bool> = (0..wanted * 2).map(|number| number % 2 == 0).collect();
            let wrong = answers.iter().zip(&expected).filter(|(answer, expected)| answer != expected).count();
            tally.same("answers of the Python package", answers.len(), expected.len());
            tally.losses(wrong as u64, || "the Python package judges otherwise".to_owned());
            let accepted = answers.iter().filter(|answer| **answer).count();
            tally.fact(format!(
                "the Python package accepted {accepted} and refused {}",
                answers.len() - accepted
            ));
        }
    }
    Ok(tally)
}

fn ask_python(python: &Path, questions: &str, home: &Path) -> Result<Vec<bool>, Failed> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop/fire_webhooks.py");
    let file = home.join("questions");
    std::fs::write(&file, questions)?;
    let output = Command::new(python).arg(script).stdin(std::fs::File::open(file)?).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(|line| line == "True").collect())
}

/// L3: a receiver that fails three times, on a clock that takes no time; at full length also the program, on the real
/// clock.
pub(super) fn retries(ground: &Ground) -> Outcome {
    let events: u64 = ground.scale.pick(100, 1_000);
    let mut tally = Tally::of("events that failed three times");
    let (signer, verifier) = (Signer::new(SECRET)?, Verifier::new(SECRET)?);
    let mut outbox = Outbox::new(PAUSES);
    let start = SystemTime::now();
    let mut now = Duration::ZERO;
    let mut sent: BTreeMap<u64, Vec<(Duration, Attempt, String)>> = BTreeMap::new();
    let mut first = Vec::new();
    (0..events).for_each(|event| outbox.push(event));
    loop {
        match outbox.next(now) {
            Due::Nothing => break,
            Due::Wait(wait) => now += wait,
            Due::Send(delivery) => {
                let attempt =
                    Attempt::new("mention", format!("event-{}", delivery.item)).number(delivery.number);
                let body = br#"{"event":"mention","actor":"ada"}"#;
                let headers = signer.attempt(&attempt, body, start + now);
                let taken = verifier.receive(&headers, body, start + now);
                tally.hold(taken.is_ok(), || format!("{taken:?}"));
                let signature = headers[SIGNATURE_HEADER].to_str()?.to_owned();
                let number = delivery.number;
                if number == 1 {
                    first.push(delivery.item);
                }
                sent.entry(delivery.item).or_default().push((now, attempt, signature));
                if number <= 3 {
                    outbox.failed(delivery, now).map_err(|_| "given up")?;
                }
            }
        }
    }
    tally.hold(first.iter().copied().eq(0..events), || "first attempts out of order".to_owned());
    for (event, attempts) in &sent {
        let times: Vec<u64> = attempts.iter().map(|(time, ..)| time.as_secs()).collect();
        let ids: BTreeSet<&str> =
            attempts.iter().map(|(_, attempt, _)| attempt.delivery_id.as_str()).collect();
        let signatures: BTreeSet<&str> = attempts.iter().map(|(.., signature)| signature.as_str()).collect();
        tally.check(times == [0, 5, 35, 155] && ids.len() == 4 && signatures.len() == 4, || {
            format!("{event}: {times:?}, {} ids, {} signatures", ids.len(), signatures.len())
        });
    }
    tally.fault("failed attempts", events * 3, events);
    if ground.scale == Scale::Long {
        really(ground, &mut tally)?;
    }
    Ok(tally)
}

/// Does the same with the program, for 155 s.
fn really(ground: &Ground, tally: &mut Tally) -> Result<(), Failed> {
    let scene = Scene::new(ground)?;
    let begin = std::time::Instant::now();
    let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = std::sync::Arc::clone(&times);
    let recorder = Recorder::start(move |number, _| {
        if let Ok(mut noted) = noted.lock() {
            noted.push(begin.elapsed());
        }
        if number < 3 { 500 } else { 204 }
    })?;
    scene.happens("mention", 1)?;
    let _listen = scene.listen(&recorder.url(), &["--since", "1h", "--events", "mention"])?;
    let requests = recorder.wait(4, LIMIT);
    let times = times.lock().map_err(|_| "a lock")?;
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let good = pauses.len() == 3 && pauses.iter().zip(PAUSES).all(|(pause, least)| *pause >= least);
    tally.hold(good, || format!("pauses of the program: {pauses:?}"));
    let all = |name: &str| requests.iter().filter_map(|it| it.header(name)).collect::<BTreeSet<_>>().len();
    let distinct =
        ["event-id", "delivery", "signature-256", "attempt"].map(|name| all(&format!("x-colony-{name}")));
    tally.same("event ids, delivery ids, signatures and numbers of the program", distinct, [1, 4, 4, 4]);
    let seconds: Vec<String> = pauses.iter().map(|pause| format!("{:.1}", pause.as_secs_f64())).collect();
    tally.fact(format!("pauses of the program on the real clock: {} s", seconds.join(", ")));
    Ok(())
}

/// L7: bodies that no library would produce, through `--receive`.
pub(super) fn passed_on(ground: &Ground) -> Outcome {
    let count: usize = ground.scale.pick(40, 1_000);
    let mut tally = Tally::of("bodies");
    let (scene, recorder) = (Scene::new(ground)?, Recorder::start(|_, _| 204)?);
    let (_gate, address) = scene.receive(Some(&recorder.url()))?;
    let signer = Signer::new(SECRET)?;
    let mut bodies: Vec<Vec<u8>> = [
        &b" { \"event\" :\t\"mention\" ,\r\n \"actor\":\"ada\" }\n\n "[..],
        b"{\"event\":\"mention\",\0}",
        b"\xff\xfe{\"event\":\"\xe9\"}",
        b"\xef\xbb\xbf{}",
        b"0",
        b"",
    ]
    .map(<[u8]>::to_vec)
    .into();
    while bodies.len() < count {
        let length = fastrand::usize(..if bodies.len().is_multiple_of(20) { 256 * 1024 } else { 2_000 });
        bodies.push((0..length).map(|_| fastrand::u8(..)).collect());
    }
    let mut strange = 0;
    for body in &bodies {
        strange += u64::from(std::str::from_utf8(body).is_err() || body.contains(&0));
        let signature = signer.sign(body, SystemTime::now());
        let headers = [(SIGNATURE_HEADER, signature.as_str()), ("x-colony-of-tomorrow", "kept")];
        let reply = exchange(address, "/", &headers, body)?;
        tally.hold(reply.starts_with("HTTP/1.1 204"), || reply.clone());
        let came = recorder.requests().pop().ok_or("nothing came")?;
        let whole = came.body == *body
            && came.header(SIGNATURE_HEADER) == Some(&*signature)
            && came.header("x-colony-of-tomorrow") == Some("kept");
        tally.check(whole, || format!("{} bytes became {}", body.len(), came.body.len()));
        let spoilt =
            exchange(address, "/", &[(SIGNATURE_HEADER, &*signature)], &[body.as_slice(), b" "].concat())?;
        tally.hold(spoilt.starts_with("HTTP/1.1 401"), || spoilt.clone());
    }
    tally.same("requests at the receiver", recorder.requests().len(), bodies.len());
    tally.fault("bodies with NUL or without UTF-8", strange, 3);
    tally.fault("changed bodies that were refused and not passed on", bodies.len() as u64, 1);
    Ok(tally)
}

/// Required fields of the service's events that polling does not return.
const NOT_TOLD: [&str; 3] = ["post_title", "emoji", "body_excerpt"];

/// L8: every sample, and the delivery made from every kind of event that the sandbox raises.
pub(super) fn bodies(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("bodies");
    let (scene, recorder) = (Scene::new(ground)?, Recorder::start(|_, _| 204)?);
    let (description, url) = (Description::load(), recorder.url());
    let every = ground.scale.pick(5, 1);
    let events: Vec<String> =
        description.schema("WebhookEvent").words.iter().step_by(every).cloned().collect();
    for event in &events {
        let output = scene.command(&["trigger", event, "--forward-to", &url]).output()?;
        tally.hold(output.status.success(), || format!("{event}: {output:?}"));
    }
    let samples = recorder.requests();
    tally.same("samples", samples.len(), events.len());
    for (event, request) in events.iter().zip(&samples) {
        let faults = faults(&description, event, request);
        tally.check(faults.is_empty(), || format!("{event}: {faults:?}"));
    }
    let post = scene.call(ME, &["create_post", "title=A question", "body=Who answers?", "colony=meta"])?;
    let post = format!("post_id={}", post["id"].as_str().ok_or("no post")?);
    let comment = scene.call(ME, &["create_comment", &post, "body=I do"])?;
    let parent = format!("parent_id={}", comment["id"].as_str().ok_or("no comment")?);
    scene.call(OTHER, &["create_comment", &post, "body=So do I", &parent])?;
    scene.call(OTHER, &["create_comment", &post, "body=And I"])?;
    scene.call(OTHER, &["react_post", &post, "emoji=rocket"])?;
    scene.call(OTHER, &["follow_by_username", &format!("username={}", scene.sandbox.username())])?;
    for kind in ["mention", "message", "post", "comment"] {
        scene.happens(kind, 5)?;
    }
    let _listen = scene.listen(&url, &["--since", "1h"])?;
    let expected = [
        "mention",
        "direct_message",
        "post_created",
        "comment_on_post",
        "reply_to_comment",
        "post_reaction",
        "new_follower",
    ];
    let made = || recorder.requests().split_off(samples.len());
    let name = |request: &Received| request.header("x-colony-event").unwrap_or_default().to_owned();
    eventually(LIMIT, || {
        let seen: BTreeSet<String> = made().iter().map(name).collect();
        made().len() >= 24 && expected.iter().all(|event| seen.contains(*event))
    });
    let seen: BTreeSet<String> = made().iter().map(name).collect();
    tally.hold(expected.iter().all(|event| seen.contains(*event)), || format!("made: {seen:?}"));
    for request in made() {
        let event = name(&request);
        let faults = faults(&description, &event, &request);
        tally.check(faults.is_empty(), || format!("{event}: {faults:?}"));
    }
    tally.fault("kinds of made deliveries", seen.len() as u64, expected.len() as u64);
    tally.fact(format!(
        "{} samples, {} made deliveries; of these only {} are left out where the service has them",
        samples.len(),
        made().len(),
        NOT_TOLD.join(", ")
    ));
    Ok(tally)
}

/// Returns the deviations of a body from the event's schema.
fn faults(description: &Description, event: &str, request: &Received) -> Vec<String> {
    let Some(Value::Object(mut body)) = request.json() else { return vec!["no object".to_owned()] };
    if body.remove("event").as_ref().and_then(Value::as_str) != Some(event) {
        return vec!["another event".to_owned()];
    }
    let letters = |word: &str| word[..1].to_uppercase() + &word[1..];
    let schema = event.split('_').map(letters).collect::<String>() + "Payload";
    let payload = Payload { schema: Some(Type::Schema(schema)), ..Payload::default() };
    let is_made = request.header("x-colony-made-by") == Some("colony listen");
    let faults =
        description.faults(&payload, &Value::Object(body)).into_iter().filter(|fault| match fault.kind {
            FaultKind::LeftOut => false,
            FaultKind::Missing => !(is_made && NOT_TOLD.contains(&fault.path.as_str())),
            _ => true,
        });
    faults.map(|fault| fault.to_string()).collect()
}

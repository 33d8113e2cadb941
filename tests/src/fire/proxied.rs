//! P1 to P4: `colony exec --proxy`, `colony proxy`, and hostile callers.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use colony_cli::{
    proxy::{Options as ProxyOptions, Proxy, TokenSource},
    sandbox::{Options, Sandbox},
};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, runtime::Runtime};

use super::{Ground, Outcome, Tally};
use crate::{
    raw::{Listener, Received},
    recorder::Recorder,
};

type Failed = Box<dyn std::error::Error>;

const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0aGUgYWdlbnQiLCJuIjoiMDEyMzQ1Njc4OSJ9.QWVzdGhldGljLXNpZ25hdHVyZQ";

/// A sandbox with a token lifetime, and a home directory.
struct Scene {
    sandbox: Sandbox,
    home: TempDir,
    program: std::path::PathBuf,
    _runtime: Runtime,
}

impl Scene {
    fn new(ground: &Ground, token_ttl: Duration) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let sandbox = runtime.block_on(Sandbox::start(Options { token_ttl, ..Options::default() }))?;
        let home = tempfile::tempdir()?;
        Ok(Self { sandbox, home, program: ground.program.clone(), _runtime: runtime })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg0("colony")
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", self.sandbox.api_key())
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    fn logins(&self) -> u64 {
        self.sandbox.stats().with_status("POST /auth/token", 200)
    }
}

/// P1: tokens of 5 s, and a child that calls every second through the proxy of `colony exec --proxy`.
pub(super) fn child(ground: &Ground) -> Outcome {
    let calls: u64 = ground.scale.pick(6, 60);
    let mut tally = Tally::of("calls of a child");
    let scene = Scene::new(ground, Duration::from_secs(5))?;
    let script = format!(
        "env; tr '\\0' '\\n' < /proc/$$/cmdline; echo END; i=0; while [ $i -lt {calls} ]; do \
         curl -s -o /dev/null -w '%{{http_code}}\\n' \"$COLONY_BASE_URL/users/me\"; i=$((i+1)); sleep 1; done; exit 37"
    );
    let output = scene.command(&["exec", "--proxy", "--", "/bin/sh", "-c", &script]).output()?;
    let said = String::from_utf8(output.stdout)?;
    let (environment, statuses) = said.split_once("END\n").ok_or("the child said nothing")?;
    let key = scene.sandbox.api_key();
    tally.hold(!environment.contains(key) && !environment.contains("eyJ"), || environment.to_owned());
    tally.hold(environment.contains("COLONY_TOKEN="), || environment.to_owned());
    for status in statuses.lines() {
        tally.check(status == "200", || format!("a call was answered {status}"));
    }
    tally.same("answers", statuses.lines().count() as u64, calls);
    tally.same("the exit code", output.status.code(), Some(37));
    let logins = scene.logins();
    // A token of whole seconds with a margin of one is used for at least three of them.
    let most = calls.div_ceil(3).max(2);
    tally.hold(logins <= most, || format!("{logins} logins, and not {most} at most"));
    tally.fault("tokens that ended under the child", logins.saturating_sub(1), 1);
    tally.fact(format!("{logins} logins"));
    Ok(tally)
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a tool's command.
type Make<'s> = Box<dyn Fn() -> Command + 's>;

/// P2: twelve tools at once through one proxy, twice; in between, every token is revoked.
pub(super) fn tools(ground: &Ground) -> Outcome {
    const PYTHON: &str = "import os,sys,urllib.request as r\nr.install_opener(r.build_opener(r.ProxyHandler({})))\n\
                          print(r.urlopen(os.environ['COLONY_BASE_URL'] + '/users/me').status)";
    const NODE: &str = "fetch(process.env.BARE + '/users/me', {headers: {authorization: 'Bearer ' + process.env.WORD}})\
                        .then(answer => console.log(answer.status))";
    const SDK: &str = "import os\nfrom colony_sdk import ColonyClient\n\
                       print(200 if ColonyClient(os.environ['WORD'], base_url=os.environ['COLONY_BASE_URL']).get_me() else 0)";
    let mut tally = Tally::of("calls of tools");
    let scene = Scene::new(ground, Duration::from_secs(86_400))?;
    let mut proxy = Running(scene.command(&["--json", "proxy"]).stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(proxy.0.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
    let told: Value = serde_json::from_str(&line)?;
    let (base, word) = (told["base_url"].as_str().ok_or("no URL")?, told["token"].as_str().ok_or("no word")?);
    let bare = base.replace(&format!("/{word}"), "");
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}"]).args(arguments);
        command
    };
    let mut kinds: Vec<(&str, Make<'_>)> = vec![
        ("curl", Box::new(|| curl(&[&format!("{base}/users/me")]))),
        (
            "curl with a header",
            Box::new(|| curl(&["-H", &format!("Authorization: Bearer {word}"), &format!("{bare}/users/me")])),
        ),
        (
            "colony",
            Box::new(|| {
                let mut command = scene.command(&["--no-cache", "call", "get_me", "--output", "/dev/null"]);
                command.env("COLONY_API_KEY", word).env("COLONY_BASE_URL", base);
                command
            }),
        ),
    ];
    let with = |mut command: Command| {
        command.env("WORD", word).env("BARE", &bare).env("COLONY_BASE_URL", base);
        command.env("COLONY_SDK_TOKEN_CACHE_DIR", scene.home.path().join("python"));
        command
    };
    let is_here =
        |name: &str| Command::new(name).arg("--version").output().is_ok_and(|it| it.status.success());
    for (name, flag, program) in [("python3", "-c", PYTHON), ("node", "-e", NODE)] {
        if is_here(name) {
            kinds.push((
                name,
                Box::new(move || {
                    let mut command = Command::new(name);
                    command.args([flag, program]);
                    command
                }),
            ));
        } else {
            tally.not_tried(format!("{name} is not installed"));
        }
    }
    match &ground.python {
        Some(python) => kinds.push((
            "the Python package",
            Box::new(move || {
                let mut command = Command::new(python);
                command.args(["-c", SDK]);
                command
            }),
        )),
        None => tally.not_tried("the Python package: no interpreter that has it was named"),
    }
    for round in 1..=2 {
        let mut started = Vec::new();
        for number in 0..12 {
            let (name, make) = &kinds[number % kinds.len()];
            let command = make();
            let mut command = if *name == "colony" { command } else { with(command) };
            started.push((*name, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?));
        }
        for (name, child) in started {
            let output = child.wait_with_output()?;
            let said = String::from_utf8_lossy(&output.stdout);
            let good = output.status.success() && (name == "colony" || said.trim() == "200");
            tally.check(good, || format!("{name}: {said} {}", String::from_utf8_lossy(&output.stderr)));
        }
        tally.same("logins", scene.logins(), round);
        scene.sandbox.revoke_all();
    }
    let refused = scene.sandbox.stats().with_status("GET /users/me", 401);
    tally.fault("calls refused with a revoked token", refused, 1);
    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    tally.fact(format!("{}; {} logins", names.join(", "), scene.logins()));
    Ok(tally)
}

struct Fixed(SecretString);

impl TokenSource for Fixed {
    fn token(&self) -> BoxFuture<'_, colony_core::Result<SecretString>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn other_than<'a>(
        &'a self,
        _: &'a SecretString,
        _: &'a str,
    ) -> BoxFuture<'a, colony_core::Result<SecretString>> {
        self.token()
    }
}

/// P3: requests that try to reach another origin, from a caller that knows the word.
pub(super) fn hostile(ground: &Ground) -> Outcome {
    let count: u64 = ground.scale.pick(600, 10_000);
    let mut tally = Tally::of("hostile requests");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Its redirects lead elsewhere too.
    let origin = Recorder::start(|number, _| if number % 3 == 0 { 302 } else { 200 })?;
    let (elsewhere, reached) = (Listener::bind()?, Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&reached);
    elsewhere.serve(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    })?;
    let proxy = runtime.block_on(Proxy::start(ProxyOptions::new(origin.url()), Fixed(TOKEN.into())))?;
    let word = proxy.word().ok_or("no word")?.expose_secret().to_owned();
    let own: SocketAddr = proxy.base_url().split('/').nth(2).ok_or("no address")?.parse()?;
    let at_home = origin.url().split('/').nth(2).ok_or("no address")?.to_owned();
    let target = Target { own, other: elsewhere.address, word, origin: at_home.clone() };
    let (mut refused, mut passed, mut silent) = (0, 0, 0);
    let threads = 8;
    let outcomes = std::thread::scope(|scope| {
        let work: Vec<_> = (0..threads)
            .map(|thread| {
                let target = &target;
                scope.spawn(move || {
                    (0..count / threads)
                        .map(|number| target.attack(thread + number * threads))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        work.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    for outcome in &outcomes {
        tally.tries(1);
        match outcome {
            Some(400..=599) => refused += 1,
            Some(_) => passed += 1,
            // Cut off, or waited for the rest of an invalid request.
            None => silent += 1,
        }
    }
    // A valid request at the end: the proxy still works.
    let status = target
        .send(&format!("GET /{}/posts HTTP/1.1\r\nhost: {own}\r\nconnection: close\r\n\r\n", target.word));
    tally.hold(matches!(status, Some(200 | 302)), || {
        format!("at the end an ordinary request gets {status:?}")
    });
    let went = reached.load(Ordering::Relaxed);
    tally.losses(went, || format!("{went} connections to another origin"));
    let requests = origin.requests();
    for request in &requests {
        let tokens: Vec<_> = request.headers.iter().filter(|(name, _)| name == "authorization").collect();
        let good = request.path().starts_with("/hooks")
            && !request.target.contains("..")
            && !request.target.contains("smuggled")
            && request.header("host") == Some(&at_home)
            && tokens.len() == 1
            && tokens[0].1 == format!("Bearer {TOKEN}")
            && !request
                .headers
                .iter()
                .any(|(name, value)| name.starts_with("x-forwarded") || value.contains(&target.word));
        tally.hold(good, || {
            format!("at the origin: {} {} {:?}", request.method, request.target, request.headers)
        });
    }
    tally.fault("requests refused", refused, count / 2);
    tally.fault("requests that went to the origin, below its base path", passed, 1);
    tally.fact(format!("{silent} cut off without an answer; {} seen at the origin", requests.len()));
    runtime.block_on(proxy.stop());
    Ok(tally)
}

struct Target {
    own: SocketAddr,
    other: SocketAddr,
    origin: String,
    word: String,
}

impl Target {
    fn attack(&self, number: u64) -> Option<u16> {
        let Self { own, other, origin, word } = self;
        let path = ["/posts", "/users/me", "/a/b?c=d"][fastrand::usize(..3)];
        let end = "connection: close\r\n\r\n";
        let get = |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n{end}");
        let home = own.to_string();
        let post = |headers: &str, body: &str| {
            format!("POST /{word}{path} HTTP/1.1\r\nhost: {own}\r\n{headers}connection: close\r\n\r\n{body}")
        };
        let smuggled = format!("GET /smuggled HTTP/1.1\r\nhost: {other}\r\n\r\n");
        let chunk = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
        let text = match number % 28 {
            0 => get(&format!("http://{other}/{word}{path}"), &home),
            1 => get(&format!("http://{other}{path}"), &other.to_string()),
            2 => get(&format!("http://{origin}@{other}{path}"), origin),
            3 => get(&format!("http://{own}@{other}/{word}{path}"), &home),
            4 => get(&format!("https://{origin}{path}"), origin),
            5 => get(&format!("/{word}{path}"), &other.to_string()),
            6 => get(&format!("/{word}{path}"), &format!("{home}\r\nhost: {other}")),
            7 => get(&format!("/{word}{path}"), &format!("{home}@{other}")),
            8 => get(&format!("/{word}{path}"), &format!("127.0.0.1:{}", other.port())),
            9 => format!("CONNECT {other} HTTP/1.1\r\nhost: {other}\r\n{end}"),
            10 => {
                format!("CONNECT {origin} HTTP/1.1\r\nhost: {home}\r\nauthorization: Bearer {word}\r\n{end}")
            }
            11 => get(&format!("/{word}/posts%0d%0ahost:%20{other}"), &home),
            12 => get(&format!("/{word}/posts HTTP/1.1\r\nhost: {other}\r\nx: "), &home),
            13 => get(
                &format!("/{word}{}", ["/../../x", "/..", "/a/../../x", "/./x"][fastrand::usize(..4)]),
                &home,
            ),
            14 => {
                let dots = ["%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%2f..", "..%5c..", "..;a"]
                    [fastrand::usize(..7)];
                get(&format!("/{word}/{dots}/{dots}/_stats"), &home)
            }
            15 => get(&format!("/{word}//{other}{path}"), &home),
            16 => get(&format!("//{other}/{word}{path}"), &home),
            17 => get(&format!("/{word}/@{other}{path}"), &home),
            18 => get(&format!("/{word}/\\{other}{path}"), &home),
            19 => post(&format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", 4), &chunk),
            20 => post("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", &chunk),
            21 => post(&format!("content-length: 0\r\ncontent-length: {}\r\n", smuggled.len()), &smuggled),
            22 => post(
                "content-length: 0\r\n",
                &format!("GET http://{other}/smuggled HTTP/1.1\r\nhost: {other}\r\n\r\n"),
            ),
            23 => post(
                [
                    "transfer-encoding: xchunked\r\n",
                    "transfer-encoding : chunked\r\n",
                    "transfer-encoding:\r\n chunked\r\n",
                ][fastrand::usize(..3)],
                &chunk,
            ),
            24 => post("transfer-encoding: chunked\r\n", &format!("ffffffffffffffffff\r\n{smuggled}")),
            25 => format!(
                "GET /{word}{path} HTTP/1.1\r\nhost: {own}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
            ),
            26 => format!(
                "GET /{word}{path} HTTP/1.1\r\nhost: {own}\r\nx-forwarded-host: {other}\r\nforwarded: host={other}\r\n\
                 x-original-url: http://{other}/\r\n{end}"
            ),
            _ => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        };
        self.send(&text)
    }

    fn send(&self, text: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(self.own).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(300))).ok()?;
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = Vec::new();
        // Everything until the end, or until nothing more arrives.
        let _ = stream.take(64 * 1024).read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
    }
}

/// P4: a service that repeats the token in its answers, split at any point.
pub(super) fn answers(ground: &Ground) -> Outcome {
    const EACH: usize = 1024 * 1024;
    let total: usize = ground.scale.pick(12 * EACH, 1024 * EACH);
    let mut tally = Tally::of("answers");
    let origin = Listener::bind()?;
    let planted = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&planted);
    origin.serve(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            while let Some(request) = Received::read(&mut stream).await? {
                let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
                let token = token.unwrap_or_default().to_owned();
                let mut body = Vec::with_capacity(EACH + token.len());
                while body.len() < EACH {
                    let filler = fastrand::usize(..200_000);
                    body.extend((0..filler).map(|at| b"eyJhbGci.{\"x"[at % 12]));
                    body.extend_from_slice(token.as_bytes());
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                counted.fetch_add(1, Ordering::Relaxed);
                let head =
                    format!("HTTP/1.1 200 OK\r\nx-seen: {token}\r\ntransfer-encoding: chunked\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let mut rest = &body[..];
                while !rest.is_empty() {
                    let size =
                        if fastrand::bool() { fastrand::usize(1..60) } else { fastrand::usize(1..60_000) };
                    let (chunk, left) = rest.split_at(size.min(rest.len()));
                    stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                    stream.write_all(chunk).await?;
                    stream.write_all(b"\r\n").await?;
                    rest = left;
                }
                stream.write_all(b"0\r\n\r\n").await?;
            }
            Ok(())
        }
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (masked, bytes) = runtime.block_on(async {
        let options = ProxyOptions::new(format!("http://{}/api", origin.address));
        let proxy = Proxy::start(options, Fixed(TOKEN.into())).await?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mask = "*".repeat(TOKEN.len());
        let (mut masked, mut bytes) = (0, 0);
        while bytes < total {
            let answer = http.get(format!("{}/posts", proxy.base_url())).send().await?;
            let seen = answer.headers().get("x-seen").cloned();
            masked += u64::from(seen.as_ref().is_some_and(|value| value.as_bytes() == mask.as_bytes()));
            let body = String::from_utf8(answer.bytes().await?.to_vec())?;
            let whole = !body.contains(TOKEN) && seen.is_some_and(|value| value != TOKEN);
            tally.check(whole, || "an answer repeats the token".to_owned());
            masked += body.matches(&mask).count() as u64;
            bytes += body.len();
        }
        proxy.stop().await;
        Ok::<_, Failed>((masked, bytes))
    })?;
    let planted = planted.load(Ordering::Relaxed);
    tally.same("tokens that were masked", masked, planted);
    tally.fault("tokens in answers", planted, 12);
    tally.fact(format!("{} MiB", bytes / EACH));
    Ok(tally)
}

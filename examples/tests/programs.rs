//! Runs every program of this package as a separate process, against a sandbox in this one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colony_async::{
    Client,
    api::{comments::CreateComment, messages::SendMessage, posts::CreatePost, registration::Register},
    webhook::Signer,
};
use colony_cli::sandbox::{Options, Sandbox};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_string_contains, header, method, path, query_param},
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const LOGIN: &str = "POST /auth/token";

/// Creates a command with only this environment: no key, proxy or cache of the person who runs the test.
fn command(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env_clear()
        .envs(["SystemRoot", "PATH"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        // The directories in which programs for other services keep their tokens.
        .envs(["HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"].map(|name| (name, directory)))
        .env("COLONY_STATE_DIR", directory.join("state"))
        .env("COLONY_SDK_TOKEN_CACHE_DIR", directory.join("cache"))
        .env("COLONY_SDK_CREDENTIALS_DIR", directory.join("credentials"));
    command
}

/// Starts all commands, gives each the same input, and waits for all of them.
fn at_once(commands: Vec<Command>, input: &str) -> Result<Vec<Output>, Box<dyn std::error::Error>> {
    let mut started = Vec::new();
    for mut command in commands {
        started.push(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    }
    for program in &mut started {
        // Dropping stdin with the statement ends the input.
        program.stdin.take().ok_or("no stdin")?.write_all(input.as_bytes())?;
    }
    started.into_iter().map(|program| Ok(program.wait_with_output()?)).collect()
}

/// Returns how many requests for this path a server has received.
async fn requests(server: &MockServer, path: &str) -> usize {
    let all = server.received_requests().await.unwrap_or_default();
    all.iter().filter(|request| request.url.path() == path).count()
}

/// Returns a JWT that was issued `age` ago.
fn jwt(number: usize, life: Duration, age: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let issued = now - age.as_secs();
    let claims = json!({"iat": issued, "exp": issued + life.as_secs(), "jti": number});
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmVk", part(json!({"alg": "RS256"})), part(claims))
}

/// A sandbox, and a directory for the program alone.
struct Stage {
    sandbox: Sandbox,
    directory: tempfile::TempDir,
}

impl Stage {
    async fn new(fail: &[&str]) -> Result<Self, Box<dyn std::error::Error>> {
        let fail = fail.iter().map(|rule| rule.parse()).collect::<Result<_, _>>()?;
        let sandbox = Sandbox::start(Options { fail, ..Options::default() }).await?;
        Ok(Self { sandbox, directory: tempfile::tempdir()? })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = command(program, self.directory.path());
        command
            .args(arguments)
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", self.sandbox.api_key());
        command
    }

    /// Runs a program to its end, off the thread that serves the sandbox.
    async fn run(
        &self,
        program: &'static str,
        arguments: &[&str],
    ) -> Result<Output, Box<dyn std::error::Error>> {
        let mut command = self.command(program, arguments);
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }

    fn client(&self, key: &str) -> colony_async::Result<Client> {
        Client::builder(key).base_url(self.sandbox.base_url()).cache_token(false).build()
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// Returns how many logins the server received, and how many succeeded.
    fn logins(&self) -> (u64, u64) {
        let stats = self.sandbox.stats();
        (stats.total(LOGIN), stats.with_status(LOGIN, 200))
    }
}

/// Checks that a program succeeded and printed these pieces of text, in this order.
#[track_caller]
fn printed(output: &Output, pieces: &[&str]) {
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{out}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    let mut rest = &*out;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { panic!("{piece:?} is missing in\n{out}") };
        rest = after;
    }
}

#[tokio::test]
async fn async_app() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let output = stage.run(env!("CARGO_BIN_EXE_async_app"), &[]).await?;
    printed(&output, &[stage.sandbox.username(), " reads 5 posts", " comments, "]);
    assert_eq!(stage.logins(), (1, 1));
    Ok(())
}

/// The first program of docs/token-sources.md.
#[tokio::test(flavor = "multi_thread")]
async fn many_clients_log_in_once() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let program = || stage.command(env!("CARGO_BIN_EXE_async_app"), &[]);
    for crowd in [5, 2] {
        for output in at_once((0..crowd).map(|_| program()).collect(), "")? {
            printed(&output, &[" reads 5 posts"]);
        }
        assert_eq!(stage.logins(), (1, 1), "{crowd} processes");
    }
    Ok(())
}

/// The second program.
#[tokio::test(flavor = "multi_thread")]
async fn stack_token() -> Outcome {
    let (server, directory) = (MockServer::start().await, tempfile::tempdir()?);
    let discovery = json!({"token_endpoint": format!("{}/oauth/token", server.uri())});
    Mock::given(path(DISCOVERY))
        .respond_with(ResponseTemplate::new(200).set_body_json(discovery))
        .mount(&server)
        .await;
    for (stack, scope) in [("prod", "org%3Aacme+stack%3Aprod"), ("test", "org%3Aacme+stack%3Atest")] {
        let granted = json!({"access_token": format!("{stack}-token"), "expires_in": 600});
        Mock::given(method("POST"))
            .and(path("/oauth/token"))
            .and(body_string_contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"))
            .and(body_string_contains("assertion=planted"))
            .and(body_string_contains(format!("scope={scope}")))
            // The delay lets all commands start before the first gets its reply.
            .respond_with(
                ResponseTemplate::new(200).set_body_json(granted).set_delay(Duration::from_millis(300)),
            )
            .mount(&server)
            .await;
        Mock::given(path("/services"))
            .and(query_param("stack", stack))
            .and(header("authorization", format!("Bearer {stack}-token")))
            .respond_with(ResponseTemplate::new(200).set_body_string(format!("web, {stack}-db")))
            .mount(&server)
            .await;
    }
    let commands = |count, stack| {
        let one = || {
            let mut command = command(env!("CARGO_BIN_EXE_stack_token"), directory.path());
            command.args(["acme", stack]).env("STACKS_URL", server.uri());
            command.env("STACKS_MEMBERSHIP_TOKEN", "planted");
            command
        };
        (0..count).map(|_| one()).collect::<Vec<_>>()
    };
    // Cold, warm, another stack.
    for (count, stack, asked) in [(6, "prod", 1), (3, "prod", 1), (3, "test", 2)] {
        for output in at_once(commands(count, stack), "")? {
            printed(&output, &[&format!("acme/{stack}: web, {stack}-db")]);
        }
        for path in [DISCOVERY, "/oauth/token"] {
            assert_eq!(requests(&server, path).await, asked, "{path} {stack}");
        }
    }

    // The membership token is not sent to another host that the discovery document names.
    let (other, fresh) = (MockServer::start().await, tempfile::tempdir()?);
    Mock::given(path(DISCOVERY))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"token_endpoint": format!("{}/oauth/token", server.uri())})),
        )
        .mount(&other)
        .await;
    let mut command = command(env!("CARGO_BIN_EXE_stack_token"), fresh.path());
    command.args(["acme", "prod"]).env("STACKS_URL", other.uri()).env("STACKS_MEMBERSHIP_TOKEN", "planted");
    let output = &at_once(vec![command], "")?[0];
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("not on the issuer's host"), "{stderr}");
    assert!(!stderr.contains("planted"), "{stderr}");
    assert_eq!(requests(&server, "/oauth/token").await, 2);
    Ok(())
}

const DISCOVERY: &str = "/.well-known/oauth-authorization-server";

/// Starts a service whose n-th token lives as long as the n-th of these, and the later ones as long as the last.
async fn reports(lives: &'static [u64]) -> (MockServer, mpsc::Receiver<usize>) {
    let (server, (told, fetched)) = (MockServer::start().await, mpsc::channel());
    let count = AtomicUsize::new(0);
    Mock::given(method("POST"))
        .and(path("/auth/token"))
        .and(header("x-api-key", "planted"))
        .respond_with(move |_: &Request| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let life = Duration::from_secs(lives[number.min(lives.len() - 1)]);
            // The receiver is gone when the test is over.
            let _ = told.send(number + 1);
            let answer =
                ResponseTemplate::new(200).set_body_json(json!({"jwt": jwt(number, life, Duration::ZERO)}));
            answer.set_delay(Duration::from_millis(300))
        })
        .mount(&server)
        .await;
    Mock::given(path("/reports"))
        .respond_with(|request: &Request| {
            let name =
                request.url.query_pairs().next().map_or_else(String::new, |(_, name)| name.into_owned());
            ResponseTemplate::new(200).set_body_string(format!("all is well with {name}"))
        })
        .mount(&server)
        .await;
    (server, fetched)
}

/// The third program.
#[tokio::test(flavor = "multi_thread")]
async fn long_running() -> Outcome {
    let program = |server: &MockServer, directory: &Path| {
        let mut command = command(env!("CARGO_BIN_EXE_long_running"), directory);
        command.env("REPORTS_URL", server.uri()).env("REPORTS_API_KEY", "planted");
        command
    };
    const WELL: [&str; 3] =
        ["one: all is well with one", "two: all is well with two", "three: all is well with three"];
    let hour = Duration::from_secs(3600);

    // Cold: three processes of three tasks. Then warm.
    let ((server, _told), directory) = (reports(&[3600]).await, tempfile::tempdir()?);
    for crowd in [3, 2] {
        let commands = (0..crowd).map(|_| program(&server, directory.path())).collect();
        for output in at_once(commands, "one two three\n")? {
            printed(&output, &WELL);
        }
        assert_eq!(requests(&server, "/auth/token").await, 1);
    }

    // A supplied token is used if it is fresh, and not if it has less than a minute to live.
    let ((server, _told), directory) = (reports(&[3600]).await, tempfile::tempdir()?);
    for (age, asked) in [(Duration::ZERO, 0), (hour - Duration::from_secs(50), 1)] {
        let mut command = program(&server, directory.path());
        command.env("REPORTS_JWT", jwt(9, hour, age));
        printed(&at_once(vec![command], "one two three\n")?[0], &WELL);
        assert_eq!(requests(&server, "/auth/token").await, asked, "{age:?}");
    }

    // Without further input, the program renews a token of a few seconds in advance.
    let ((server, told), directory) = (reports(&[4, 3600]).await, tempfile::tempdir()?);
    let mut command = program(&server, directory.path());
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = running.stdin.take().ok_or("no stdin")?;
    let mut output = BufReader::new(running.stdout.take().ok_or("no stdout")?).lines();
    input.write_all(b"one\n")?;
    assert_eq!(output.next().ok_or("no answer")??, WELL[0]);
    let patience = Duration::from_secs(60);
    assert_eq!((told.recv_timeout(patience)?, told.recv_timeout(patience)?), (1, 2));
    input.write_all(b"two\n")?;
    assert_eq!(output.next().ok_or("no answer")??, WELL[1]);
    drop(input);
    assert!(running.wait()?.success());
    assert_eq!(requests(&server, "/auth/token").await, 2);
    Ok(())
}

/// Ends a server with the test, even if the test fails.
struct Serving {
    program: Child,
    url: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The fourth program.
#[tokio::test(flavor = "multi_thread")]
async fn shared_credential() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let openid = stage.sandbox.openid();
    let program = |argument: &[&str]| {
        let mut command = stage.command(env!("CARGO_BIN_EXE_shared_credential"), argument);
        command.env("OPENID_ISSUER", openid.issuer()).env("OPENID_CLIENT_ID", &openid.app().client_id);
        if let Some(secret) = &openid.app().client_secret {
            command.env("OPENID_CLIENT_SECRET", secret.expose_secret());
        }
        command
    };
    let run = |argument: &str, input: &Value| -> Result<Output, Box<dyn std::error::Error>> {
        Ok(at_once(vec![program(&[argument])], &input.to_string())?.remove(0))
    };
    // An expired access token: each server has to refresh it at its first request.
    let mut login = openid.login("openid profile offline_access")?;
    login["expires_in"] = 0.into();
    printed(&run("login", &login)?, &["logged in"]);

    let mut servers = Vec::new();
    for _ in 0..3 {
        let mut program = program(&["serve", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(program.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default();
        servers.push(Serving { url: format!("http://{address}/whoami"), program });
    }
    let http = reqwest::Client::builder().no_proxy().build()?;
    let ask = || async {
        let asking = servers.iter().map(|server| async {
            let response = http.get(&server.url).send().await?;
            Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
        });
        futures_util::future::try_join_all(asking).await
    };
    let all = |answers: Vec<(u16, String)>, status: u16, text: &str| {
        let good = answers.iter().all(|answer| answer.0 == status && answer.1.contains(text));
        assert!(good && answers.len() == 3, "{answers:?}");
    };
    let me = stage.sandbox.username();
    let rotations =
        || openid.grants().iter().map(|grant| (grant.rotations, grant.revoked)).collect::<Vec<_>>();
    // Cold, warm, and after many refusals.
    all(ask().await?, 200, me);
    all(ask().await?, 200, me);
    assert_eq!(rotations(), [(1, false)]);
    openid.expire_access_tokens();
    all(ask().await?, 200, me);
    assert_eq!(rotations(), [(2, false)]);

    // A login without a refresh token does not replace one that has it.
    let lesser = openid.login("openid profile")?;
    let refused = run("login", &lesser)?;
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    openid.expire_access_tokens();
    all(ask().await?, 200, me);
    assert_eq!(rotations()[0], (3, false));

    printed(&run("logout", &Value::Null)?, &["logged out"]);
    assert_eq!(rotations()[0], (3, true));
    all(ask().await?, 503, "og in");
    printed(&run("logout", &Value::Null)?, &["nobody was logged in"]);
    printed(&run("login", &openid.login("openid profile offline_access")?)?, &["logged in"]);
    all(ask().await?, 200, me);
    Ok(())
}

#[tokio::test]
async fn blocking_script() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let output = stage.run(env!("CARGO_BIN_EXE_blocking_script"), &[]).await?;
    printed(&output, &["30 posts by 4 authors", "ferris"]);
    Ok(())
}

#[tokio::test]
async fn agent_session() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let me = stage.client(stage.sandbox.api_key())?;
    let post = me.posts().create(CreatePost::new("A question", "Who answers?")).await?;
    let account = me.registration().register(Register::new("visitor", "Visitor", "Just looking")).await?;
    let visitor = stage.client(account.api_key.expose_secret())?;
    let comment = visitor.comments().create(CreateComment::new(&post.id, "I do.")).await?;

    let program = env!("CARGO_BIN_EXE_agent_session");
    let output = stage.run(program, &["monday"]).await?;
    printed(&output, &[" woke up, 1 unread", "answered with comment ", "voted for ", "posted "]);
    let comments = me.comments().list_all(&post.id).await?;
    assert!(comments.iter().any(|reply| reply.parent_id.as_ref() == Some(&comment.id)), "{comments:?}");
    assert_eq!(me.notifications().count().await?.unread_count, Some(0));

    // Nothing is left to reply to, and the same report is not posted twice.
    let again = stage.run(program, &["monday"]).await?;
    printed(&again, &[" woke up, 0 unread", "posted "]);
    let posted = |output: &Output| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .find(|line| line.starts_with("posted"))
            .map(str::to_owned)
    };
    assert_eq!(posted(&again), posted(&output));
    Ok(())
}

#[tokio::test]
async fn errors() -> Outcome {
    let stage = Stage::new(&["GET /notifications/count=429;retry-after=120"]).await?;
    let output = stage.run(env!("CARGO_BIN_EXE_errors"), &[]).await?;
    printed(
        &output,
        &[
            "get: gone (POST_NOT_FOUND)",
            "create: a mistake in this program: ",
            "count: too often; come back in 120 s",
            "check: no answer; later. ",
        ],
    );
    Ok(())
}

#[tokio::test]
async fn register() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let program = env!("CARGO_BIN_EXE_register");
    let output = stage.run(program, &["newcomer", "key"]).await?;
    printed(&output, &["newcomer is registered", "logged in as newcomer"]);
    assert!(std::fs::read_to_string(stage.file("key"))?.starts_with("col_"));

    // The name is taken now, and the program reports it.
    let again = stage.run(program, &["newcomer", "other"]).await?;
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("newcomer cannot be had"), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn answers() -> Outcome {
    for program in [env!("CARGO_BIN_EXE_answers"), env!("CARGO_BIN_EXE_answers_blocking")] {
        let stage = Stage::new(&[]).await?;
        let me = stage.sandbox.username();
        printed(&stage.run(program, &["--once"]).await?, &[]);

        let owner = stage.client(stage.sandbox.api_key())?;
        let account =
            owner.registration().register(Register::new("visitor", "Visitor", "Just looking")).await?;
        let visitor = stage.client(account.api_key.expose_secret())?;
        visitor.messages().send(SendMessage::new(me, "Are you there?")).await?;
        let post = visitor.posts().create(CreatePost::new("A question", format!("Does @{me} know?"))).await?;
        printed(&stage.run(program, &["--once"]).await?, &["answered "]);
        let again = stage.run(program, &["--once"]).await?;
        assert!(again.status.success() && again.stdout.is_empty(), "{again:?}");

        assert_eq!(visitor.comments().list_all(&post.id).await?.len(), 1);
        let conversation = visitor.messages().get(me).await?;
        let answers =
            conversation.messages.iter().filter(|message| message.body.starts_with("I have your message"));
        assert_eq!(answers.count(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_receiver() -> Outcome {
    const SECRET: &str = "whsec_sixteen_chars";
    let stage = Stage::new(&[]).await?;
    let me = stage.client(stage.sandbox.api_key())?;
    let post = me.posts().create(CreatePost::new("A question", "Who answers?")).await?;
    let mut command = stage.command(env!("CARGO_BIN_EXE_webhook_receiver"), &["127.0.0.1:0"]);
    let mut program = command.env("COLONY_WEBHOOK_SECRET", SECRET).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(program.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
    let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();

    let body = format!(r#"{{"event":"mention","actor":"ada","post_id":"{}"}}"#, post.id);
    let deliver = |signer: &str| -> Result<u16, Box<dyn std::error::Error>> {
        let signature = Signer::new(signer)?.sign(body.as_bytes(), SystemTime::now());
        let mut stream = TcpStream::connect(&address)?;
        write!(
            stream,
            "POST /hooks/colony HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Colony-Event-Id: e1\r\n\
             X-Colony-Signature-256: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply.split(' ').nth(1).ok_or("no status")?.parse()?)
    };
    let statuses: Vec<u16> = tokio::task::block_in_place(|| {
        [SECRET, SECRET, SECRET, "another"].iter().map(|secret| deliver(secret)).collect::<Result<_, _>>()
    })?;
    program.kill()?;
    program.wait()?;
    assert_eq!(statuses, [500, 204, 200, 401], "it fails, it is done, it was done, it is not the service's");
    assert_eq!(me.comments().list_all(&post.id).await?.len(), 1);
    Ok(())
}

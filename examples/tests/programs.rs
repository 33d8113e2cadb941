//! Runs every program of this package as a process of its own, against a sandbox in this one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
    time::SystemTime,
};

use colony_async::{
    Client,
    api::{comments::CreateComment, messages::SendMessage, posts::CreatePost, registration::Register},
    webhook::Signer,
};
use colony_cli::sandbox::{Options, Sandbox};
use secrecy::ExposeSecret;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const LOGIN: &str = "POST /auth/token";

/// A sandbox, and a directory that is the program's own.
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
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.directory.path())
            // Only what is set here: no key, proxy or cache of the person who runs the test.
            .env_clear()
            .envs(["SystemRoot", "PATH"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", self.sandbox.api_key())
            .env("COLONY_STATE_DIR", self.directory.path().join("state"))
            .env("COLONY_SDK_TOKEN_CACHE_DIR", self.directory.path().join("cache"));
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

    /// How often the server was asked to log somebody in, and did.
    fn logins(&self) -> (u64, u64) {
        let stats = self.sandbox.stats();
        (stats.total(LOGIN), stats.with_status(LOGIN, 200))
    }
}

/// Checks that a program ended well and printed these pieces of text, in this order.
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

#[tokio::test]
async fn blocking_script() -> Outcome {
    let stage = Stage::new(&[]).await?;
    let output = stage.run(env!("CARGO_BIN_EXE_blocking_script"), &[]).await?;
    printed(&output, &["30 posts by 4 authors", "ferris"]);
    Ok(())
}

#[tokio::test]
async fn shared_token() -> Outcome {
    let stage = Stage::new(&[]).await?;
    // The second run finds the token of the first.
    for _ in 0..2 {
        let output = stage.run(env!("CARGO_BIN_EXE_shared_token"), &[]).await?;
        printed(&output, &["12 clients hold the same token"]);
        assert_eq!(stage.logins(), (1, 1));
    }
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

    // Nothing is left to answer, and the same report is not posted twice.
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

    // The name is taken now, and the program says so.
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

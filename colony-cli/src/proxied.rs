//! `colony proxy`, and the proxy of `colony exec --proxy`.
//!
//! That command replaces this program, so that signals, stops and the exit code are its own. Its proxy runs in a
//! separate process, the *keeper*, which ends when the command does. The keeper is no child of the command, which may
//! wait for all its children, and is not in its process group, which a terminal stops or interrupts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use colony_async::credential::RotatingCredential;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    args::{Global, KeeperArgs, ProxyArgs, Toward},
    auth, client,
    failure::Failure,
    output::Output,
    proxy::{Allow, AudienceSource, ClientTokens, CredentialTokens, Listen, Options, Proxy, TokenSource},
    signals,
};

/// The name of the keeper's command.
const KEEPER: &str = "proxy-keeper";
/// The longest text that a keeper receives or sends, in bytes.
const MOST: u64 = 64 * 1024;

pub(crate) async fn run(global: &Global, args: ProxyArgs, output: &Output) -> Result<(), Failure> {
    let mut arriving = signals::arriving()?;
    let ProxyArgs { listen, audience } = args;
    let (global, allow) = &patterns(global)?;
    let allow = read(allow)?;
    let running = tokio::select! {
        running = Running::start(global, audience.as_ref(), listen, allow, None) => running?,
        Some(number) = arriving.recv() => signals::end(128 + number),
    };
    let proxy = &running.proxy;
    if output.json {
        output.line(&told(proxy, audience.as_ref()).to_string());
    } else if let Some(socket) = proxy.socket() {
        let socket = socket.display();
        output.line(&format!(
            "Listening at {socket} until Ctrl-C\n\n  curl --unix-socket {socket} {}/users/me",
            proxy.base_url()
        ));
    } else {
        output.line(&format!(
            "Listening until Ctrl-C; anyone who knows this address can use the login:\n\n  export COLONY_BASE_URL={}",
            proxy.base_url()
        ));
    }
    // A proxy whose address could not be printed is useless.
    output.finish()?;
    let _ = arriving.recv().await;
    running.stop().await;
    Ok(())
}

/// Returns the global options without `--allow`, which otherwise names operations, and the request patterns from it.
pub(crate) fn patterns(global: &Global) -> Result<(Global, Vec<String>), Failure> {
    let mut global = global.clone();
    let patterns = std::mem::take(&mut global.policy.allow);
    read(&patterns)?;
    Ok((global, patterns))
}

fn read(patterns: &[String]) -> Result<Vec<Allow>, Failure> {
    let read =
        |text: &String| text.parse().map_err(|error| Failure::usage(format!("--allow {text:?}: {error}")));
    patterns.iter().map(read).collect()
}

/// Returns the description of a proxy for scripts.
fn told(proxy: &Proxy, toward: Option<&Toward>) -> serde_json::Value {
    json!({
        "base_url": proxy.base_url(), "token": proxy.word().map(|word| word.expose_secret()),
        "socket": proxy.socket(), "audience": toward.map(|toward| &toward.audience),
    })
}

/// A proxy with the login in use.
struct Running {
    proxy: Proxy,
    /// Completes a refresh in progress before the program ends.
    credential: Option<RotatingCredential>,
}

impl Running {
    /// Logs in if necessary, so that a refused login fails here and not at the first caller, and starts the proxy.
    async fn start(
        global: &Global,
        toward: Option<&Toward>,
        listen: Listen,
        allow: Vec<Allow>,
        given: Option<Given>,
    ) -> Result<Self, Failure> {
        let mut options = Options::new(match toward {
            Some(toward) => toward.url.clone(),
            None => client::base_url(global)?,
        });
        options.listen = listen;
        options.allow = allow;
        options.timeout = global.timeout;
        options.ca_file.clone_from(&global.ca_file);
        options.answers_login = toward.is_none();
        let (key, token) = given.map_or((None, None), |given| (given.api_key, given.token));
        let mut credential = None;
        let tokens: Box<dyn TokenSource> =
            if key.is_some() || toward.is_some() || client::find_key(global)?.is_some() {
                let mut builder = match key {
                    Some(key) => client::builder_for(global, Some(key))?,
                    None => client::builder(global)?,
                };
                if let Some(token) = token.filter(|_| toward.is_none()) {
                    builder = builder.seed_token(token);
                }
                let client = builder.build()?;
                match toward {
                    Some(toward) => Box::new(AudienceSource::new(client, &toward.audience)),
                    None => Box::new(ClientTokens::new(client)),
                }
            } else {
                let rotating = auth::rotating(global).await?;
                credential = Some(rotating.clone());
                Box::new(CredentialTokens::new(rotating))
            };
        tokens.token().await?;
        Ok(Self { proxy: Proxy::start(options, tokens).await?, credential })
    }

    async fn stop(self) {
        self.proxy.stop().await;
        if let Some(credential) = self.credential {
            credential.close().await;
        }
    }
}

/// The data that a keeper receives on stdin from the program that starts it, never as arguments.
#[derive(Default, Deserialize)]
struct Given {
    /// Set if no profile has the key.
    api_key: Option<SecretString>,
    token: Option<SecretString>,
}

/// The data that a command needs to use its proxy.
#[derive(Deserialize)]
pub(crate) struct ForCommand {
    pub(crate) base_url: String,
    /// The proxy's word.
    pub(crate) token: SecretString,
}

/// Starts a keeper for the command that is about to replace this program.
pub(crate) fn keep(
    global: &Global,
    toward: Option<&Toward>,
    allow: &[String],
    token: &SecretString,
) -> Result<ForCommand, Failure> {
    if cfg!(not(unix)) {
        return Err(Failure::usage(
            "--proxy: on this system no command can replace a program; run `colony proxy` beside it",
        ));
    }
    let api_key = match client::find_key(global)? {
        Some(client::Found::Key(key, _)) => Some(key),
        // A keeper runs the key's program itself.
        _ => None,
    };
    let mut keeper = this_program()?;
    keeper.args(global.repeated());
    keeper.args([KEEPER, "--process", &std::process::id().to_string()]);
    if let Some(toward) = toward {
        keeper.args(["--audience", &format!("{}={}", toward.audience, toward.url)]);
    }
    for allow in allow {
        keeper.args(["--pass", allow]);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
    let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = keeper.stdin.take() {
        let given = json!({
            "api_key": api_key.as_ref().map(|key| key.expose_secret()), "token": token.expose_secret(),
        });
        // A keeper that has already ended has reported why.
        let _ = stdin.write_all(given.to_string().as_bytes());
    }
    let mut line = String::new();
    if let Some(stdout) = keeper.stdout.take() {
        BufReader::new(stdout.take(MOST)).read_line(&mut line)?;
    }
    keeper.wait()?;
    serde_json::from_str(&line).map_err(|_| Failure::Local("the proxy did not start; see above".to_owned()))
}

/// Returns a command for this program, under the name that it was called by.
fn this_program() -> std::io::Result<Command> {
    let command = Command::new(std::env::current_exe()?);
    #[cfg(unix)]
    if let Some(name) = std::env::args_os().next() {
        let mut command = command;
        std::os::unix::process::CommandExt::arg0(&mut command, name);
        return Ok(command);
    }
    Ok(command)
}

/// Runs a proxy until a process has ended.
pub(crate) fn keeper(global: &Global, args: KeeperArgs, output: &Output) -> Result<(), Failure> {
    if !args.is_detached {
        // A double fork: the process that stays is no child of the command.
        let mut own: Vec<_> = std::env::args_os().skip(1).collect();
        own.push("--detached".into());
        this_program()?.args(own).spawn()?;
        return Ok(());
    }
    let mut text = Vec::new();
    std::io::stdin().take(MOST).read_to_end(&mut text)?;
    let given: Given = serde_json::from_slice(&text)
        .map_err(|_| Failure::usage("this command is started by `colony exec`"))?;
    let runtime = crate::runtime()?;
    let outcome = runtime.block_on(async {
        signals::survive_file_limit();
        // Before the command can start, so that its process id is not reused.
        let process = Watched::open(args.process)?;
        let running =
            Running::start(global, args.audience.as_ref(), Listen::default(), args.pass, Some(given)).await?;
        output.line(&told(&running.proxy, None).to_string());
        output.finish()?;
        process.end().await?;
        running.stop().await;
        Ok(())
    });
    runtime.shutdown_background();
    outcome
}

/// A process whose end is awaited.
#[cfg(target_os = "linux")]
struct Watched(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Watched {
    fn open(process: i32) -> Result<Self, Failure> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};

        let pid =
            Pid::from_raw(process).ok_or_else(|| Failure::usage(format!("there is no process {process}")))?;
        Ok(Self(pidfd_open(pid, PidfdFlags::empty()).map_err(std::io::Error::from)?))
    }

    async fn end(self) -> std::io::Result<()> {
        use rustix::event::{PollFd, PollFlags, poll};

        // On a blocking thread, since passing a descriptor to the runtime requires unsafe code. The descriptor becomes
        // readable when the process has ended (pidfd_open(2)).
        let ended = tokio::task::spawn_blocking(move || {
            while let Err(rustix::io::Errno::INTR) = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None) {}
        });
        ended.await.map_err(std::io::Error::other)
    }
}

#[cfg(not(target_os = "linux"))]
struct Watched(
    #[cfg_attr(not(unix), allow(dead_code, reason = "there no command takes a program's place"))] i32,
);

#[cfg(not(target_os = "linux"))]
impl Watched {
    fn open(process: i32) -> Result<Self, Failure> {
        Ok(Self(process))
    }

    async fn end(self) -> std::io::Result<()> {
        const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);
        while self.is_there() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    #[cfg(unix)]
    fn is_there(&self) -> bool {
        rustix::process::Pid::from_raw(self.0)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }

    /// Returns false: on this system no command replaces a program, see [`keep`].
    #[cfg(not(unix))]
    fn is_there(&self) -> bool {
        false
    }
}

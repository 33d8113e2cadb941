//! R20: secrets are planted in every possible place, and everything that a process writes is searched for them.

use std::{
    fmt::Debug,
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Stdio},
    time::Duration,
};

use colony_async::api::{account::GetMe, webhooks::CreateWebhook};
use colony_core::{Error, retry::RetryPolicy, token::envelope::Envelope};

use super::{
    Ground, Outcome, Tally,
    scene::{KEY, Scene, real_time},
};
use crate::service::Answer;

const TOTP: &str = "plantedtotp12";
const WEBHOOK: &str = "planted-webhook-secret";
const PROXY: &str = "planted-proxy-password";
const NEW_KEY: &str = "col_planted_new_key_0123456789";
const RECOVERY: &str = "planted-recovery-token";
const IN_FILE: &str = "planted.token.in-the-file";
/// Part of every token of the scripted server.
const ISSUED: &str = "plantedsignature";

/// The secrets to search for, with their names.
const PLANTED: [(&str, &str); 8] = [
    ("the API key", KEY),
    ("a token from a login", ISSUED),
    ("a token in the file", IN_FILE),
    ("a two-factor code", TOTP),
    ("a webhook's secret", WEBHOOK),
    ("a proxy's password", PROXY),
    ("a new API key in a reply", NEW_KEY),
    ("a recovery token", RECOVERY),
];

/// Runs sessions in which logins succeed, are refused with a message that repeats everything that was sent, or are
/// cut off; in which calls are refused, and one returns a new key. With both clients, at TRACE.
pub(super) fn run(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(1, 20);
    let mut tally = Tally::of("searches for a secret");
    let (mut bytes, mut errors, mut used) = (0, 0, 0);
    for _ in 0..rounds {
        for kind in ["async", "blocking"] {
            let scene = Scene::new(ground)?;
            plant(&scene)?;
            scene.service.next([
                Answer::Echo(401),
                Answer::Echo(429),
                Answer::Echo(403),
                Answer::Echo(500),
                Answer::Hangup,
                Answer::Token,
            ]);
            scene.service.answer_body(&format!(r#"{{"api_key": "{NEW_KEY}", "secret": "{WEBHOOK}"}}"#));
            let written = told(&scene, kind)?;
            bytes += written.len() as u64;
            errors += written.matches("shown an error").count() as u64;
            // The secrets were sent, so there was something to leak.
            used += PLANTED.iter().filter(|(_, secret)| scene.service.was_sent(secret)).count() as u64;
            for (what, secret) in PLANTED {
                let hit = written.find(secret).map(|at| {
                    let line = written[..at].rfind('\n').map_or(0, |start| start + 1);
                    written[line..].lines().next().unwrap_or_default()
                });
                tally.check(hit.is_none(), || format!("{what}, {kind}: {:.600}", hit.unwrap_or_default()));
            }
        }
    }
    tally.fault("bytes searched", bytes, rounds * 20_000);
    tally.fault("errors shown in every form", errors, rounds * 12);
    tally.fault("planted secrets seen at the server", used, rounds * 10);
    Ok(tally)
}

/// Writes a file as another program can have left it: its token is stale, and is used only if no other one can be
/// had.
fn plant(scene: &Scene) -> io::Result<()> {
    fs::DirBuilder::new().create(scene.cache())?;
    fs::set_permissions(scene.cache(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let envelope = Envelope { token: IN_FILE.into(), expiry: real_time().floor() + 3_600.5 };
    let text = envelope.write().map_err(io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(scene.file("json"))?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Returns everything that a session writes: to its streams, and beside the token's file.
fn told(scene: &Scene, kind: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut command: Command = scene.place.command();
    command.args(["part", "tell", kind]).stdin(Stdio::null());
    let output = command.output()?;
    let mut written = String::from_utf8_lossy(&output.stdout).into_owned();
    written.push_str(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("the session ended with {}: {written:.2000}", output.status).into());
    }
    for entry in fs::read_dir(scene.cache())? {
        let path = entry?.path();
        written.push_str(&path.to_string_lossy());
        // The token's own file is where tokens belong.
        if path.extension().is_some_and(|extension| extension != "json") {
            written.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(written)
}

/// The part: prints every value that a program can get.
pub(super) fn tell(kind: &str) -> Result<(), Box<dyn std::error::Error>> {
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    log.with_writer(io::stderr).init();
    let key = std::env::var("COLONY_API_KEY")?;
    let webhook = || CreateWebhook::new("https://example.com/hook", ["mention"], WEBHOOK);
    let proxied = || {
        // No program listens there.
        let proxy = format!("http://someone:{PROXY}@127.0.0.1:9");
        colony_async::Client::builder(key.clone()).base_url("http://example.com/api/v1").proxy(proxy)
    };
    show(&proxied());
    show(&webhook());
    if kind == "blocking" {
        let client = settings(colony_blocking::Client::builder(key.clone())).build()?;
        for _ in 0..7 {
            shown(client.execute_json(GetMe::default()));
        }
        shown(client.webhooks().create(webhook()));
        shown(client.auth().confirm_key_recovery(RECOVERY));
        shown(client.auth().rotate_key());
        shown(client.execute_json(GetMe::default()));
        show(&client);
        return Ok(());
    }
    super::scene::runtime()?.block_on(async {
        let client = settings(colony_async::Client::builder(key.clone())).build()?;
        for _ in 0..7 {
            shown(client.execute_json(GetMe::default()).await);
        }
        shown(client.webhooks().create(webhook()).await);
        shown(client.auth().confirm_key_recovery(RECOVERY).await);
        shown(client.auth().rotate_key().await);
        shown(client.execute_json(GetMe::default()).await);
        show(&client);
        shown(proxied().auth_retry(RetryPolicy::none()).build()?.execute_json(GetMe::default()).await);
        Ok(())
    })
}

fn settings<C: colony_async::OverHttp>(builder: colony_async::Builder<C>) -> colony_async::Builder<C> {
    let builder = builder.totp_with(|| TOTP.to_owned()).auth_retry(RetryPolicy::none());
    let builder = builder.ignore_cool_down(true).retry(RetryPolicy::none()).timeout(Duration::from_secs(10));
    show(&builder);
    builder
}

fn show(what: &dyn Debug) {
    tracing::trace!(?what, "shown");
}

/// Prints the result of a call in every form, including a panic's message. The value of a call belongs to the
/// program, and is printed with `Debug` only if that hides secrets.
fn shown<T>(outcome: colony_core::Result<T>) {
    let Err(error) = outcome else { return };
    tracing::trace!(?error, %error, "shown an error");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        tracing::trace!(?cause, %cause, "shown");
        source = cause.source();
    }
    let in_panic: Error = error.clone();
    // The hook writes the message to stderr.
    let _ = std::thread::spawn(move || panic!("{in_panic:?} {in_panic}")).join();
}

//! One process of a crew: it builds its client, prints `ready`, and for each line on stdin makes its calls and prints
//! a report as one line of JSON.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    future::Future,
    io::{self, Write as _},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use colony_async::{
    api::account::GetMe,
    time::{SystemTimer, Timer},
};
use colony_core::{Error, Result, openid::AudienceToken, retry::RetryPolicy};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::{
    plan::{Failure, Order, Plan, Report, digest},
    subject::{self, Subject},
};

type Failed = Box<dyn std::error::Error>;

/// Runs a plan, given as JSON.
///
/// # Errors
///
/// When no client can be built, or the streams are closed.
pub fn run(plan: &str) -> Result<(), Failed> {
    let plan: Plan = serde_json::from_str(plan)?;
    let longest_life = Duration::from_secs(plan.longest_life_s);
    // No test waits for a worker that hangs.
    std::thread::spawn(move || {
        std::thread::sleep(longest_life);
        std::process::exit(3);
    });
    #[cfg(unix)]
    if let Some(mask) = plan.umask {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask as rustix::fs::RawMode));
    }
    let events = Events::default();
    let log = plan.trace.then(|| tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(events.clone()).with(log))?;
    let key = std::env::var("COLONY_API_KEY")?;
    let clock = Skewed::default();
    if plan.subject == Subject::Shared {
        return fetch_and_work(&plan, &clock, &events, &key);
    }
    if plan.blocking {
        let client = configure(colony_blocking::Client::builder(key), &plan, &clock).build()?;
        return work(&plan, &clock, &events, &client, |order| {
            if order.forget {
                client.auth().forget_token()?;
            }
            if let Some(audience) = &plan.audience {
                let token = client.auth().audience(audience).scope(&plan.scope).token()?;
                return Ok(access_token(&plan, token));
            }
            client.execute_json(GetMe::default())?;
            client.auth().token()
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = configure(colony_async::Client::builder(key), &plan, &clock).build()?;
    work(&plan, &clock, &events, &client, |order| {
        runtime.block_on(async {
            if order.forget {
                client.auth().forget_token().await?;
            }
            if let Some(audience) = &plan.audience {
                let token = client.auth().audience(audience).scope(&plan.scope).token().await?;
                return Ok(access_token(&plan, token));
            }
            client.execute_json(GetMe::default()).await?;
            client.auth().token().await
        })
    })
}

/// Does the same with a token that the process fetches itself.
fn fetch_and_work(plan: &Plan, clock: &Skewed, events: &Events, key: &str) -> Result<(), Failed> {
    let base_url = std::env::var("COLONY_BASE_URL")?;
    let directory = std::env::var("COLONY_SDK_TOKEN_CACHE_DIR")?;
    let (program, fetch) =
        (subject::Program::new(plan, base_url.clone())?, subject::fetch(plan, &base_url, key));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if plan.blocking {
        let handle = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let inner = handle.handle().clone();
        let mut builder = colony_blocking::SharedToken::builder(subject::name(key))
            .directory(directory)
            .ignore_cool_down(plan.ignore_cool_down)
            .timer(clock.clone());
        if let Some(limit) = plan.login_deadline_ms {
            builder = builder.deadline(Duration::from_millis(limit));
        }
        let source = builder.mint(move || inner.block_on(fetch())).build()?;
        return work(plan, clock, events, &source, |order| {
            if order.forget {
                source.forget()?;
            }
            program.call(|rejected| match rejected {
                None => source.token(),
                Some(rejected) => source.token_other_than(rejected),
            })
        });
    }
    let mut builder = colony_async::SharedToken::builder(subject::name(key))
        .directory(directory)
        .ignore_cool_down(plan.ignore_cool_down)
        .timer(clock.clone());
    if let Some(limit) = plan.login_deadline_ms {
        builder = builder.deadline(Duration::from_millis(limit));
    }
    let source = builder.mint(fetch).build()?;
    work(plan, clock, events, &source, |order| {
        if order.forget {
            runtime.block_on(source.forget());
        }
        program.call(|rejected| match rejected {
            None => runtime.block_on(source.token()),
            Some(rejected) => runtime.block_on(source.token_other_than(rejected)),
        })
    })
}

/// Returns the access token; the `Debug` output of the whole value goes into the log.
fn access_token(plan: &Plan, token: AudienceToken) -> SecretString {
    if plan.trace {
        tracing::trace!(?token, "exchanged");
    }
    token.access_token
}

fn configure<C: colony_async::OverHttp>(
    mut builder: colony_async::Builder<C>,
    plan: &Plan,
    clock: &Skewed,
) -> colony_async::Builder<C> {
    if let Some(limit) = plan.timeout_ms {
        builder = builder.timeout(Duration::from_millis(limit));
    }
    if let Some(limit) = plan.login_deadline_ms {
        builder = builder.login_deadline(Duration::from_millis(limit));
    }
    if let Some(limit) = plan.lock_timeout_ms {
        builder = builder.lock_timeout(Duration::from_millis(limit));
    }
    if let Some(pause) = plan.first_pause_ms {
        builder = builder.auth_retry(RetryPolicy::for_login().base_delay(Duration::from_millis(pause)));
    }
    if !plan.patient {
        builder = builder.auth_retry(RetryPolicy::none());
    }
    if let Some(code) = plan.totp.clone() {
        builder = builder.totp_with(move || code.clone());
    }
    if let Some(version) = plan.store_version {
        builder = builder.token_store_version(version);
    }
    if plan.trace {
        // The `Debug` output of a builder goes into the log.
        tracing::trace!(?builder, "building");
    }
    // So that a server can tell which process sent a request.
    builder
        .user_agent(std::process::id().to_string())
        .ignore_cool_down(plan.ignore_cool_down)
        .timer(clock.clone())
}

fn work(
    plan: &Plan,
    clock: &Skewed,
    events: &Events,
    client: &dyn std::fmt::Debug,
    call: impl Fn(&Order) -> Result<SecretString>,
) -> Result<(), Failed> {
    let mut stdout = io::stdout();
    writeln!(stdout, "ready")?;
    for line in io::stdin().lines() {
        let line = line?;
        let order = if line == "go" { Order::default() } else { serde_json::from_str(&line)? };
        clock.0.store(order.skew_s, Ordering::Relaxed);
        let start = Instant::now();
        let (mut failure, mut token, mut calls) = (None, None, 0);
        let until = order.during_ms.map(|during| start + Duration::from_millis(during));
        while calls < plan.calls || until.is_some_and(|until| Instant::now() < until) {
            calls += 1;
            match call(&order) {
                Ok(held) => token = Some(digest(held.expose_secret())),
                Err(error) => {
                    if plan.trace {
                        show(client, &error);
                    }
                    failure.get_or_insert(told(&error));
                }
            }
        }
        let took_ms = u64::try_from(start.elapsed().as_millis())?;
        let token = token.filter(|_| failure.is_none());
        let events = events.so_far();
        let report = Report {
            failure,
            token,
            calls,
            warnings: events.warnings.clone(),
            events: events.names.clone(),
            took_ms,
        };
        drop(events);
        writeln!(stdout, "{}", serde_json::to_string(&report)?)?;
    }
    Ok(())
}

/// The system's clock, wrong by this many seconds, so that a day can pass at once.
#[derive(Clone, Default)]
struct Skewed(Arc<AtomicI64>);

impl Timer for Skewed {
    fn now(&self) -> SystemTime {
        let skew = self.0.load(Ordering::Relaxed);
        let distance = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        SystemTimer.sleep(duration)
    }

    fn monotonic(&self) -> Option<Duration> {
        SystemTimer.monotonic()
    }
}

/// Prints every form of an error and a client that a program can print, including a panic's message.
fn show(client: &dyn std::fmt::Debug, error: &Error) {
    tracing::trace!(?client, ?error, %error, "shown");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        tracing::trace!(?cause, %cause, "shown");
        source = cause.source();
    }
    let shown = error.clone();
    // The hook writes the message to stderr.
    let _ = std::thread::spawn(move || panic!("{shown:?}")).join();
}

fn told(error: &Error) -> Failure {
    Failure {
        kind: error.kind().as_str().to_owned(),
        status: error.status(),
        code: error.code().map(str::to_owned),
        retry_after: error.retry_after().map(|wait| wait.as_secs_f64()),
        message: error.to_string(),
    }
}

/// Keeps every event that is meant for people, and counts the token session's by name.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    warnings: Vec<String>,
    names: BTreeMap<String, u64>,
}

impl Events {
    fn so_far(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() == "colony::token" {
            event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if field.name() == "event" {
                    let name = format!("{value:?}").trim_matches('"').to_owned();
                    *self.so_far().names.entry(name).or_default() += 1;
                }
            });
        }
        if *metadata.level() > tracing::Level::WARN {
            return;
        }
        let mut text = metadata.target().to_owned();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            let _ = write!(text, " {field}={value:?}");
        });
        self.so_far().warnings.push(text);
    }
}

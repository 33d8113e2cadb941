//! One process of a crew: builds its client, says `ready`, and for each line on stdin makes its calls and
//! says in one line of JSON what came of them.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use colony_async::api::account::GetMe;
use colony_core::{Error, Result, retry::RetryPolicy};
use colony_tests::plan::{Failure, Plan, Report, digest};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

const LONGEST_LIFE: Duration = Duration::from_secs(120);

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let plan: Plan = serde_json::from_str(&std::env::args().nth(1).ok_or("a plan is missing")?)?;
    // No test waits for a worker that hangs.
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST_LIFE);
        std::process::exit(3);
    });
    let warnings = Warnings::default();
    let log = plan.trace.then(|| tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(warnings.clone()).with(log))?;
    let key = std::env::var("COLONY_API_KEY")?;
    if plan.blocking {
        let client = configure(colony_blocking::Client::builder(key), &plan).build()?;
        return work(&plan, &warnings, &client, || {
            client.execute_json(GetMe::default())?;
            client.auth().token()
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = configure(colony_async::Client::builder(key), &plan).build()?;
    work(&plan, &warnings, &client, || {
        runtime.block_on(async {
            client.execute_json(GetMe::default()).await?;
            client.auth().token().await
        })
    })
}

fn configure<C: colony_async::OverHttp>(
    mut builder: colony_async::Builder<C>,
    plan: &Plan,
) -> colony_async::Builder<C> {
    if let Some(limit) = plan.timeout_ms {
        builder = builder.timeout(Duration::from_millis(limit));
    }
    if !plan.patient {
        builder = builder.auth_retry(RetryPolicy::none());
    }
    if let Some(code) = plan.totp.clone() {
        builder = builder.totp_with(move || code.clone());
    }
    if plan.trace {
        // What `Debug` shows of a builder is a part of the log.
        tracing::trace!(?builder, "building");
    }
    // So that a server can tell whose request it has.
    builder.user_agent(std::process::id().to_string()).ignore_cool_down(plan.ignore_cool_down)
}

fn work(
    plan: &Plan,
    warnings: &Warnings,
    client: &dyn std::fmt::Debug,
    call: impl Fn() -> Result<SecretString>,
) -> Result<(), Failed> {
    let mut stdout = io::stdout();
    writeln!(stdout, "ready")?;
    for line in io::stdin().lines() {
        line?;
        let start = Instant::now();
        let (mut failure, mut token) = (None, None);
        for _ in 0..plan.calls {
            match call() {
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
        let report = Report { failure, token, warnings: warnings.so_far(), took_ms };
        writeln!(stdout, "{}", serde_json::to_string(&report)?)?;
    }
    Ok(())
}

/// Everything of an error and a client that a program may print, a panic's message included.
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

/// Keeps every event that a person is to see.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn so_far(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > tracing::Level::WARN {
            return;
        }
        let mut text = event.metadata().target().to_owned();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            let _ = write!(text, " {field}={value:?}");
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

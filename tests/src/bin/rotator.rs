//! One process of many that share a rotating credential: it prints `ready`, waits for a line on stdin, rotates as
//! ordered and prints a report as one line of JSON.

use std::{
    future::Future,
    io::{self, Write as _},
    pin::Pin,
    time::{Duration, SystemTime},
};

use colony_async::{
    credential::{ClientAuth, CredentialId, CredentialStore, RotatingCredential, Rotation, Unclear},
    time::{SystemTimer, Timer, Uptime},
};
use colony_core::{Error, ErrorKind, Result};
use colony_tests::{
    plan::Failure,
    rotators::{OneToken, Orders, Rotated},
};

const LONGEST_LIFE: Duration = Duration::from_secs(600);

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let orders: Orders = serde_json::from_str(&std::env::args().nth(1).ok_or("orders are missing")?)?;
    // No test waits for one that hangs.
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST_LIFE);
        std::process::exit(3);
    });
    let id = CredentialId::new(&orders.issuer, &orders.client_id);
    let store = CredentialStore::in_directory(&orders.directory, id).lock_limit(Duration::from_secs(300));
    let report = if let Some(one) = &orders.one_token {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        ask(one, &orders.issuer, store, &runtime)?
    } else if orders.blocking {
        let store = colony_blocking::credential::CredentialStore::over(store)?;
        let settings = colony_blocking::credential::RotatingCredential::builder(store);
        let credential = colony_blocking::credential::RotatingCredential::start(settings)?;
        work(&orders, || credential.rotate())?
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let credential = RotatingCredential::builder(store).build();
        work(&orders, || runtime.block_on(credential.rotate()))?
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    Ok(())
}

/// Requests one token, as a program that tries again while it has to wait.
fn ask(
    one: &OneToken,
    issuer: &str,
    store: CredentialStore,
    runtime: &tokio::runtime::Runtime,
) -> Result<Rotated, Failed> {
    let store = store.timer(Wrong(one.wrong));
    let mut settings = RotatingCredential::builder(store).timeout(one.limit).settle(one.settle);
    if let Some(secret) = &one.secret {
        settings = settings
            .client_auth(ClientAuth::Basic(secret.clone().into()))
            .introspection_endpoint(format!("{issuer}/oauth/introspect"));
    }
    if one.refuse {
        settings = settings.unclear(Unclear::Refuse);
    }
    let credential = settings.build();
    writeln!(io::stdout(), "ready")?;
    io::stdin().read_line(&mut String::new())?;
    let mut report = Rotated::default();
    loop {
        match runtime.block_on(credential.token()) {
            Ok(_) => report.own = 1,
            Err(error) if error.kind() == ErrorKind::CredentialBusy && !one.once => {
                report.busy += 1;
                std::thread::sleep(one.pause);
                continue;
            }
            Err(error) => report.failure = Some(told(&error)),
        }
        return Ok(report);
    }
}

/// The system's clock, with a wall clock that is wrong by this many seconds.
struct Wrong(f64);

impl Timer for Wrong {
    fn now(&self) -> SystemTime {
        let wrong = Duration::from_secs_f64(self.0.abs());
        if self.0 < 0.0 { SystemTime::now() - wrong } else { SystemTime::now() + wrong }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        SystemTimer.sleep(duration)
    }

    fn uptime(&self) -> Uptime {
        SystemTimer.uptime()
    }
}

fn work(orders: &Orders, rotate: impl Fn() -> Result<Rotation>) -> Result<Rotated, Failed> {
    writeln!(io::stdout(), "ready")?;
    io::stdin().read_line(&mut String::new())?;
    let mut report = Rotated::default();
    while orders.rotations.is_none_or(|rotations| report.own < rotations) {
        match rotate() {
            Ok(rotation) if rotation.is_own => report.own += 1,
            Ok(_) => {
                report.adopted += 1;
                // Processes that all retry at once would block each other.
                std::thread::sleep(Duration::from_millis(u64::from(std::process::id() % 64)));
            }
            // Another process that shares the credential will log in; this one tries again.
            Err(_) if orders.undaunted => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => {
                report.failure = Some(told(&error));
                break;
            }
        }
    }
    Ok(report)
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

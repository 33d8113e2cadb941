//! `colony demo`: many programs, one login, shown with real processes and a local server.

#[cfg(feature = "redis")]
mod fleet;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use colony_core::api::account::GetMe;
use serde_json::{Value, json};

use crate::{
    args::{DemoArgs, DemoWorkerArgs, WorkerClient},
    failure::Failure,
    output::{Output, whole},
    sandbox::{Options, Sandbox},
};

/// The result of one round.
struct Round {
    name: &'static str,
    cached: bool,
    succeeded: usize,
    logins: u64,
    refused: u64,
    took: Duration,
}

pub(crate) async fn run(args: DemoArgs, output: &Output) -> Result<(), Failure> {
    let processes = args.processes as usize;
    #[cfg(feature = "redis")]
    if args.fleet {
        let rounds = fleet::run(processes, output).await?;
        report(&rounds, fleet::processes(processes), "hosts", output);
        return Ok(());
    }
    let options = Options {
        auth_limit: args.auth_limit,
        auth_latency: Duration::from_millis(50),
        ..Options::default()
    };
    output.say(&format!(
        "Starting a local Colony that allows {} logins an hour, and {processes} programs at a time: half with \
         the async client, half with the blocking one.\n",
        args.auth_limit
    ));
    let mut rounds = Vec::new();
    for cached in [true, false] {
        let sandbox = Sandbox::start(options.clone()).await?;
        let directory = tempfile::tempdir()?;
        for name in ["cold start", "warm start", "tokens revoked"] {
            if name == "tokens revoked" {
                sandbox.revoke_all();
            }
            let cache = if cached { "shared token cache" } else { "cache off" };
            output.say(&format!("  {cache}: {name} …"));
            let crew = Crew::hire(processes, &sandbox, directory.path(), cached, None)?;
            let before = logins(&sandbox);
            let (succeeded, took) = tokio::task::spawn_blocking(move || crew.work())
                .await
                .map_err(|error| Failure::Local(error.to_string()))??;
            let after = logins(&sandbox);
            rounds.push(Round {
                name,
                cached,
                succeeded,
                logins: after.0 - before.0,
                refused: after.1 - before.1,
                took,
            });
        }
        sandbox.stop().await;
    }
    report(&rounds, processes, "shared token cache", output);
    Ok(())
}

fn report(rounds: &[Round], processes: usize, sharing: &str, output: &Output) {
    if output.json {
        let rows: Vec<Value> = rounds
            .iter()
            .map(|round| {
                json!({
                    "round": round.name, "cache": round.cached, "processes": processes, "succeeded": round.succeeded,
                    "logins": round.logins, "refused": round.refused, "seconds": round.took.as_secs_f64(),
                })
            })
            .collect();
        output.value(&rows.into());
        return;
    }
    output.say("");
    let rows = rounds.iter().map(|round| {
        vec![
            if round.cached { sharing } else { "cache off" }.to_owned(),
            round.name.to_owned(),
            processes.to_string(),
            round.succeeded.to_string(),
            round.logins.to_string(),
            round.refused.to_string(),
            format!("{:.2} s", round.took.as_secs_f64()),
        ]
    });
    let columns = ["", "round", "processes", "succeeded", "logins", "refused", "time"].map(whole);
    output.table(&columns, rows.collect());
    output.say("\nlogins: POST /auth/token answered 200; refused: answered 429, counted at the server.");
}

/// Returns the numbers of logins that succeeded and that were refused.
fn logins(sandbox: &Sandbox) -> (u64, u64) {
    let stats = serde_json::to_value(sandbox.stats()).unwrap_or_default();
    let by_status = &stats["routes"]["POST /auth/token"]["by_status"];
    (by_status["200"].as_u64().unwrap_or(0), by_status["429"].as_u64().unwrap_or(0))
}

/// Processes that wait together for the signal to start.
struct Crew(Vec<(Child, ChildStdin)>);

impl Crew {
    fn hire(
        count: usize,
        sandbox: &Sandbox,
        cache: &std::path::Path,
        cached: bool,
        store: Option<&str>,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut crew = Self(Vec::with_capacity(count));
        for number in 0..count {
            let mut command = Command::new(&program);
            command.args(["demo-worker", "--client", if number % 2 == 0 { "async" } else { "blocking" }]);
            if !cached {
                command.arg("--no-cache");
            }
            match store {
                Some(url) => command.env("COLONY_SDK_TOKEN_STORE", url),
                None => command.env_remove("COLONY_SDK_TOKEN_STORE"),
            };
            let mut child = command
                .env("COLONY_BASE_URL", sandbox.base_url())
                .env("COLONY_API_KEY", sandbox.api_key())
                .env("COLONY_SDK_TOKEN_CACHE_DIR", cache)
                .env_remove("COLONY_SDK_TOKEN_STORE_PASSWORD")
                .env_remove("COLONY_SDK_NO_TOKEN_CACHE")
                .env_remove("COLONY_SDK_TOKEN_CACHE_TTL")
                .env("NO_PROXY", "127.0.0.1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let stdin =
                child.stdin.take().ok_or_else(|| Failure::Local("a worker has no stdin".to_owned()))?;
            crew.0.push((child, stdin));
        }
        Ok(crew)
    }

    /// Starts all at the same moment. Returns how many succeeded, and the time until the last one ended.
    fn work(mut self) -> Result<(usize, Duration), Failure> {
        let mut outputs = Vec::new();
        for (child, _) in &mut self.0 {
            let stdout =
                child.stdout.take().ok_or_else(|| Failure::Local("a worker has no stdout".to_owned()))?;
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            stdout.read_line(&mut line)?;
            outputs.push(stdout);
        }
        let start = Instant::now();
        for (_, stdin) in &mut self.0 {
            stdin.write_all(b"go\n")?;
        }
        let mut succeeded = 0;
        for ((child, _), mut stdout) in self.0.iter_mut().zip(outputs) {
            let mut answer = String::new();
            stdout.read_to_string(&mut answer)?;
            let ended = child.wait()?;
            succeeded += usize::from(ended.success() && answer.trim() == "ok");
        }
        Ok((succeeded, start.elapsed()))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // After a failure half-way no process may stay waiting. Killing one that has ended does no harm.
        for (child, _) in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs one of the processes: builds its client, reports that, waits for the signal, makes one call.
pub(crate) fn work(args: DemoWorkerArgs) -> Result<(), Failure> {
    let key = std::env::var("COLONY_API_KEY").unwrap_or_default();
    let wait = || -> std::io::Result<()> {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "ready")?;
        stdout.flush()?;
        std::io::stdin().lock().read_line(&mut String::new()).map(drop)
    };
    match args.client {
        WorkerClient::Blocking => {
            let client = colony_blocking::Client::builder(key).cache_token(!args.no_cache).build()?;
            wait()?;
            client.execute(GetMe::default())?;
        }
        WorkerClient::Async => {
            let runtime = crate::runtime()?;
            let client = colony_async::Client::builder(key).cache_token(!args.no_cache).build()?;
            wait()?;
            runtime.block_on(async { client.execute(GetMe::default()).await })?;
        }
    }
    writeln!(std::io::stdout(), "ok")?;
    Ok(())
}

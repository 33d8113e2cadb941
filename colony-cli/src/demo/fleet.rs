//! `colony demo --fleet`: three hosts, one login. Each host is a cache directory; they share a `redis-server` on this
//! machine.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Crew, Round, logins};
use crate::{
    failure::Failure,
    output::Output,
    sandbox::{Options, Sandbox},
};

const HOSTS: usize = 3;
/// How long a login takes, long enough to act during it.
const LOGIN: Duration = Duration::from_millis(1_500);
const KILL_AFTER: Duration = Duration::from_millis(700);

pub(super) async fn run(processes: usize, output: &Output) -> Result<Vec<Round>, Failure> {
    output.say(&format!(
        "Starting a local Colony, a redis-server, and {HOSTS} hosts with {processes} programs each: half with the async \
         client, half with the blocking one. A login takes {} s.\n",
        LOGIN.as_secs_f64()
    ));
    let mut rounds = Vec::new();
    for (name, with_store, is_killed) in [
        ("each host for itself", false, false),
        ("cold start", true, false),
        ("redis killed meanwhile", true, true),
    ] {
        output.say(&format!("  {name} …"));
        let sandbox = Sandbox::start(Options { auth_latency: LOGIN, ..Options::default() }).await?;
        let outer = tempfile::tempdir()?;
        let mut server = Server::start()?;
        let store = with_store.then(|| format!("redis://127.0.0.1:{}", server.port));
        let hosts: Result<Vec<Crew>, Failure> = (0..HOSTS)
            .map(|host| {
                let directory = outer.path().join(format!("host-{host}"));
                Crew::hire(processes, &sandbox, &directory, true, store.as_deref())
            })
            .collect();
        let hosts = hosts?;
        let work = tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            let working: Vec<_> = hosts.into_iter().map(|crew| thread::spawn(move || crew.work())).collect();
            if is_killed {
                // The crews have received their signal, and the first login is in progress.
                thread::sleep(KILL_AFTER);
                server.kill();
            }
            let mut succeeded = 0;
            for crew in working {
                let ended = crew.join().map_err(|_| Failure::Local("a host panicked".to_owned()))?;
                succeeded += ended?.0;
            }
            // The server lives as long as the round.
            drop(server);
            Ok::<_, Failure>((succeeded, start.elapsed()))
        });
        let (succeeded, took) = work.await.map_err(|error| Failure::Local(error.to_string()))??;
        let (logins, refused) = logins(&sandbox);
        rounds.push(Round { name, cached: true, succeeded, logins, refused, took });
        sandbox.stop().await;
    }
    Ok(rounds)
}

pub(super) fn processes(each: usize) -> usize {
    HOSTS * each
}

/// A `redis-server` without persistence. Dropping this kills it.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.map_err(|error| {
            Failure::Local(format!(
                "redis-server cannot be started: {error}; install it (Debian: `apt install redis-server`)"
            ))
        })?;
        let server = Self { child, port };
        for _ in 0..200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::Local("redis-server was started and takes no connection".to_owned()))
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

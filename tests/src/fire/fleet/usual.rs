//! F19: a login that takes longer than the lease lasts, compared with the usual locks.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    scene::{Fleet, all_served, is_missing},
    server::Server,
};
use crate::{
    fire::{Ground, Outcome, Tally},
    service::Answer,
};

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (processes, clients) = ground.scale.pick((3, 10), (30, 30));
    let mut tally = Tally::of("calls while a login outlasts its lease");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    // The lease is 10 s.
    let mut fleet = Fleet::new(ground)?;
    fleet.service.otherwise(Answer::After(Duration::from_secs(12)));
    let hosts = fleet.hosts(3);
    all_served(&mut tally, &Fleet::run(&hosts, processes)?);
    tally.same("logins", fleet.logins(), 1);
    let ours = fleet.logins();
    let one = vec![Server::start(&[])?];
    let naive = usual(&one, clients)?;
    let mut five = Vec::new();
    for _ in 0..5 {
        five.push(Server::start(&[])?);
    }
    let redlock = usual(&five, clients)?;
    // If these did not fail here, the row would prove nothing.
    tally.fault("logins with `SET NX` and `DEL`", naive, 2);
    tally.fault("logins with Redlock on 5 servers", redlock, 2);
    tally.fact(format!(
        "a login longer than the lease: {ours} login; `SET NX` and `DEL` {naive}, Redlock on 5 servers {redlock} (lease 1 s, \
         login 4 s, {clients} clients)"
    ));
    Ok(tally)
}

const LEASE: Duration = Duration::from_secs(1);
const LOGIN: Duration = Duration::from_secs(4);

/// Runs clients that take the lock on most of the servers, log in, and release it. Returns the number of logins.
fn usual(servers: &[Server], clients: usize) -> io::Result<u64> {
    let logins = Arc::new(AtomicU64::new(0));
    let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
    let is_naive = servers.len() == 1;
    let working: Vec<_> = (0..clients)
        .map(|number| {
            let (ports, logins) = (ports.clone(), Arc::clone(&logins));
            thread::spawn(move || client(&ports, &format!("owner-{number}"), is_naive, &logins))
        })
        .collect();
    for client in working {
        client.join().map_err(|_| io::Error::other("a client panicked"))??;
    }
    Ok(logins.load(Ordering::Relaxed))
}

fn client(ports: &[u16], owner: &str, is_naive: bool, logins: &AtomicU64) -> io::Result<()> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if ask(ports[0], &["GET", "token"])?.starts_with("$3") {
            return Ok(());
        }
        let millis = LEASE.as_millis().to_string();
        let mut taken = 0;
        for port in ports {
            taken +=
                usize::from(ask(*port, &["SET", "lock", owner, "NX", "PX", &millis])?.starts_with("+OK"));
        }
        let has_lock = taken > ports.len() / 2;
        if has_lock {
            logins.fetch_add(1, Ordering::Relaxed);
            thread::sleep(LOGIN);
            ask(ports[0], &["SET", "token", "new"])?;
        }
        for port in ports {
            if is_naive && has_lock {
                ask(*port, &["DEL", "lock"])?;
            } else if !is_naive {
                let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
                ask(*port, &["EVAL", script, "1", "lock", owner])?;
            }
        }
        thread::sleep(Duration::from_millis(fastrand::u64(20..150)));
    }
    Err(io::Error::other("a client got no token in a minute"))
}

/// Sends a command, and returns the beginning of the answer.
fn ask(port: u16, words: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(text.as_bytes())?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}

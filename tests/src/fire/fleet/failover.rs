//! F12: three Sentinels, and masters that die.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{
    scene::{Fleet, all_served, go, is_missing, reports},
    server::Server,
};
use crate::{
    fire::{
        Ground, Outcome, Tally,
        scene::{eventually, runtime},
    },
    plan::Plan,
    service::Answer,
};

/// A Sentinel. It is killed when this is dropped.
struct Sentinel(Child, u16);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts Sentinels that watch a master.
fn sentinels(directory: &std::path::Path, master: u16) -> std::io::Result<Vec<Sentinel>> {
    let mut started = Vec::new();
    for number in 0..3 {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = directory.join(format!("sentinel-{number}.conf"));
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor mymaster 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n",
            directory.display()
        );
        fs::write(&file, text)?;
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        started.push(Sentinel(child, port));
    }
    Ok(started)
}

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (failovers, processes) = ground.scale.pick((1, 3), (20, 20));
    let mut tally = Tally::of("calls in a failover");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let (mut most, mut leases, mut promotions, mut tokens) = (0, 0, 0, 0);
    for number in 0..failovers {
        let mut master = Server::start(&[])?;
        let (main, none) = (master.port.to_string(), ["--repl-diskless-sync-delay", "0"]);
        let replica = Server::start(&[&none[..], &["--replicaof", "127.0.0.1", &main]].concat())?;
        let in_step =
            || replica.cli(&["INFO", "replication"]).is_ok_and(|text| text.contains("master_link_status:up"));
        tally.hold(eventually(Duration::from_secs(20), in_step), || "the replica does not follow".to_owned());
        let directory = tempfile::tempdir()?;
        let watching = sentinels(directory.path(), master.port)?;
        let asked = |words: &[&str]| {
            let port = watching[0].1.to_string();
            let output = Command::new("redis-cli").args(["-p", &port]).args(words).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
        };
        let knows = || {
            let text = asked(&["SENTINEL", "master", "mymaster"]);
            let lines: Vec<&str> = text.lines().collect();
            let is =
                |name: &str, value: &str| lines.windows(2).any(|pair| pair[0] == name && pair[1] == value);
            is("num-other-sentinels", "2") && is("num-slaves", "1")
        };
        tally.hold(eventually(Duration::from_secs(30), knows), || "the Sentinels do not agree".to_owned());
        let mut fleet = Fleet::with(ground, Server::start(&[])?)?;
        fleet.service.next([Answer::Held]);
        let url = format!("redis://127.0.0.1:{}?sentinel=mymaster", watching[0].1);
        let hosts = [fleet.host_with(&url), fleet.host_with(&url)];
        // One run in four stops the replica before it has the lease, so that the lease is lost.
        let loses = number % 4 == 3;
        if loses {
            replica.stop(true)?;
        }
        let mut crews = Fleet::hire(&hosts, processes, &Plan::default())?;
        go(&mut crews)?;
        runtime()?.block_on(fleet.service.until(|counts| counts.logins == 1));
        std::thread::sleep(Duration::from_millis(fastrand::u64(50..400)));
        leases += master.keys(":lock")?.len() as u64;
        master.kill()?;
        if loses {
            replica.stop(false)?;
        }
        let is_promoted =
            || replica.cli(&["INFO", "replication"]).is_ok_and(|text| text.contains("role:master"));
        promotions += u64::from(eventually(Duration::from_secs(30), is_promoted));
        fleet.service.release();
        all_served(&mut tally, &reports(&mut crews)?);
        let logins = fleet.logins();
        tally.hold(logins <= 2, || format!("{logins} logins of 2 hosts"));
        most = most.max(logins);
        // A new connection now asks the new master.
        let points_there = || {
            asked(&["SENTINEL", "get-master-addr-by-name", "mymaster"]).contains(&replica.port.to_string())
        };
        tally
            .hold(eventually(Duration::from_secs(30), points_there), || "the old master is named".to_owned());
        let late = [fleet.host_with(&url), fleet.host_with(&url)];
        let before = fleet.logins();
        all_served(&mut tally, &Fleet::run(&late, processes)?);
        tally.hold(fleet.logins() - before <= 1, || format!("{} logins later", fleet.logins() - before));
        tokens += replica.keys(":token")?.len() as u64;
    }
    tally.fault("leases at masters that die", leases, failovers);
    tally.fault("replicas promoted by three Sentinels", promotions, failovers);
    tally.fault("tokens at new masters", tokens, failovers);
    tally.fact(format!("at most {most} logins of 2 hosts in a failover"));
    Ok(tally)
}

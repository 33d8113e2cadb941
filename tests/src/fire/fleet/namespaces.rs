//! F9 with interfaces: each host is a network namespace with one link to the store and one to the service.

use std::{io, process::Command, thread, time::Duration};

use super::{
    cut::Way,
    scene::{Fleet, LOGIN, all_served, go, reports},
    server::Server,
};
use crate::{
    crew::Place,
    fire::{
        Ground, Outcome, Tally,
        scene::{eventually, runtime},
    },
    plan::Plan,
    service::Answer,
};

/// The hosts: the first is cut off.
const HOSTS: [u32; 2] = [0, 1];

/// Namespaces with their links, and the addresses of the store and the service. All are removed when this is dropped.
struct Network {
    /// The id of this process, so that two runs do not collide.
    id: u32,
}

impl Network {
    fn new() -> io::Result<Self> {
        let network = Self { id: std::process::id() };
        for end in ["store", "service"] {
            ip(&format!("addr add {}/32 dev lo", network.address(end)))?;
        }
        for host in HOSTS {
            let space = network.space(host);
            ip(&format!("netns add {space}"))?;
            for (end, first) in [("store", 8 * host + 1), ("service", 8 * host + 5)] {
                let (cable, to) = (network.cable(end, host), network.address(end));
                let (near, far) = (network.numbered(first), network.numbered(first + 1));
                ip(&format!("link add {cable} type veth peer name {end} netns {space}"))?;
                ip(&format!("addr add {near}/30 dev {cable}"))?;
                ip(&format!("link set {cable} up"))?;
                ip(&format!("-n {space} addr add {far}/30 dev {end}"))?;
                ip(&format!("-n {space} link set {end} up"))?;
                ip(&format!("-n {space} route add {to}/32 via {near}"))?;
            }
            ip(&format!("netns exec {space} true"))?;
        }
        Ok(network)
    }

    /// Returns an address of the range that is reserved for network tests (RFC 2544).
    fn numbered(&self, number: u32) -> String {
        format!("198.18.{}.{number}", self.id % 256)
    }

    fn address(&self, end: &str) -> String {
        self.numbered(if end == "store" { 253 } else { 254 })
    }

    fn space(&self, host: u32) -> String {
        format!("colony-{}-{host}", self.id)
    }

    fn cable(&self, end: &str, host: u32) -> String {
        format!("c{}{}{host}", self.id, if end == "store" { "s" } else { "w" })
    }

    /// Cuts a host's link to the store, or restores it and waits until it works.
    fn cut(&self, host: u32, is_cut: bool, server: &Server) -> io::Result<()> {
        let state = if is_cut { "down" } else { "up" };
        ip(&format!("link set {} {state}", self.cable("store", host)))?;
        let is_there = || {
            let (space, store, port) = (self.space(host), self.address("store"), server.port);
            ip(&format!("netns exec {space} redis-cli -h {store} -p {port} PING")).is_ok()
        };
        if is_cut || eventually(Duration::from_secs(20), is_there) {
            Ok(())
        } else {
            Err(io::Error::other("the way to the store does not come back"))
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in HOSTS {
            let _ = ip(&format!("netns del {}", self.space(host)));
        }
        for end in ["store", "service"] {
            let _ = ip(&format!("addr del {}/32 dev lo", self.address(end)));
        }
    }
}

fn ip(words: &str) -> io::Result<()> {
    let output = Command::new("ip").args(words.split(' ')).output()?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("ip {words}: {}", said.trim())))
    }
}

/// When the link is cut, relative to the login of the host that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Before,
    /// The answer arrives while the link is cut.
    InLogin,
    /// The answer arrives after the link is restored.
    UntilAnswer,
}

pub(super) fn run(ground: &Ground) -> Outcome {
    let (cuts, away, processes): (&[Cut], _, _) = ground.scale.pick(
        (&[Cut::Before, Cut::InLogin], Duration::from_secs(1), 3),
        (&[Cut::Before, Cut::InLogin, Cut::UntilAnswer], Duration::from_secs(30), 30),
    );
    let mut tally = Tally::of("calls of hosts beside one that is cut off");
    let network = match Network::new() {
        Ok(network) => network,
        Err(error) => {
            tally.not_tried(format!("hosts in network namespaces, which need root and `ip`: {error}"));
            return Ok(tally);
        }
    };
    let (mut landed, rounds) = (0, ground.scale.pick(1, 2));
    for _ in 0..rounds {
        for cut in cuts {
            landed += u64::from(cut_one(ground, &network, *cut, away, processes, &mut tally)?);
        }
    }
    tally.fault("interfaces down, noticed by the host", landed, rounds * cuts.len() as u64);
    tally.fact(format!("each interface down for {} s or more", away.as_secs()));
    Ok(tally)
}

/// Cuts one host off. Returns whether it noticed.
fn cut_one(
    ground: &Ground,
    network: &Network,
    cut: Cut,
    away: Duration,
    processes: usize,
    tally: &mut Tally,
) -> Result<bool, Box<dyn std::error::Error>> {
    let store = network.address("store");
    let server = Server::start(&["--bind", "127.0.0.1", &store, "--protected-mode", "no"])?;
    let mut fleet = Fleet::with(ground, server)?;
    fleet.service.next([Answer::Held]);
    fleet.service.otherwise(Answer::After(LOGIN));
    let own = fleet.service.base_url();
    let own: url::Url = own.parse()?;
    let service = network.address("service");
    let way = Way::from(&service, own.port().ok_or("no port")?)?;
    let base_url = format!("http://{service}:{}{}", way.port, own.path());
    let store = format!("redis://{store}:{}", fleet.server.port);
    let mut host = |number: u32| -> Vec<Place> {
        let mut place = fleet.host_with(&store);
        place.base_url.clone_from(&base_url);
        place.wrapper = ["ip", "netns", "exec", &network.space(number)].map(Into::into).to_vec();
        place.environment.push(("NO_PROXY".into(), "*".into()));
        vec![place]
    };
    let (cut_off, other) = (host(0), host(1));
    let (cold_cut_off, cold_other) = (host(0), host(1));
    // An answer can be held for longer than usual.
    let plan = Plan { timeout_ms: Some(90_000), ..Plan::default() };
    let mut lonely = Fleet::hire(&cut_off, processes, &plan)?;
    let mut others = Fleet::hire(&other, processes, &plan)?;
    let runtime = runtime()?;
    let first_login = || runtime.block_on(fleet.service.until(|counts| counts.logins == 1));
    let down = |is_cut| network.cut(0, is_cut, &fleet.server);
    if cut == Cut::Before {
        down(true)?;
        go(&mut others)?;
        first_login();
        go(&mut lonely)?;
        let goes_on = eventually(Duration::from_secs(20), || fleet.logins() == 2);
        tally.hold(goes_on, || "the host that is cut off does not log in".to_owned());
    } else {
        go(&mut lonely)?;
        first_login();
        down(true)?;
        go(&mut others)?;
    }
    if cut != Cut::UntilAnswer {
        fleet.service.release();
    }
    let theirs = reports(&mut others)?;
    thread::sleep(away);
    if cut == Cut::UntilAnswer {
        down(false)?;
        fleet.service.release();
    }
    let its = reports(&mut lonely)?;
    if cut != Cut::UntilAnswer {
        down(false)?;
    }
    let what = format!("{cut:?}");
    all_served(tally, &its);
    let later = all_served(tally, &theirs);
    tally.same(&format!("{what}: logins of the host that is cut off and of the other"), fleet.logins(), 2);
    // Both hold a valid token, and send no request.
    all_served(tally, &Fleet::run(&[cut_off, other].concat(), processes)?);
    // Cold hosts get the token that was stored.
    let next = Fleet::run(&[cold_cut_off, cold_other].concat(), processes)?;
    let held = all_served(tally, &next);
    tally.same(&format!("{what}: tokens of later flights"), &held, &later);
    tally.same(&format!("{what}: logins when the way is there again"), fleet.logins(), 2);
    // Its token is either overtaken by a later one in the store, or cannot be stored.
    let noticed = if cut == Cut::UntilAnswer { "overtaken" } else { "store_trouble" };
    Ok(its.iter().any(|report| report.events.contains_key(noticed)))
}

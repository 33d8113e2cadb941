//! F9: the connection from one host to the store is cut, before a login, during it, and in the middle of an answer.
//! Here a program between them cuts it; `namespaces` uses real interfaces.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::scene::{Fleet, LOGIN, all_served, go, is_missing, reports};
use crate::{
    fire::{
        Ground, Outcome, Tally,
        scene::{eventually, runtime},
    },
    plan::Plan,
    service::Answer,
};

/// A relay to the store that can be cut. While it is cut, it still accepts connections and passes nothing on.
pub(super) struct Way {
    pub(super) port: u16,
    is_cut: Arc<AtomicBool>,
    /// How many bytes of answers pass before all connections are closed; no limit if negative.
    left: Arc<AtomicI64>,
    /// Answers that were cut off.
    halves: Arc<AtomicU64>,
}

impl Way {
    fn to(port: u16) -> io::Result<Self> {
        Self::from("127.0.0.1", port)
    }

    /// Starts a relay on this address of this machine.
    pub(super) fn from(address: &str, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0))?;
        let way = Self {
            port: listener.local_addr()?.port(),
            is_cut: Arc::default(),
            left: Arc::new(AtomicI64::new(-1)),
            halves: Arc::default(),
        };
        let (is_cut, left, halves) =
            (Arc::clone(&way.is_cut), Arc::clone(&way.left), Arc::clone(&way.halves));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (Ok(near_back), Ok(far_back)) = (near.try_clone(), far.try_clone()) else { continue };
                let unlimited = Arc::new(AtomicI64::new(-1));
                pass(near, far, Arc::clone(&is_cut), unlimited, Arc::default());
                pass(far_back, near_back, Arc::clone(&is_cut), Arc::clone(&left), Arc::clone(&halves));
            }
        });
        Ok(way)
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

/// Passes bytes on, up to the limit.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    is_cut: Arc<AtomicBool>,
    left: Arc<AtomicI64>,
    halves: Arc<AtomicU64>,
) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            while is_cut.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
            let allowed = match left.load(Ordering::Relaxed) {
                allowed @ 0.. => usize::try_from(allowed).unwrap_or(0).min(read),
                _ => read,
            };
            halves.fetch_add(u64::from(allowed < read), Ordering::Relaxed);
            if to.write_all(&buffer[..allowed]).is_err() || allowed < read {
                break;
            }
            if left.load(Ordering::Relaxed) >= 0 {
                left.fetch_sub(i64::try_from(allowed).unwrap_or(0), Ordering::Relaxed);
            }
        }
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    });
}

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (rounds, processes, answers) = ground.scale.pick((1, 3, 12), (10, 30, 300));
    let mut tally = Tally::of("calls of hosts beside one that is cut off");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut cuts = 0;
    for round in 0..rounds * 2 {
        let in_login = round % 2 == 1;
        let mut fleet = Fleet::new(ground)?;
        fleet.service.next([Answer::Held]);
        fleet.service.otherwise(Answer::After(LOGIN));
        let way = Way::to(fleet.server.port)?;
        let far = fleet.host_with(&format!("redis://127.0.0.1:{}", way.port));
        let near = fleet.hosts(2);
        // The host that is cut off is the one that logs in, or one that waits while another does.
        let (first, second) =
            if in_login { (vec![far.clone()], near.clone()) } else { (near.clone(), vec![far.clone()]) };
        let mut leading = Fleet::hire(&first, processes, &Plan::default())?;
        let mut following = Fleet::hire(&second, processes, &Plan::default())?;
        way.cut(!in_login);
        go(&mut leading)?;
        runtime()?.block_on(fleet.service.until(|counts| counts.logins == 1));
        way.cut(true);
        cuts += 1;
        go(&mut following)?;
        if !in_login {
            // It continues alone.
            let goes_on = eventually(Duration::from_secs(20), || fleet.logins() == 2);
            tally.hold(goes_on, || "the host that is cut off does not log in".to_owned());
        }
        thread::sleep(Duration::from_millis(fastrand::u64(..1_000)));
        fleet.service.release();
        all_served(&mut tally, &reports(&mut leading)?);
        all_served(&mut tally, &reports(&mut following)?);
        tally.same("logins of the host that is cut off and of all others", fleet.logins(), 2);
        way.cut(false);
        // The next flight of any host finds the stored token.
        let cold = [fleet.host(), fleet.host_with(&format!("redis://127.0.0.1:{}", way.port))];
        all_served(&mut tally, &Fleet::run(&cold, processes)?);
        tally.same("logins when the way is there again", fleet.logins(), 2);
    }
    // After half of an answer a host continues without the store, wherever the cut was.
    let mut fleet = Fleet::new(ground)?;
    let way = Way::to(fleet.server.port)?;
    for at in 0..answers {
        way.left.store(at * 3, Ordering::Relaxed);
        let host = fleet.host_with(&format!("redis://127.0.0.1:{}?prefix=half-{at}", way.port));
        all_served(&mut tally, &Fleet::run(&[host], 1)?);
    }
    tally.same("logins of hosts that got a part of an answer", fleet.logins(), answers.unsigned_abs());
    tally.fault("ways cut", cuts, u64::try_from(rounds)? * 2);
    tally.fault("answers cut off", way.halves.load(Ordering::Relaxed), 4);
    tally.add(super::namespaces::run(ground)?);
    Ok(tally)
}

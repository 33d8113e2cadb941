//! The state that all processes share: the scheduler, the file system, the service, and the rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use colony_core::token::{cooldown::Note, envelope::Envelope, freshness::Lifetime};
use secrecy::ExposeSecret as _;

use super::{
    disk::Files,
    rotation::{self, Provider, Rotation},
    store::{Fleet, Store},
};

/// A process's number.
pub(super) type Pid = usize;

/// What is played.
#[derive(Debug, Clone)]
pub struct Scene {
    /// How many processes start together, and how many calls each makes.
    pub processes: usize,
    /// Calls of each process, one after the other.
    pub calls: usize,
    /// At these steps, counted over all processes, the acting process is killed.
    pub kills: BTreeSet<u64>,
    /// At these steps the acting process is stopped, for longer than any process waits for a lock.
    pub stops: BTreeSet<u64>,
    /// The pause between a process's calls, in seconds.
    pub pause: f64,
    /// At this step the power fails: every process ends, and data that was not synced can be lost.
    pub power_cut: Option<u64>,
    /// At these steps the service forgets all its tokens.
    pub revocations: BTreeSet<u64>,
    /// The first logins that the service refuses with 429, for half a minute.
    pub refused: u64,
    /// Chooses the process that acts after each step.
    pub chooser: Chooser,
    /// A deliberate fault that the rules must find.
    pub sabotage: Option<Sabotage>,
    /// Plays hosts that share a store and no file.
    pub fleet: Option<Fleet>,
    /// Plays the rotation of a credential instead of logins.
    pub rotation: Option<Rotation>,
}

/// Chooses the process that acts after a step.
#[derive(Debug, Clone)]
pub enum Chooser {
    /// Any process, from this seed.
    Random(u64),
    /// The acting process continues while it can, except after these steps, when the next process acts.
    Preempted(BTreeSet<u64>),
}

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Every process gets the lock.
    LockForAll,
    /// The process that releases the lock deletes the lock file.
    LockDeleted,
    /// Nothing is synced.
    NoSync,
    /// Every host gets the lease.
    LeaseForAll,
    /// A token overwrites a later one.
    StoresOverLater,
    /// Files are written in place.
    InPlace,
    /// The note that a refresh token is being presented is not written.
    NoNote,
    /// The clock that cannot be set runs too fast.
    ClockRunsFast,
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stand {
    Ready,
    SleepsUntil(f64),
    Ended,
    Killed,
}

/// The simulated world, and the process that acts.
#[derive(Debug)]
pub struct World {
    pub(super) scene: Scene,
    pub(super) random: fastrand::Rng,
    stands: Vec<Stand>,
    acting: Pid,
    pub(super) now: f64,
    pub(super) steps: u64,
    /// A digest of all events, in order.
    pub(super) history: u64,
    pub(super) files: Files,
    pub(super) service: Service,
    pub(super) provider: Provider,
    pub(super) store: Store,
    /// The token of each process's last login.
    pub(super) logged_in: BTreeMap<Pid, String>,
    /// The processes that wait for an answer of the provider, with their requests.
    pub(super) asking: BTreeMap<Pid, u64>,
    /// How often the machine was started, and when it was last started.
    pub(super) boot: u64,
    pub(super) booted_at: f64,
    /// Kills, and how many of them hit the holder of the lock.
    pub(super) kills: (u64, u64),
    /// Processes that were stopped, and how many of them held the lock.
    pub(super) stops: (u64, u64),
    /// Good tokens that a process overwrote after it had been stopped.
    pub(super) overwritten: u64,
    pub(super) power_failed: bool,
    /// Rules that were broken.
    pub(super) broken: Vec<String>,
}

/// The service.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) good: BTreeSet<String>,
    /// The processes whose logins are under way.
    pub(super) in_flight: BTreeMap<Pid, u64>,
    pub(super) begun: u64,
    pub(super) answered: u64,
}

/// A world that processes share.
#[derive(Clone)]
pub(super) struct Shared(Arc<(Mutex<World>, Condvar)>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// The process has been killed: its actions have no effect.
#[derive(Debug)]
pub(super) struct Killed;

/// How long a process is stopped, in seconds: longer than the longest login, which is one try of half a minute here.
const STOPPED: f64 = 40.0;
/// The most steps of a world. More mean an endless loop.
const MOST_STEPS: u64 = 200_000;

impl World {
    pub(super) fn new(scene: Scene, processes: usize) -> Self {
        let seed = match &scene.chooser {
            Chooser::Random(seed) => *seed,
            Chooser::Preempted(_) => 0,
        };
        let now = 1_790_000_000.0;
        let mut files = Files::default();
        if scene.rotation.is_some() {
            files.begin_with(&rotation::file_name(), rotation::first_content(now));
        }
        Self {
            random: fastrand::Rng::with_seed(seed),
            stands: vec![Stand::Ready; processes],
            // No process, until the simulation begins.
            acting: Pid::MAX,
            now,
            steps: 0,
            history: 0,
            files,
            service: Service::default(),
            provider: Provider::new(),
            store: Store::default(),
            logged_in: BTreeMap::new(),
            asking: BTreeMap::new(),
            boot: 0,
            booted_at: now - 5_000.0,
            kills: (0, 0),
            stops: (0, 0),
            overwritten: 0,
            power_failed: false,
            broken: Vec::new(),
            scene,
        }
    }

    /// Returns the next process to act; `None` if all have ended.
    fn choose(&mut self) -> Option<Pid> {
        loop {
            let now = self.now;
            let can = |stand: &Stand| match stand {
                Stand::Ready => true,
                Stand::SleepsUntil(until) => *until <= now,
                _ => false,
            };
            let ready: Vec<Pid> = (0..self.stands.len()).filter(|pid| can(&self.stands[*pid])).collect();
            if !ready.is_empty() {
                let next = match &self.scene.chooser {
                    Chooser::Random(_) => ready[self.random.usize(..ready.len())],
                    Chooser::Preempted(after) => {
                        let goes_on = ready.contains(&self.acting) && !after.contains(&self.steps);
                        let later = ready.iter().find(|pid| **pid > self.acting).copied();
                        if goes_on { self.acting } else { later.unwrap_or(ready[0]) }
                    }
                };
                self.stands[next] = Stand::Ready;
                return Some(next);
            }
            let wakes = self.stands.iter().filter_map(|stand| match stand {
                Stand::SleepsUntil(until) => Some(*until),
                _ => None,
            });
            self.now = wakes.min_by(f64::total_cmp)?;
        }
    }

    fn note(&mut self, pid: Pid, what: &str) {
        for byte in what.bytes().chain([pid as u8]) {
            self.history = self.history.rotate_left(5) ^ u64::from(byte);
            self.history = self.history.wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    /// Applies the scene's events of this step.
    fn fate(&mut self, pid: Pid) {
        if self.scene.revocations.contains(&self.steps) && pid < self.scene.processes {
            self.service.good.clear();
        }
        // The last process starts after the machine is up again, so the power cut does not end it.
        if self.scene.power_cut == Some(self.steps) && pid < self.scene.processes {
            self.power_failed = true;
            // A later process finds the machine up again.
            for victim in 0..self.scene.processes {
                self.kill(victim);
            }
            self.files.power_cut(&mut self.random);
            self.boot += 1;
            self.booted_at = self.now;
        } else if self.scene.kills.contains(&self.steps) && pid < self.scene.processes {
            self.kills.0 += 1;
            self.kills.1 += u64::from(self.files.holds_a_lock(pid));
            self.kill(pid);
        } else if self.scene.stops.contains(&self.steps) {
            self.stops.0 += 1;
            self.stops.1 += u64::from(self.files.holds_a_lock(pid));
            self.stands[pid] = Stand::SleepsUntil(self.now + STOPPED);
        }
    }

    fn kill(&mut self, pid: Pid) {
        if self.stands[pid] != Stand::Ended {
            self.stands[pid] = Stand::Killed;
        }
        self.files.release(pid);
        self.service.in_flight.remove(&pid);
        let asking: Vec<u64> = self.asking.remove(&pid).into_iter().collect();
        self.provider.kill(&asking);
    }

    pub(super) fn is_alive(&self, pid: Pid) -> bool {
        !matches!(self.stands[pid], Stand::Killed | Stand::Ended)
    }

    pub(super) fn breaks(&mut self, rule: String) {
        let step = self.steps;
        self.broken.push(format!("step {step}: {rule}"));
    }

    /// Returns whether this is a token file whose token is fresh and accepted by the service.
    pub(super) fn is_good(&self, content: &[u8]) -> bool {
        Envelope::read(content).is_ok_and(|envelope| {
            let token = envelope.token.expose_secret();
            self.service.good.contains(token)
                && Lifetime::from_file(envelope.expiry, token).is_fresh(self.now)
        })
    }

    /// Checks the rules of a login, at the moment it is sent.
    pub(super) fn check_login(&mut self, pid: Pid) {
        // Processes stop waiting for a lock whose holder is stopped: then there can be two logins.
        let one_at_a_time = match &self.scene.fleet {
            Some(fleet) => fleet.is_quiet() && self.stops.0 == 0,
            None => self.stops.1 == 0,
        };
        let others = self.service.in_flight.len();
        if others > 0 && one_at_a_time {
            self.breaks(format!("{pid} logs in while {others} others do"));
        }
        for (name, content) in self.files.all() {
            if name.ends_with(".json") && self.is_good(&content) && one_at_a_time {
                self.breaks(format!("{pid} logs in while there is a good token"));
            }
            let cools = Note::read(&content).is_some_and(|note| note.remaining(self.now).is_some());
            if name.ends_with(".note") && cools && one_at_a_time {
                self.breaks(format!("{pid} logs in during a cool-down"));
            }
        }
    }
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new((Mutex::new(world), Condvar::new())))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the first process act.
    pub(super) fn begin(&self) {
        let mut world = self.world();
        if let Some(next) = world.choose() {
            world.acting = next;
        }
        self.0.1.notify_all();
    }

    /// Waits until it is this process's turn for the first time.
    pub(super) fn enter(&self, pid: Pid) {
        let world = self.world();
        drop(self.until_its_turn(world, pid));
    }

    /// Makes one step of a process: others can act before, and it can be killed instead.
    pub(super) fn step<T>(
        &self,
        pid: Pid,
        what: &str,
        act: impl FnOnce(&mut World) -> T,
    ) -> Result<T, Killed> {
        let mut world = self.world();
        if world.stands[pid] == Stand::Killed {
            return Err(Killed);
        }
        world.steps += 1;
        let steps = world.steps;
        assert!(steps < MOST_STEPS, "no end after {steps} steps");
        world.note(pid, what);
        // The duration of a step, random so that steps differ.
        let takes = world.random.f64() * 0.002;
        world.now += takes;
        world.fate(pid);
        let mut world = self.pass_on(world, pid)?;
        let now = world.now;
        world.provider.advance(now);
        Ok(act(&mut world))
    }

    /// Lets this process sleep.
    pub(super) fn sleep(&self, pid: Pid, seconds: f64) -> Result<(), Killed> {
        let mut world = self.world();
        if world.stands[pid] == Stand::Killed {
            return Err(Killed);
        }
        world.note(pid, "sleeps");
        world.stands[pid] = Stand::SleepsUntil(world.now + seconds.max(0.0));
        self.pass_on(world, pid).map(drop)
    }

    /// Records that the process has ended by itself.
    pub(super) fn leave(&self, pid: Pid) {
        let mut world = self.world();
        if world.stands[pid] == Stand::Killed {
            return;
        }
        world.stands[pid] = Stand::Ended;
        world.files.release(pid);
        if let Some(next) = world.choose() {
            world.acting = next;
        }
        self.0.1.notify_all();
    }

    fn pass_on<'w>(
        &'w self,
        mut world: MutexGuard<'w, World>,
        pid: Pid,
    ) -> Result<MutexGuard<'w, World>, Killed> {
        if let Some(next) = world.choose() {
            world.acting = next;
            if next != pid {
                self.0.1.notify_all();
            }
        }
        let world = self.until_its_turn(world, pid);
        if world.stands[pid] == Stand::Killed { Err(Killed) } else { Ok(world) }
    }

    fn until_its_turn<'w>(&'w self, world: MutexGuard<'w, World>, pid: Pid) -> MutexGuard<'w, World> {
        let waits = |world: &mut World| world.acting != pid && world.stands[pid] != Stand::Killed;
        self.0.1.wait_while(world, waits).unwrap_or_else(PoisonError::into_inner)
    }
}

//! SIGINT, SIGTERM and SIGHUP: held while a reply that cannot be requested again is on its way. Otherwise they end the
//! program, restore the terminal and remove staged files.
//!
//! A refresh token is spent when it arrives at the provider, and only the reply contains its replacement: a program
//! that ends in between loses the login.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// The exit code after Ctrl-C or a second signal.
pub(crate) const ENDED: i32 = 130;

#[derive(Default)]
struct State {
    /// How long a signal is held, for each awaited reply.
    holds: Vec<Duration>,
    /// The number of the held signal.
    arrived: Option<i32>,
    cleanups: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
    next: u64,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> =
        Mutex::new(State { holds: Vec::new(), arrived: None, cleanups: BTreeMap::new(), next: 0 });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn arrivals() -> &'static watch::Sender<bool> {
    static ARRIVALS: OnceLock<watch::Sender<bool>> = OnceLock::new();
    ARRIVALS.get_or_init(|| watch::Sender::new(false))
}

/// Marks that a reply is awaited that cannot be requested again. A signal that arrives in the meantime ends the
/// program when this is dropped, or after `limit` at the latest.
#[must_use]
pub(crate) struct Hold(());

/// Holds signals from now on.
pub(crate) fn hold(limit: Duration) -> Hold {
    listen();
    state().holds.push(limit);
    Hold(())
}

impl Hold {
    /// Waits until a signal has arrived.
    pub(crate) async fn arrived(&self) {
        // This cannot fail: the sender is never dropped.
        let _ = arrivals().subscribe().wait_for(|arrived| *arrived).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = state();
        state.holds.pop();
        if let Some(number) = state.arrived
            && state.holds.is_empty()
        {
            drop(state);
            end(128 + number);
        }
    }
}

/// Work to do if a signal ends the program before this is dropped.
pub(crate) struct Cleanup(u64);

/// Registers work to do if a signal ends the program.
pub(crate) fn on_end(work: impl FnOnce() + Send + 'static) -> Cleanup {
    listen();
    let mut state = state();
    let number = state.next;
    state.next += 1;
    state.cleanups.insert(number, Box::new(work));
    Cleanup(number)
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        state().cleanups.remove(&self.0);
    }
}

/// Ends the program after the registered work.
pub(crate) fn end(code: i32) -> ! {
    let cleanups = std::mem::take(&mut state().cleanups);
    for work in cleanups.into_values() {
        work();
    }
    std::process::exit(code)
}

/// Starts to listen for signals on a separate thread: a prompt blocks the others.
fn listen() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let (ready, started) = std::sync::mpsc::channel();
        let listener = move || {
            let Ok(runtime) = crate::runtime() else {
                return;
            };
            runtime.block_on(async {
                let signals = arriving();
                let _ = ready.send(());
                if let Ok(signals) = signals {
                    take(signals).await;
                }
            });
        };
        // Without this thread signals keep their default actions.
        if std::thread::Builder::new().name("signals".to_owned()).spawn(listener).is_ok() {
            let _ = started.recv();
        }
    });
}

async fn take(mut signals: tokio::sync::mpsc::Receiver<i32>) {
    let Some(number) = signals.recv().await else { return };
    let limit = {
        let mut state = state();
        state.arrived = Some(number);
        state.holds.iter().max().copied()
    };
    let Some(limit) = limit else { end(128 + number) };
    arrivals().send_replace(true);
    let _ = writeln!(
        std::io::stderr(),
        "stopping as soon as the answer that is on its way is stored, in {} s at most; a second signal ends this at \
         once, and may lose the login",
        limit.as_secs()
    );
    if let Ok(Some(_)) = tokio::time::timeout(limit, signals.recv()).await {
        end(ENDED);
    }
    end(128 + number);
}

/// Returns the signals that end a program, as they arrive.
#[cfg(unix)]
pub(crate) fn arriving() -> std::io::Result<tokio::sync::mpsc::Receiver<i32>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    let ignored = ignored();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()] {
        let number = kind.as_raw_value();
        // Ignored under `nohup` and a shell's `&`: this program must not handle them.
        if ignored & (1 << (number - 1)) != 0 {
            continue;
        }
        let (mut signals, sender) = (signal(kind)?, sender.clone());
        tokio::spawn(
            async move { while signals.recv().await.is_some() && sender.send(number).await.is_ok() {} },
        );
    }
    Ok(receiver)
}

/// Returns the signals that this process was started to ignore, as bits. Only Linux reports this to safe code.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(unix))]
pub(crate) fn arriving() -> std::io::Result<tokio::sync::mpsc::Receiver<i32>> {
    const INTERRUPT: i32 = 2;
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && sender.send(INTERRUPT).await.is_ok() {}
    });
    Ok(receiver)
}

/// Restores the terminal's echo if a signal ends the program before this is dropped.
#[cfg(unix)]
pub(crate) fn keep_echo() -> Option<Cleanup> {
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

    let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let before = tcgetattr(&terminal).ok()?;
    Some(on_end(move || {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    }))
}

/// Does nothing: the system resets the console.
#[cfg(not(unix))]
pub(crate) fn keep_echo() -> Option<Cleanup> {
    None
}

/// Turns exceeding the file size limit (`ulimit -f`) into an error of the write instead of the program's end. The
/// token is then kept in memory.
pub(crate) fn survive_file_limit() {
    #[cfg(unix)]
    {
        // The handler stays when the listener is dropped. Started programs get the default again.
        let kind = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        let _ = tokio::signal::unix::signal(kind);
    }
}

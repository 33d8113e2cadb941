//! W16: a watch in a separate process, with a handler slower than the events, does not use more memory over time.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use colony_cli::sandbox::Options;
use colony_core::events::{Event, Watch};

use super::scene::{KINDS, Scene, resident};
use crate::fire::{Ground, Outcome, Tally};

/// How many events of each kind are raised at once.
const BURST: usize = 150;
const SETTLED: u64 = 8_000;
/// The most growth of the memory, in KiB.
const MOST: u64 = 5 * 1024;

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let events: usize = ground.scale.pick(12_000, 100_000);
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("events");
    let mut command = Command::new(&ground.program);
    command.args(["part", "hear", &events.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
    command.env("COLONY_BASE_URL", scene.sandbox.base_url()).env("COLONY_API_KEY", scene.sandbox.api_key());
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    scene.until("the watch begins", |scene| scene.sandbox.stats().with_status("GET /since", 200) > 0)?;
    let heard = AtomicUsize::new(0);
    let (sizes, gaps) = std::thread::scope(|scope| {
        let raise = scope.spawn(|| {
            // A message is a notification too: each burst is five events of four.
            let mut raised = 0;
            while raised < events {
                // More than this between two rounds would be a gap, and never be delivered.
                while raised > heard.load(Ordering::Relaxed) + 5 * BURST {
                    std::thread::sleep(Duration::from_millis(5));
                }
                for kind in KINDS {
                    scene.happens(kind, BURST).map_err(|error| error.to_string())?;
                }
                raised += 5 * BURST;
            }
            Ok::<(), String>(())
        });
        let (mut sizes, mut gaps) = (Vec::new(), 0_u64);
        for line in &mut lines {
            let line = line?;
            let figures: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [count, size, seen_gaps] = figures[..] else {
                return Err(format!("it says {line:?}").into());
            };
            heard.store(usize::try_from(count)?, Ordering::Relaxed);
            sizes.push((count, size));
            gaps = seen_gaps;
        }
        // The thread that raises events must not wait for more deliveries.
        heard.store(usize::MAX / 2, Ordering::Relaxed);
        raise.join().map_err(|_| "the raising thread panicked")??;
        Ok::<_, Box<dyn std::error::Error>>((sizes, gaps))
    })?;
    tally.hold(child.wait()?.success(), || "the watch failed".to_owned());
    let count = sizes.last().map_or(0, |(count, _)| *count);
    tally.tries(count);
    tally.hold(count >= events as u64, || format!("{count} events of {events}"));
    // After this many events the kept data has its full size: ids, pools, buffers.
    let settled: Vec<u64> = sizes.iter().filter(|(at, _)| *at >= SETTLED).map(|(_, size)| *size).collect();
    let (first, most) =
        (settled.first().copied().unwrap_or_default(), settled.iter().max().copied().unwrap_or_default());
    let last = settled.last().copied().unwrap_or_default();
    tally.hold(most <= first + MOST, || format!("{first} KiB became {most} KiB"));
    tally.fault("looks at the memory", settled.len() as u64, 10);
    tally.fact(format!(
        "{first} KiB after {SETTLED} events, {most} KiB at most, {last} KiB at the end; {gaps} gaps"
    ));
    Ok(tally)
}

/// Handles this many events, slowly, and prints now and then their number and the memory in use.
pub(in crate::fire) fn hear(events: &str) -> Result<(), Box<dyn std::error::Error>> {
    let wanted: usize = events.parse()?;
    super::super::scene::runtime()?.block_on(async {
        let client = colony_async::Client::builder(std::env::var("COLONY_API_KEY")?)
            .base_url(std::env::var("COLONY_BASE_URL")?)
            .cache_token(false)
            .build()?;
        let quick = Duration::from_millis(50)..=Duration::from_millis(100);
        let mut events = client.events().watch(Watch::new().interval(quick).most_undone(500));
        let (mut count, mut gaps) = (0_usize, 0);
        let mut undone = std::collections::VecDeque::new();
        while count < wanted {
            let Some(received) = events.try_next().await? else { break };
            gaps += usize::from(matches!(&*received, Event::Gap(_)));
            count += 1;
            undone.push_back(received);
            // Events are marked as done later, and not in order.
            if undone.len() > 300 {
                for _ in 0..200 {
                    let at = fastrand::usize(..undone.len());
                    if let Some(received) = undone.swap_remove_back(at) {
                        received.done();
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if count % 200 == 0 || count == wanted {
                crate::fire::parts::say(&format!("{count} {} {gaps}", resident("self").unwrap_or_default()))?;
            }
        }
        Ok(())
    })
}

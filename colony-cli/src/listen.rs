//! `colony listen`: deliveries for a receiver on this machine, made from polled events, or received and passed on.

mod made;
mod receive;

use std::{
    collections::HashSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use colony_async::events::{Event, EventStream, Received, Watch};
use colony_core::{
    Timestamp,
    webhook::{Attempt, Due, Outbox, PAUSES, Signer, Try},
};
use futures_util::future::{BoxFuture, OptionFuture};
use http::HeaderValue;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    args::{Global, ListenArgs, Since},
    client,
    failure::Failure,
    forward::{self, Answer, Target},
    output::Output,
    samples, signals, webhook_secret,
};

/// How long the service may not reply before a warning, which repeats at this interval.
const SILENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(global: &Global, args: ListenArgs, output: &Output) -> Result<(), Failure> {
    let mut signals = signals::arriving()?;
    let secret = webhook_secret::find(global, args.receiver.secret_file.as_deref()).await?;
    if args.print_secret {
        match output.json {
            true => output.value(&json!({ "secret": secret.expose_secret() })),
            false => output.line(secret.expose_secret()),
        }
        return Ok(());
    }
    let target = |address| Target::new(address, args.receiver.insecure, global);
    let target = args.forward_to.as_deref().map(target).transpose()?;
    let target = match (args.receive, target) {
        (Some(address), target) => {
            return receive::run(address, target, secret.expose_secret(), signals, output).await;
        }
        (None, Some(target)) => target,
        (None, None) => return Err(Failure::usage("give --forward-to URL, the address of the receiver")),
    };
    for event in &args.events {
        samples::named(event)?;
    }
    let mut listening = Listening {
        events: client::client(global)?.events().watch(settings(&args)?),
        outbox: Outbox::new(&PAUSES[..usize::from(args.attempts) - 1]),
        wanted: args.events,
        target,
        signer: Signer::new(secret.expose_secret())?,
        seconds: Seconds::default(),
        began: (Instant::now(), SystemTime::now()),
        output,
    };
    output.say(
        "Listening. Deliveries are signed with the secret that `colony listen --print-secret` prints; Ctrl-C ends this.",
    );
    listening.run(&mut signals).await
}

fn settings(args: &ListenArgs) -> Result<Watch, Failure> {
    let watch = Watch::new().interval(args.interval.clone()).own(true).kinds(made::kinds(&args.events));
    Ok(match &args.since {
        Since::Last => {
            return Err(Failure::usage(
                "--since last: no position is kept; give a time like 2h, or a moment",
            ));
        }
        Since::Now => watch,
        Since::Moment(moment) => watch.since(moment.clone()),
        Since::Ago(time) => {
            let moment = SystemTime::now().checked_sub(*time).unwrap_or(SystemTime::UNIX_EPOCH);
            watch.since(Timestamp::from(moment))
        }
    })
}

struct Listening<'a> {
    events: EventStream,
    outbox: Outbox<Delivery>,
    /// The requested events; all if empty.
    wanted: Vec<String>,
    target: Target,
    signer: Signer,
    seconds: Seconds,
    began: (Instant, SystemTime),
    output: &'a Output,
}

/// A delivery, and the event that it was made from. The event is not done before the delivery is, so that a failing
/// receiver delays the polling instead of filling the memory.
struct Delivery {
    event: String,
    id: String,
    body: Bytes,
    received: Received,
}

/// An attempt in progress.
type UnderWay = BoxFuture<'static, (Try<Delivery>, Attempt, Answer)>;

impl Listening<'_> {
    async fn run(&mut self, signals: &mut mpsc::Receiver<i32>) -> Result<(), Failure> {
        let mut minutes = tokio::time::interval(SILENCE);
        let mut under_way: Option<UnderWay> = None;
        while !self.output.is_broken() {
            let mut wait = None;
            if under_way.is_none() {
                match self.outbox.next(self.began.0.elapsed()) {
                    Due::Send(delivery) => under_way = Some(self.send(delivery)),
                    Due::Wait(time) => wait = Some(tokio::time::sleep(time)),
                    Due::Nothing => {}
                }
            }
            tokio::select! {
                Some(_) = signals.recv() => break,
                Some((delivery, attempt, answer)) = OptionFuture::from(under_way.as_mut()) => {
                    under_way = None;
                    self.answered(delivery, &attempt, &answer);
                }
                received = self.events.try_next() => match received? {
                    Some(received) => self.heard(received),
                    None => break,
                },
                Some(()) = OptionFuture::from(wait) => {}
                _ = minutes.tick() => self.tell_silence(),
            }
        }
        Ok(())
    }

    fn heard(&mut self, received: Received) {
        match &*received {
            Event::Gap(gap) => {
                self.output.say(&format!("events from {} to {} may be missing", gap.from, gap.to));
            }
            Event::Unreadable(row) => {
                self.output.say(&format!("{} cannot be read: {}", received.id(), row.problem));
            }
            _ => {}
        }
        let made = made::of(&received);
        let wanted = |event: &String| self.wanted.is_empty() || self.wanted.contains(event);
        match made.filter(|(event, _)| wanted(event)) {
            Some((event, fields)) => {
                let (id, body) =
                    (made::event_id(&received), serde_json::Value::from(fields).to_string().into());
                self.outbox.push(Delivery { event, id, body, received });
            }
            None => received.done(),
        }
    }

    fn send(&mut self, delivery: Try<Delivery>) -> UnderWay {
        let Delivery { event, id, body, .. } = &delivery.item;
        let attempt = Attempt::new(event, id).number(delivery.number);
        forward::tell_sent(&attempt, self.output);
        let wait = self.seconds.wait(body, SystemTime::now());
        let (signer, target, body) = (self.signer.clone(), self.target.clone(), body.clone());
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            let mut headers = signer.attempt(&attempt, &body, SystemTime::now());
            headers.insert(forward::MADE_BY, HeaderValue::from_static("colony listen"));
            let answer = target.send(headers, body).await;
            (delivery, attempt, answer)
        })
    }

    fn answered(&mut self, delivery: Try<Delivery>, attempt: &Attempt, answer: &Answer) {
        let (again, over) = if answer.is_success() {
            (None, Some(delivery.item))
        } else {
            match self.outbox.failed(delivery, self.began.0.elapsed()) {
                Ok(pause) => (Some(pause), None),
                Err(item) => (None, Some(item)),
            }
        };
        forward::tell_answer(attempt, answer, again, self.output);
        if let Some(delivery) = over {
            delivery.received.done();
        }
    }

    /// Reports when the service does not reply, so that silence does not look like success.
    fn tell_silence(&self) {
        let health = self.events.health();
        let last = health.last_success.unwrap_or(self.began.1);
        let Some(seconds) = silence(last, health.failures, SystemTime::now()) else { return };
        if self.output.json {
            let line = json!({"v": 1, "kind": "silence", "seconds": seconds, "failures": health.failures});
            return self.output.json_line(&line);
        }
        self.output.say(&format!(
            "nothing is heard: no answer from the service for {seconds} s ({} requests failed); still trying",
            health.failures
        ));
    }
}

/// The bodies signed in the last second. Two events may have equal bodies (messages of one sender); signed in the same
/// second, they would have equal signatures, and a receiver could not distinguish the second from a replay of the
/// first.
#[derive(Default)]
struct Seconds {
    second: u64,
    bodies: HashSet<Bytes>,
}

impl Seconds {
    /// Returns how long to wait for a second in which this body has not been signed.
    fn wait(&mut self, body: &Bytes, now: SystemTime) -> Duration {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if now.as_secs() > self.second {
            self.second = now.as_secs();
            self.bodies.clear();
        }
        if !self.bodies.insert(body.clone()) {
            self.second += 1;
            self.bodies = HashSet::from([body.clone()]);
        }
        Duration::from_secs(self.second).saturating_sub(now)
    }
}

/// Returns for how many seconds the service has not replied, once that is worth reporting.
fn silence(last: SystemTime, failures: u32, now: SystemTime) -> Option<u64> {
    let time = now.duration_since(last).unwrap_or_default();
    (failures > 0 && time >= SILENCE).then_some(time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bodies_are_signed_in_different_seconds() {
        let mut seconds = Seconds::default();
        let at = |millis: u64| UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + millis);
        let (one, two) = (Bytes::from("one"), Bytes::from("two"));
        assert_eq!(seconds.wait(&one, at(0)), Duration::ZERO);
        assert_eq!(seconds.wait(&two, at(100)), Duration::ZERO);
        assert_eq!(seconds.wait(&one, at(200)), Duration::from_millis(800));
        assert_eq!(seconds.wait(&two, at(1000)), Duration::ZERO);
        assert_eq!(seconds.wait(&one, at(1100)), Duration::from_millis(900));
        assert_eq!(seconds.wait(&one, at(9000)), Duration::ZERO);
    }

    #[test]
    fn a_minute_without_success_is_silence_and_a_quiet_one_is_not() {
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let after = |seconds| last + Duration::from_secs(seconds);
        assert_eq!(silence(last, 3, after(59)), None);
        assert_eq!(silence(last, 3, after(60)), Some(60));
        assert_eq!(silence(last, 0, after(600)), None);
        assert_eq!(silence(last, 3, last - Duration::from_secs(90)), None);
    }
}

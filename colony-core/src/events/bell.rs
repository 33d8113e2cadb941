//! The bell: a stream of the service that only says that something happened.
//!
//! `GET /stream` is one of server-sent events; what its frames hold, how often it says that it lives and how long it may
//! live is not written anywhere. So nothing of it is believed but that something came: any line with data starts a round.
//! A wrong guess about it costs time, never an event.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};

use crate::Request;

/// The operation, in errors and hooks.
const OPERATION: &str = "stream_events";
/// A longer line is not one of the service's.
const LONGEST_LINE: usize = 1024 * 1024;
/// How a line with data begins, in an event stream.
const DATA: &[u8] = b"data:";
/// So many cuts within this time are too many.
const CUTS: (usize, Duration) = (3, Duration::from_secs(60));
/// After a cut, it is opened again within this time, or twice that.
const AGAIN: Duration = Duration::from_secs(5);
/// How long nothing is tried where there is no bell.
const REST: Duration = Duration::from_secs(3600);
/// How long it is listened to, at least, whatever the token's end.
const LEAST: Duration = Duration::from_secs(1);

/// What a driver does about the bell, while it waits for anything else.
#[derive(Debug)]
#[non_exhaustive]
pub enum BellStep {
    /// Nothing.
    Off,
    /// Nothing, for this long. What is open is closed.
    Rest(Duration),
    /// Send this request, with the token, as long as its body may take; and give the head of the reply to
    /// [`Machine::bell_answered`](super::Machine::bell_answered), or what kept it from coming to
    /// [`Machine::bell_failed`](super::Machine::bell_failed). What is open is closed.
    Open(Box<Request>),
    /// Give what arrives to [`Machine::bell_heard`](super::Machine::bell_heard), and its end to
    /// [`Machine::bell_ended`](super::Machine::bell_ended); for this long at most.
    Listen(Duration),
}

/// What the watch does about something that became of the bell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// It rang, or may have rung unheard.
    Ring,
    /// There is none, for this reason: told once.
    Silent(String),
}

#[derive(Debug)]
pub(super) struct Bell {
    is_wanted: bool,
    state: State,
    /// When it was cut, in the last minute.
    cuts: Vec<Duration>,
    was_open: bool,
    has_rung: bool,
    is_told: bool,
}

#[derive(Debug)]
enum State {
    /// Not to be opened before.
    Closed(Duration),
    Opening,
    /// Until its token ends.
    Open(Duration, Lines),
}

impl Bell {
    pub(super) fn new(is_wanted: bool) -> Self {
        let state = State::Closed(Duration::ZERO);
        Self { is_wanted, state, cuts: Vec::new(), was_open: false, has_rung: false, is_told: false }
    }

    /// What to do, for this account. `rest`: how long nothing is to be opened.
    pub(super) fn next(&mut self, account: &str, rest: Option<Duration>, now: Duration) -> BellStep {
        let left = |until: Duration| until.saturating_sub(now);
        match &self.state {
            _ if !self.is_wanted => BellStep::Off,
            State::Open(until, _) if !left(*until).is_zero() => BellStep::Listen(left(*until)),
            State::Closed(until) if !left(*until).is_zero() => BellStep::Rest(left(*until)),
            _ if let Some(rest) = rest => BellStep::Rest(rest),
            _ => {
                self.state = State::Opening;
                let channel = format!("user:{account}:notifications");
                let request = Request::new(OPERATION, Method::GET, "/stream").query("channels", channel);
                let request = request.header_some("accept", Some("text/event-stream"));
                // What is compressed may be held back until there is enough of it.
                BellStep::Open(Box::new(request.header_some("accept-encoding", Some("identity"))))
            }
        }
    }

    /// Takes the head of the reply; the token lives for this long.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        life: Duration,
        now: Duration,
        random: f64,
    ) -> Heard {
        let media =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if status == StatusCode::UNAUTHORIZED {
            // The token has ended; a round shows it, and gets another one.
            return self.failed("its token is refused", now, random);
        }
        if !status.is_success() || !media.trim_start().starts_with("text/event-stream") {
            let media = media.split(';').next().unwrap_or_default().escape_default();
            return self.silent(format!("the answer is {status}, {media}"), now);
        }
        self.state = State::Open(now.saturating_add(life.max(LEAST)), Lines::default());
        // What happened since it was last open has not rung.
        if std::mem::replace(&mut self.was_open, true) { Heard::Ring } else { Heard::Nothing }
    }

    /// It could not be opened. A round shows whether anything can be reached.
    pub(super) fn failed(&mut self, why: &str, now: Duration, random: f64) -> Heard {
        match self.cut(why, now, random) {
            Heard::Nothing => Heard::Ring,
            silent => silent,
        }
    }

    /// Takes what has arrived.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Duration, random: f64) -> Heard {
        let State::Open(_, lines) = &mut self.state else { return Heard::Nothing };
        match lines.take(bytes) {
            None => self.cut("a line has no end", now, random),
            Some(false) => Heard::Nothing,
            Some(true) => {
                (self.has_rung, self.is_told) = (true, false);
                Heard::Ring
            }
        }
    }

    /// It has ended by itself.
    pub(super) fn cut(&mut self, why: &str, now: Duration, random: f64) -> Heard {
        let (most, time) = CUTS;
        self.cuts.retain(|at| now.saturating_sub(*at) < time);
        self.cuts.push(now);
        if self.cuts.len() >= most {
            return self.silent(format!("it was cut {most} times in a minute, at last because {why}"), now);
        }
        let wait = AGAIN.mul_f64(self.cuts.len() as f64 * (0.2 + 0.8 * random.clamp(0.0, 1.0)));
        self.state = State::Closed(now.saturating_add(wait));
        Heard::Nothing
    }

    /// There is no bell, for a while.
    pub(super) fn silent(&mut self, why: String, now: Duration) -> Heard {
        self.state = State::Closed(now.saturating_add(REST));
        self.cuts.clear();
        if std::mem::replace(&mut self.is_told, true) { Heard::Nothing } else { Heard::Silent(why) }
    }

    /// The service can be reached again.
    pub(super) fn recovered(&mut self) {
        if let State::Closed(until) = &mut self.state
            && !self.is_told
        {
            *until = Duration::ZERO;
            self.cuts.clear();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(..))
    }

    /// Whether it is open and has been heard.
    pub(super) fn is_known(&self) -> bool {
        self.has_rung && self.is_open()
    }
}

/// Finds the lines of an event stream that carry data. It keeps nothing of them.
#[derive(Debug, Default)]
struct Lines {
    /// Of the line under way: how many bytes have come, and how many of them are those of [`DATA`].
    length: usize,
    matching: usize,
}

impl Lines {
    /// Takes what has arrived, and says whether a line with data has ended. `None`: a line is too long.
    fn take(&mut self, bytes: &[u8]) -> Option<bool> {
        let mut found = false;
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                // A field may do without its colon.
                found |= self.matching == DATA.len()
                    || self.matching + 1 == DATA.len() && self.length == self.matching;
                *self = Self::default();
                continue;
            }
            if self.matching == self.length && DATA.get(self.length) == Some(byte) {
                self.matching += 1;
            }
            self.length += 1;
            if self.length > LONGEST_LINE {
                return None;
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(86_400);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn events() -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8".parse().unwrap())])
    }

    fn open(bell: &mut Bell, now: u64) -> Heard {
        let step = bell.next("u1", None, at(now));
        assert!(matches!(step, BellStep::Open(_)), "{step:?}");
        bell.answered(StatusCode::OK, &events(), LIFE, at(now), 1.0)
    }

    fn rest(bell: &mut Bell, now: u64) -> u64 {
        match bell.next("u1", None, at(now)) {
            BellStep::Rest(time) => time.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_with_data_are_found_however_they_arrive() {
        let cases: [(&str, usize); 9] = [
            ("data: 1\n", 1),
            ("data:\ndata\r\n", 2),
            ("event: notification.new\rdata: {}\r\r", 1),
            (": keep-alive\n\nid: 5\nretry: 3\n", 0),
            (" data: 1\nDATA: 1\ndat: 1\ndatax\nxdata:\n", 0),
            ("data: without an end", 0),
            ("\u{feff}\u{0}\n\n\r\n", 0),
            ("{\"data\": 1}\n", 0),
            ("data: 1\n\ndata: 2\n\n", 2),
        ];
        for (text, expected) in cases {
            let mut lines = Lines::default();
            let found = text.bytes().filter(|byte| lines.take(&[*byte]) == Some(true)).count();
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(Lines::default().take(text.as_bytes()), Some(expected > 0), "{text:?}");
        }
        let mut lines = Lines::default();
        let chunk = [b'd'; 64 * 1024];
        let taken = (0..100).take_while(|_| lines.take(&chunk) == Some(false)).count();
        assert_eq!(taken, 16, "a mebibyte of one line");
    }

    #[test]
    fn it_asks_for_the_account_and_for_nothing_else() {
        let mut bell = Bell::new(true);
        let BellStep::Open(request) = bell.next("u1", None, at(0)) else { panic!("it opens") };
        assert_eq!(request.query_pairs(), [("channels".into(), "user:u1:notifications".to_owned())]);
        assert_eq!(request.path(request.path_style()).unwrap(), "/stream");
        assert!(matches!(Bell::new(false).next("u1", None, at(0)), BellStep::Off));
    }

    #[test]
    fn it_is_opened_anew_before_its_token_ends() {
        let mut bell = Bell::new(true);
        bell.next("u1", None, at(0));
        assert_eq!(bell.answered(StatusCode::OK, &events(), at(100), at(0), 1.0), Heard::Nothing);
        assert!(matches!(bell.next("u1", None, at(40)), BellStep::Listen(left) if left == at(60)));
        assert_eq!(open(&mut bell, 100), Heard::Ring, "what happened in between has not rung");
        assert!(bell.cuts.is_empty());
    }

    #[test]
    fn other_answers_are_none_and_tried_again_hourly() {
        let page = HeaderMap::from_iter([(header::CONTENT_TYPE, "text/html".parse().unwrap())]);
        for (status, headers) in
            [(StatusCode::NOT_FOUND, events()), (StatusCode::OK, page), (StatusCode::OK, HeaderMap::new())]
        {
            let mut bell = Bell::new(true);
            bell.next("u1", None, at(0));
            let told = bell.answered(status, &headers, LIFE, at(0), 1.0);
            assert!(matches!(&told, Heard::Silent(why) if why.contains(status.as_str())), "{told:?}");
            bell.recovered();
            assert_eq!(rest(&mut bell, 0), 3600);
            assert!(matches!(bell.next("u1", None, at(3600)), BellStep::Open(_)));
            let again = bell.answered(status, &headers, LIFE, at(3600), 1.0);
            assert_eq!(again, Heard::Nothing, "told once");
        }
    }

    #[test]
    fn three_cuts_in_a_minute_are_too_many() {
        let mut bell = Bell::new(true);
        open(&mut bell, 0);
        assert_eq!(bell.cut("it ended", at(1), 1.0), Heard::Nothing);
        assert_eq!(rest(&mut bell, 1), 5);
        assert_eq!(open(&mut bell, 6), Heard::Ring);
        assert_eq!(bell.heard(b"data: 1\n", at(7), 1.0), Heard::Ring);
        assert!(bell.is_known());
        bell.cut("it ended", at(8), 1.0);
        assert_eq!(rest(&mut bell, 8), 10);
        open(&mut bell, 18);
        assert!(matches!(bell.cut("it ended", at(20), 1.0), Heard::Silent(_)));
        assert_eq!(rest(&mut bell, 20), 3600);
        assert!(!bell.is_known());
        // Spread over time, none is the last.
        let mut bell = Bell::new(true);
        for now in (0..1000).step_by(31) {
            open(&mut bell, now);
            assert_eq!(bell.cut("it ended", at(now + 1), 0.0), Heard::Nothing);
        }
    }

    #[test]
    fn a_refused_token_and_a_lost_connection_are_shown_by_a_round() {
        let mut bell = Bell::new(true);
        bell.next("u1", None, at(0));
        assert_eq!(bell.answered(StatusCode::UNAUTHORIZED, &events(), LIFE, at(0), 1.0), Heard::Ring);
        bell.next("u1", None, at(5));
        assert_eq!(bell.failed("nobody answers", at(5), 1.0), Heard::Ring);
        // While nothing can be reached it is left alone, and then opened at once.
        assert!(matches!(bell.next("u1", Some(at(7)), at(20)), BellStep::Rest(time) if time == at(7)));
        bell.recovered();
        open(&mut bell, 20);
        assert!(matches!(bell.next("u1", Some(at(7)), at(21)), BellStep::Listen(_)), "what is open stays");
    }

    #[test]
    fn a_line_without_an_end_is_a_cut() {
        let mut bell = Bell::new(true);
        open(&mut bell, 0);
        let mut bytes = 0;
        while bell.is_open() {
            bell.heard(&[b'x'; 4096], at(1), 1.0);
            bytes += 4096;
        }
        assert_eq!(bytes, LONGEST_LINE + 4096);
        assert_eq!(rest(&mut bell, 1), 5);
    }
}

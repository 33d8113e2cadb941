//! Texts and times for people.

use colony_core::Timestamp;
use jiff::tz::TimeZone;

/// Returns text by others, made safe for a terminal: without control characters, which could move the cursor or change
/// the title, and without characters that reorder surrounding text.
pub(crate) fn printable(text: &str) -> String {
    let replaced = |c: char| match c {
        '\n' | '\t' => Some(c),
        // Invisible marks; right-to-left text is legible without them.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => None,
        _ if is_unsafe(c) => Some('\u{fffd}'),
        _ => Some(c),
    };
    text.chars().filter_map(replaced).collect()
}

/// Returns the same on one line.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Returns JSON for a terminal: the characters that [`printable`] replaces are escaped, which changes no value.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text += &format!("\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Returns whether a character is a control, changes the direction or the lines of surrounding text (Unicode, UAX #9),
/// or is a tag character, which hides text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns a time in local time with its zone: `2026-11-26 15:04 CET`.
pub(crate) fn moment(unix_seconds: f64) -> String {
    local(unix_seconds as i64, &TimeZone::system())
}

/// Returns a server's timestamp in the same form, or unchanged if it cannot be parsed.
pub(crate) fn moment_of(told: Option<&Timestamp>) -> String {
    told.map_or_else(String::new, |told| match told.unix_seconds() {
        Some(seconds) => local(seconds, &TimeZone::system()),
        None => one_line(told.as_str()),
    })
}

fn local(seconds: i64, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Returns how long ago a time was, abbreviated (`5 min ago`); its local date if that was more than a week ago.
pub(crate) fn ago(told: Option<&Timestamp>, now: f64) -> String {
    let Some(told) = told else { return String::new() };
    let Some(seconds) = told.unix_seconds() else { return one_line(told.as_str()) };
    match now as i64 - seconds {
        past if past < -60 => local(seconds, &TimeZone::system()),
        past if past < 60 => "just now".to_owned(),
        past if past < 3600 => format!("{} min ago", past / 60),
        past if past < 86_400 => format!("{} h ago", past / 3600),
        past if past < 7 * 86_400 => format!("{} d ago", past / 86_400),
        _ => local(seconds, &TimeZone::system())[..10].to_owned(),
    }
}

/// Returns a duration in its largest unit.
pub(crate) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        s if s >= 172_800.0 => format!("{:.0} days", s / 86_400.0),
        s if s >= 7200.0 => format!("{:.0} hours", s / 3600.0),
        s if s >= 120.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{s:.0} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}31m"), "a\u{fffd}[2Jb\u{fffd}31m");
        assert_eq!(
            printable("x\u{202e}gnp\u{202c} \u{2066}y\u{2069}\u{200f}"),
            "x\u{fffd}gnp\u{fffd} \u{fffd}y\u{fffd}"
        );
        assert_eq!(one_line("one\ntwo\u{2028}three"), "one two\u{fffd}three");
        let text = "\u{202e}\u{9b}\u{2028} 日本";
        let json = escaped(&serde_json::to_string_pretty(&[text]).unwrap());
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
        assert!(json.contains("\\u202e") && json.contains("日本"));
    }

    #[test]
    fn times_are_local_or_relative() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(local(1_789_806_600, &zone), "2026-09-19 10:30 +02");
        let told = Timestamp::from("2026-09-19T08:30:00Z");
        let after = |seconds: f64| ago(Some(&told), 1_789_806_600.0 + seconds);
        assert_eq!(after(30.0), "just now");
        assert_eq!(after(7300.0), "2 h ago");
        assert_eq!(after(200_000.0), "2 d ago");
        assert!(after(8.0 * 86_400.0).starts_with("2026-09-"));
        assert_eq!(ago(Some(&Timestamp::from("some day")), 0.0), "some day");
    }
}

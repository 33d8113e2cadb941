//! An event as a line.

use colony_core::{events::Event, untrusted};
use serde_json::{Value, json};

use crate::output::{moment_of, one_line};

/// The purpose of a key that a command receives.
const PURPOSE: &str = "watch";

/// Returns the event as an object, whose form scripts can rely on.
pub(crate) fn json(event: &colony_async::events::Received) -> Value {
    let mut line = json!({
        "v": 1,
        "id": event.id(),
        "kind": event.kind().map_or("gap", |kind| kind.as_str()),
        "type": type_of(event),
        "at": event.at(),
        "actor": event.actor(),
        "idempotency_key": event.idempotency_key(PURPOSE),
        "data": event.row(),
    });
    match &**event {
        Event::Gap(gap) => {
            (line["of"], line["from"], line["to"]) = (json!(gap.kind), json!(gap.from), json!(gap.to));
            line["why"] = gap.why.as_str().into();
        }
        Event::Unreadable(row) => line["unreadable"] = row.problem.as_str().into(),
        _ => {}
    }
    line
}

/// Returns the line for a model: without the characters that a person does not see, and with their number.
pub(super) fn cleaned(mut line: Value) -> Value {
    let removed = untrusted::clean_json(&mut line);
    line["removed_characters"] = removed.into();
    line
}

fn type_of(event: &Event) -> Option<String> {
    match event {
        Event::Notification(it) => it.notification_type.clone(),
        Event::Message(_) => Some("direct_message".to_owned()),
        Event::Post(it) => it.post_type.as_ref().and_then(|kind| json!(kind).as_str().map(str::to_owned)),
        Event::Gap(gap) => Some(gap.why.as_str().to_owned()),
        _ => None,
    }
}

/// Returns the event for a person, on one line without terminal control characters.
pub(super) fn text(event: &Event) -> String {
    let what = match event {
        Event::Notification(it) => it.message.clone().unwrap_or_default(),
        Event::Message(it) => it.body.clone(),
        Event::Post(it) => format!("{} ({})", it.title, it.id),
        Event::Gap(gap) => format!(
            "{} from {} to {} may be missing ({})",
            gap.kind.map_or("events", |kind| kind.as_str()),
            gap.from,
            gap.to,
            gap.why.as_str()
        ),
        Event::Unreadable(row) => row.problem.clone(),
        _ => String::new(),
    };
    let kind = type_of(event).unwrap_or_else(|| "?".to_owned());
    let mut what: String = one_line(&what).chars().take(200).collect();
    if let Some(actor) = event.actor() {
        what = format!("{}: {what}", one_line(actor));
    }
    format!("{}  {}  {what}", moment_of(event.at()), one_line(&kind))
}

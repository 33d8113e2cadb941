//! The traces of a call: a span with the names of the OpenTelemetry conventions, and an event for each pause.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use colony_tests::stage::Kind;
use serde_json::json;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};
use wiremock::ResponseTemplate;

use crate::scene::{Scene, Setup, status};

type Fields = BTreeMap<String, String>;

/// Records the spans and events of calls.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    spans: Vec<(Id, Fields)>,
    events: Vec<Fields>,
}

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Notes {
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if span.metadata().target() == "colony::http" {
            let mut fields = Fields::new();
            span.record(&mut Reader(&mut fields));
            self.0.lock().expect("no panic before").spans.push((id.clone(), fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut noted = self.0.lock().expect("no panic before");
        if let Some((_, fields)) = noted.spans.iter_mut().rev().find(|(known, _)| known == id) {
            values.record(&mut Reader(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "colony::http" {
            let mut fields = Fields::new();
            event.record(&mut Reader(&mut fields));
            self.0.lock().expect("no panic before").events.push(fields);
        }
    }
}

#[tokio::test]
async fn a_call_has_a_span_and_each_pause_an_event() {
    let notes = Notes::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(notes.clone()));
    let scene = Scene::new().await;
    scene.on("GET", "/posts/", Some(2), status(503)).await;
    let found = ResponseTemplate::new(200).set_body_json(json!({"id": crate::scene::POST, "title": "t"}));
    scene.on("GET", "/posts/", None, found).await;
    let call = async |name: &str, arguments| {
        Setup::default().call(Kind::Async, &scene.base_url(), name, arguments).await
    };
    call("get_post", json!({"post_id": crate::scene::POST})).await.expect("an answer");
    scene.on("DELETE", "/posts/", None, status(403)).await;
    call("delete_post", json!({"post_id": crate::scene::POST})).await.expect_err("refused");

    let notes = notes.0.lock().expect("no panic before");
    let spans: Vec<&Fields> = notes.spans.iter().map(|(_, fields)| fields).collect();
    let events = &notes.events;
    let expected = [
        [
            ("http.request.method", "GET"),
            ("url.template", "/posts/{post_id}"),
            ("http.response.status_code", "200"),
            ("http.request.resend_count", "2"),
            ("operation", "get_post"),
        ],
        [
            ("http.request.method", "DELETE"),
            ("url.template", "/posts/{post_id}"),
            ("http.response.status_code", "403"),
            ("error.type", "403"),
            ("operation", "delete_post"),
        ],
    ];
    assert_eq!(spans.len(), 2, "{spans:?}");
    for (span, expected) in spans.iter().zip(expected) {
        for (name, value) in expected {
            assert_eq!(span.get(name).map(String::as_str), Some(value), "{name} in {span:?}");
        }
    }
    assert!(!spans[0].contains_key("error.type"), "{spans:?}");
    let pauses: Vec<&Fields> =
        events.iter().filter(|event| event.get("event").is_some_and(|name| name == "retry")).collect();
    assert_eq!(pauses.len(), 2, "{events:?}");
    assert_eq!(pauses[0]["error.type"], "503");
}

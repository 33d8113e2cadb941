//! Asking a person before a write, with clients that can, cannot or lie: M13.

use serde_json::{Value, json};

use crate::{
    bench::Bench,
    talk::{Protocol, Talk, said},
    told,
};

fn posts(bench: &Bench) -> u64 {
    let stats = bench.sandbox.stats();
    stats.with_status("POST /posts", 200) + stats.with_status("POST /posts", 201)
}

fn begin(bench: &Bench, protocol: Protocol, capabilities: Value) -> Talk {
    Talk::begin(bench.command(&["mcp", "--write", "--ask"]), protocol, capabilities)
}

fn post(title: &str) -> Value {
    json!({"name": "create_post", "arguments": {"title": title, "body": format!("The text of {title}")}})
}

#[test]
fn m13_nothing_is_written_unless_a_person_accepts() {
    let bench = Bench::new();
    let can = json!({"elicitation": {}});
    let mut cases = 0;
    for (number, answer) in ["accept", "decline", "cancel", "nonsense"].into_iter().enumerate() {
        let is_written = answer == "accept";
        // Up to 2025-11-25 the server sends a request.
        let mut talk = begin(&bench, Protocol::Handshake, can.clone());
        let before = posts(&bench);
        let id = talk.send("tools/call", post(&format!("Handshake {number}")));
        let question = talk.question();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let message = question["params"]["message"].as_str().unwrap();
        assert!(message.contains("create_post") && message.contains("Handshake"), "{message}");
        talk.write(
            &json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": answer, "content": {}}}),
        );
        let (text, is_error) = said(&talk.answer(id));
        assert_eq!(
            (is_error, posts(&bench) - before),
            (!is_written, u64::from(is_written)),
            "{answer}: {text}"
        );
        assert!(is_written || text.contains("\"refused\""), "{text}");
        // Since 2026-07-28 the client asks, and calls again.
        let mut talk = begin(&bench, Protocol::Inline, can.clone());
        let before = posts(&bench);
        let call = post(&format!("Inline {number}"));
        let first = talk.request("tools/call", call.clone());
        assert_eq!(first["result"]["resultType"], "input_required", "{first}");
        assert_eq!(posts(&bench), before, "not yet");
        let state = first["result"]["requestState"].clone();
        assert!(state.as_str().unwrap().len() == 32 && !state.as_str().unwrap().contains("Inline"));
        let mut again = call.clone();
        again["requestState"] = state.clone();
        again["inputResponses"] = json!({"confirm": {"action": answer, "content": {}}});
        let (text, is_error) = said(&talk.request("tools/call", again.clone()));
        assert_eq!(
            (is_error, posts(&bench) - before),
            (!is_written, u64::from(is_written)),
            "{answer}: {text}"
        );
        // A reply counts once.
        let before = posts(&bench);
        again["inputResponses"] = json!({"confirm": {"action": "accept", "content": {}}});
        assert!(said(&talk.request("tools/call", again)).1);
        assert_eq!(posts(&bench), before);
        cases += 3;
    }
    for protocol in [Protocol::Handshake, Protocol::Inline] {
        // A client that cannot ask, and one that replies with an error.
        let before = posts(&bench);
        let mut talk = begin(&bench, protocol, json!({}));
        let (text, is_error) = said(&talk.request("tools/call", post("Nobody is asked")));
        assert!(is_error && text.contains("cannot ask"), "{text}");
        if protocol == Protocol::Handshake {
            let mut talk = begin(&bench, protocol, can.clone());
            let id = talk.send("tools/call", post("An error"));
            let question = talk.question();
            talk.write(
                &json!({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -32600, "message": "no"}}),
            );
            assert!(said(&talk.answer(id)).1);
        }
        // Reads do not ask.
        talk.ok("list_posts", json!({}));
        assert_eq!(posts(&bench), before);
        cases += 2;
    }
    // Other arguments, another tool, a state that the client made up.
    let mut talk = begin(&bench, Protocol::Inline, can);
    let before = posts(&bench);
    let accept = json!({"confirm": {"action": "accept", "content": {}}});
    for change in ["arguments", "tool", "state"] {
        let first = talk.request("tools/call", post("Harmless"));
        let mut again = post("Harmless");
        again["requestState"] = first["result"]["requestState"].clone();
        again["inputResponses"] = accept.clone();
        match change {
            "arguments" => again["arguments"]["body"] = "Something else altogether".into(),
            "tool" => again["name"] = "write_operation".into(),
            _ => again["requestState"] = "0".repeat(32).into(),
        }
        if change == "tool" {
            again["arguments"] = json!({"name": "create_post", "arguments": again["arguments"]});
        }
        let (text, is_error) = said(&talk.request("tools/call", again));
        assert!(is_error && text.contains("refused"), "{change}: {text}");
        cases += 1;
    }
    assert_eq!(posts(&bench), before);
    told("M13", format_args!("{cases} cases over both generations: written on accept only"));
}

//! `colony trigger`: makes one delivery of a sample event.

use std::time::{Duration, SystemTime};

use colony_core::{
    Error, ErrorKind,
    webhook::{Attempt, SIGNATURE_HEADER, Signer, UNSTAMPED_SIGNATURE_HEADER},
};
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    args::{Global, Tamper, TriggerArgs},
    failure::Failure,
    forward::{self, Target},
    output::{Output, text, whole},
    samples::{self, Sample},
    webhook_secret,
};

/// How long ago a delivery with a tampered time was signed: longer than any receiver allows.
const LONG_AGO: Duration = Duration::from_secs(3600);

pub(crate) async fn run(global: &Global, args: TriggerArgs, output: &Output) -> Result<(), Failure> {
    let (Some(event), Some(address)) = (&args.event, &args.forward_to) else {
        list(output);
        return Ok(());
    };
    let mut sample = samples::named(event)?.clone();
    for given in &args.set {
        let (field, value) = given
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--set {given}: give FIELD=VALUE")))?;
        sample.set(field, value).map_err(|why| Failure::usage(format!("--set {given}: {why}")))?;
    }
    let target = Target::new(address, args.receiver.insecure, global)?;
    let secret = webhook_secret::find(global, args.receiver.secret_file.as_deref()).await?;
    let signer = Signer::new(secret.expose_secret())?;
    let attempt = Attempt::new(event, Uuid::new_v4().to_string());
    let (mut headers, body) = made(&signer, &attempt, &sample, args.tamper);
    headers.insert(forward::MADE_BY, HeaderValue::from_static("colony trigger"));
    forward::tell_sent(&attempt, output);
    let answer = target.send(headers, body.into()).await;
    forward::tell_answer(&attempt, &answer, None, output);
    let error = match &answer.status {
        Ok(200..=299) => return Ok(()),
        Ok(status) => {
            Error::build(ErrorKind::Api, format!("the receiver answered {status}")).status(*status).finish()
        }
        Err(why) => {
            let message = format!("the receiver at {address} gave no answer: {why}");
            Error::build(ErrorKind::Network, message).finish()
        }
    };
    Err(Failure::advised(
        error,
        match (&answer.status, args.tamper) {
            (Err(_), _) => "start the receiver, or correct --forward-to",
            (Ok(_), Some(_)) => {
                "that is as it should be: this delivery was tampered with, and is to be refused"
            }
            (Ok(401), None) => {
                "the receiver is to check with the secret that `colony listen --print-secret` prints"
            }
            (Ok(_), None) => "a receiver answers 2xx to what it has handled",
        },
    ))
}

/// Returns the headers and the body of a delivery, which are valid unless tampered with.
fn made(signer: &Signer, attempt: &Attempt, sample: &Sample, tamper: Option<Tamper>) -> (HeaderMap, Vec<u8>) {
    let now = SystemTime::now();
    let signed = if tamper == Some(Tamper::Time) { now.checked_sub(LONG_AGO).unwrap_or(now) } else { now };
    let mut body = Value::from(sample.fields().clone()).to_string().into_bytes();
    let mut headers = signer.attempt(attempt, &body, signed);
    match tamper {
        Some(Tamper::Signature) => {
            for name in [SIGNATURE_HEADER, UNSTAMPED_SIGNATURE_HEADER] {
                let spoilt = headers.get(name).and_then(|value| value.to_str().ok()).map(other_digit);
                if let Some(value) = spoilt.and_then(|text| HeaderValue::try_from(text).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        // One more field, at the beginning: still a valid event.
        Some(Tamper::Body) => drop(body.splice(1..1, *b"\"tampered\":true,")),
        Some(Tamper::Time) | None => {}
    }
    (headers, body)
}

/// Returns the text with its last hexadecimal digit changed.
fn other_digit(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "0" { '1' } else { '0' })
}

fn list(output: &Output) {
    if output.json {
        let row = |sample: &Sample| json!({"name": sample.event(), "example_payload": sample.fields()});
        return output.value(&samples::all().iter().map(row).collect());
    }
    let row = |sample: &Sample| {
        let fields = sample.fields().keys().map(String::as_str).filter(|name| *name != "event");
        vec![sample.event().to_owned(), fields.collect::<Vec<_>>().join(", ")]
    };
    output.table(&[whole("event"), text("fields")], samples::all().iter().map(row).collect());
}

#[cfg(test)]
mod tests {
    use colony_core::webhook::{Rejected, Verifier};

    use super::*;

    #[test]
    fn what_is_tampered_with_is_refused_and_nothing_else() {
        let (signer, verifier) = (Signer::new("s").unwrap(), Verifier::new("s").unwrap());
        for sample in samples::all() {
            let attempt = Attempt::new(sample.event(), "e");
            let check = |tamper| {
                let (headers, body) = made(&signer, &attempt, sample, tamper);
                let old = headers[UNSTAMPED_SIGNATURE_HEADER].to_str().unwrap().to_owned();
                (
                    verifier.receive(&headers, &body, SystemTime::now()).map(|it| it.event.name().to_owned()),
                    verifier.verify_unstamped(&body, &old).is_ok(),
                )
            };
            assert_eq!(check(None), (Ok(sample.event().to_owned()), true));
            for tamper in [Tamper::Signature, Tamper::Body] {
                assert_eq!(check(Some(tamper)), (Err(Rejected::Mismatch), false), "{tamper:?}");
            }
            assert!(matches!(check(Some(Tamper::Time)), (Err(Rejected::Expired { .. }), true)));
        }
    }
}

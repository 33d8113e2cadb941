//! Replies of any size: reads are bounded, and large replies stream.
//!
//! Memory is measured in a separate process, the program `bodies`.
#![cfg(target_os = "linux")]

use std::process::Command;

use colony_async::{Client, Content, ErrorKind, api::attachments};
use colony_tests::giant::{MIB, serve};

fn client(base_url: &str) -> Client {
    Client::builder("col_bodies").base_url(base_url).cache_token(false).build().expect("a client")
}

/// Returns the program's output and its peak memory, in MiB.
fn in_a_process(what: &str, base_url: &str) -> (String, usize) {
    let output = Command::new(env!("CARGO_BIN_EXE_bodies"))
        .args([what, base_url])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).expect("its memory");
    (said.clone(), peak.parse().expect("a number"))
}

fn download() -> attachments::GetMessageAttachment {
    attachments::GetMessageAttachment::new("large")
}

#[test]
fn a_reply_without_end_is_a_typed_error() {
    let server = serve();
    for kind in ["large", "chunked", "crumbs", "gzip", "login"] {
        let (said, peak) = in_a_process("reads", &format!("{server}/{kind}"));
        assert!(said.contains(&format!("outcome {:?} \"too_large\"", ErrorKind::Decode)), "{kind}: {said}");
        assert!(peak < 64, "{kind}: {peak} MiB");
    }
    // The status counts, and the page is cut.
    let (said, peak) = in_a_process("reads", &format!("{server}/error"));
    assert!(said.contains(&format!("outcome {:?}", ErrorKind::Auth)), "{said}");
    assert!(peak < 64, "{peak} MiB");
}

#[test]
fn what_streams_takes_little_memory() {
    let server = serve();
    let rows = [("streams", "large"), ("streams-blocking", "large"), ("uploads", "upload")];
    for (what, kind) in rows {
        let (said, peak) = in_a_process(what, &format!("{server}/{kind}"));
        assert!(said.contains("outcome whole"), "{what}: {said}");
        assert!(peak < 32, "{what}: {peak} MiB");
    }
}

#[tokio::test]
async fn a_broken_download_says_how_far_it_came() {
    let client = client(&format!("{}/broken", serve()));
    let mut stream = client.stream(download()).await.expect("a stream");
    let mut received = 0;
    let error = loop {
        match stream.next().await.expect("it ends with an error") {
            Ok(chunk) => received += chunk.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(received, 3 * MIB);
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.message().contains(&format!("{received} bytes had arrived")), "{error}");
    assert!(stream.next().await.is_none());
    // A success that was not read completely is not an answer.
    assert_eq!(
        client
            .stream(download())
            .await
            .expect("a stream")
            .write_to(tokio::io::sink())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Network
    );
}

#[tokio::test]
async fn a_file_is_uploaded_from_disk_and_a_reader_once() {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

    let server = MockServer::start().await;
    let login = serde_json::json!({"access_token": "token"});
    Mock::given(wiremock::matchers::path("/auth/token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(login))
        .mount(&server)
        .await;
    // The token is refused once.
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(401).set_body_json(serde_json::json!({"detail": "no"})))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({})))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let uploads = async || {
        let all = server.received_requests().await.expect("recorded");
        all.into_iter()
            .filter(|request| request.url.path() != "/auth/token")
            .map(|request| (request.headers["content-type"].clone(), request.body))
            .collect::<Vec<_>>()
    };

    let once = Content::reader(&b"read once"[..]);
    let error =
        client.attachments().upload("a.png", once.clone(), "image/png").await.expect_err("it is refused");
    assert_eq!((error.kind(), uploads().await.len()), (ErrorKind::Auth, 1));
    let error = client.attachments().upload("a.png", once, "image/png").await.expect_err("it is gone");
    assert_eq!((error.kind(), uploads().await.len()), (ErrorKind::Io, 1));

    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, "from a file").expect("written");
    client
        .attachments()
        .upload("a.png", Content::file(file.path()), "image/png")
        .await
        .expect("it is stored");
    let sent = uploads().await;
    assert!(String::from_utf8_lossy(&sent[1].1).contains("\r\n\r\nfrom a file\r\n--"));
    let missing = client.attachments().upload("a.png", Content::file("/no/such/file"), "image/png").await;
    let error = missing.expect_err("there is none");
    assert_eq!((error.kind(), uploads().await.len()), (ErrorKind::Io, 2));
    assert!(error.message().contains("/no/such/file"), "{error}");
}

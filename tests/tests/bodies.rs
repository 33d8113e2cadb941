//! Replies of any size: what is read is bounded, and what is large streams.
//!
//! Memory is measured in a process of its own, which is this program again with one ignored test.
#![cfg(target_os = "linux")]

use std::{
    io::{self, Read as _},
    process::Command,
    time::Duration,
};

use colony_async::{Client, Content, ErrorKind, api::attachments};
use colony_tests::giant::{MIB, serve};
use tokio::runtime::{Builder, Runtime};

/// What the child is told.
const BASE_URL: &str = "TEST_BODIES_BASE_URL";
const ENDLESS: &str = "/endless";

fn settings<C: colony_async::OverHttp>(
    builder: colony_async::Builder<C>,
    base_url: &str,
) -> colony_async::Builder<C> {
    let builder = builder.base_url(base_url).cache_token(false).timeout(Duration::from_secs(120));
    // Each takes its time.
    if base_url.ends_with("crumbs") { builder.max_reply_size(MIB) } else { builder }
}

fn client(base_url: &str) -> Client {
    settings(Client::builder("col_bodies"), base_url).build().expect("a client")
}

/// Runs an ignored test of this program and gives what it said and the most memory that it had, in MiB.
fn in_a_process(test: &str, base_url: &str) -> (String, usize) {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(BASE_URL, base_url)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).expect("its memory");
    (said.clone(), peak.parse().expect("a number"))
}

/// Prints the most memory that this process had.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn tell(outcome: &str) {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel's account");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: usize = peak.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    println!("\noutcome {outcome}\npeak {}", kib / 1024);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn download() -> attachments::GetMessageAttachment {
    attachments::GetMessageAttachment::new("large")
}

fn base_url() -> String {
    std::env::var(BASE_URL).expect("run by another test")
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn child_reads_whole() {
    let base_url = base_url();
    let outcome =
        runtime().block_on(async { client(&base_url).request(http::Method::GET, ENDLESS).send().await });
    let error = outcome.expect_err("it is too large");
    let blocking = settings(colony_blocking::Client::builder("col_bodies"), &base_url)
        .build()
        .and_then(|client| client.request(http::Method::GET, ENDLESS).send());
    let again = blocking.expect_err("it is too large");
    assert_eq!((error.kind(), error.code()), (again.kind(), again.code()));
    tell(&format!("{:?} {:?}", error.kind(), error.code().unwrap_or_default()));
}

#[test]
fn a_reply_without_end_is_a_typed_error() {
    let server = serve();
    for kind in ["large", "chunked", "crumbs", "gzip", "login"] {
        let (said, peak) = in_a_process("child_reads_whole", &format!("{server}/{kind}"));
        assert!(said.contains(&format!("outcome {:?} \"too_large\"", ErrorKind::Decode)), "{kind}: {said}");
        assert!(peak < 64, "{kind}: {peak} MiB");
    }
    // The status counts, and the page is cut.
    let (said, peak) = in_a_process("child_reads_whole", &format!("{server}/error"));
    assert!(said.contains(&format!("outcome {:?}", ErrorKind::Auth)), "{said}");
    assert!(peak < 64, "{peak} MiB");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_streams() {
    let base_url = base_url();
    let mut stream = runtime().block_on(async {
        let mut stream = client(&base_url).stream(download()).await.expect("a stream");
        assert_eq!(stream.size(), Some(1024 * MIB as u64));
        while let Some(chunk) = stream.next().await {
            assert!(!chunk.expect("a chunk").is_empty());
        }
        assert_eq!(stream.received(), 1024 * MIB as u64);
        client(&base_url).stream(download()).await.expect("a stream")
    });
    // Its connection ended with the runtime that had opened it.
    let elsewhere = runtime().block_on(stream.next()).expect("an error").expect_err("it is another's");
    assert_eq!(elsewhere.kind(), ErrorKind::Config);
    tell("whole");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_streams_blocking() {
    let client =
        settings(colony_blocking::Client::builder("col_bodies"), &base_url()).build().expect("a client");
    let written = client.stream(download()).expect("a reader").write_to(io::sink()).expect("all of it");
    assert_eq!(written, 1024 * MIB as u64);
    let mut first = [0; 100];
    client.stream(download()).expect("a reader").read_exact(&mut first).expect("a hundred bytes");
    assert_eq!(first, [b'x'; 100]);
    tell("whole");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_uploads() {
    let size = 1024 * MIB as u64;
    let client =
        settings(colony_blocking::Client::builder("col_bodies"), &base_url()).build().expect("a client");
    let content = Content::reader(io::repeat(b'x').take(size));
    let stored = client.attachments().upload("large.bin", content, "image/png").expect("it is stored");
    assert!(stored.size_bytes.is_some_and(|stored| stored > size), "{:?}", stored.size_bytes);
    tell("whole");
}

#[test]
fn what_streams_takes_little_memory() {
    let server = serve();
    let rows = [("child_streams", "large"), ("child_streams_blocking", "large"), ("child_uploads", "upload")];
    for (child, kind) in rows {
        let (said, peak) = in_a_process(child, &format!("{server}/{kind}"));
        assert!(said.contains("outcome whole"), "{child}: {said}");
        assert!(peak < 32, "{child}: {peak} MiB");
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
    // Nothing of a success that was not read is taken for an answer.
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

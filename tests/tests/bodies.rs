//! Replies of any size: what is read is bounded, and what is large streams.
//!
//! Memory is measured in a process of its own, which is this program again with one ignored test.
#![cfg(target_os = "linux")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::Duration,
};

use colony_async::{Client, ErrorKind};
use flate2::{Compression, write::DeflateEncoder};

const MIB: usize = 1024 * 1024;
/// What the child is told.
const BASE_URL: &str = "TEST_BODIES_BASE_URL";
const ENDLESS: &str = "/endless";

/// Serves one request a connection, at `/kind/…`, until the other side hangs up.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(answer(stream)));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or("/");
    let mib = vec![b'x'; MIB];
    let (kind, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    if rest == "auth/token" && kind != "login" {
        let token = r#"{"access_token": "token"}"#;
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{token}",
            token.len()
        );
    }
    match kind {
        // A gigabyte, as announced.
        "large" | "login" => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1024 * MIB)?;
            (0..1024).try_for_each(|_| stream.write_all(&mib))
        }
        "error" => {
            write!(stream, "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n")?;
            (0..1024).try_for_each(|_| stream.write_all(&mib))
        }
        "chunked" => {
            write!(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            loop {
                write!(stream, "{MIB:x}\r\n")?;
                stream.write_all(&mib)?;
                stream.write_all(b"\r\n")?;
            }
        }
        // Many small chunks.
        "crumbs" => {
            write!(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let crumbs = b"4\r\nxxxx\r\n".repeat(64 * 1024);
            loop {
                stream.write_all(&crumbs)?;
            }
        }
        "gzip" => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n")?;
            stream.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])?;
            // A flushed block ends on a byte and says the same wherever it stands.
            let mut block = DeflateEncoder::new(Vec::new(), Compression::best());
            block.write_all(&vec![b' '; MIB])?;
            block.flush()?;
            let block = block.get_ref().clone();
            (0..1024).try_for_each(|_| stream.write_all(&block))?;
            stream.write_all(&[3, 0])
        }
        other => panic!("no such reply: {other}"),
    }
}

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

fn base_url() -> String {
    std::env::var(BASE_URL).expect("run by another test")
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn child_reads_whole() {
    let base_url = base_url();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async { client(&base_url).request(http::Method::GET, ENDLESS).send().await });
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

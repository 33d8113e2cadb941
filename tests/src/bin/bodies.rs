//! A process whose memory is measured: it does one thing with replies or uploads of any size, and prints the result
//! and its peak memory.

use std::{
    error::Error,
    io::{self, Read as _},
    time::Duration,
};

use colony_async::{Builder, Client, Content, ErrorKind, OverHttp, api::attachments::GetMessageAttachment};
use colony_tests::giant::MIB;
use tokio::runtime::Runtime;

const SIZE: u64 = 1024 * MIB as u64;
const USAGE: &str = "usage: bodies reads|streams|streams-blocking|uploads BASE_URL";

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, base_url] = arguments.as_slice() else { return Err(USAGE.into()) };
    let outcome = match what.as_str() {
        "reads" => reads(base_url)?,
        "streams" => streams(base_url)?,
        "streams-blocking" => streams_blocking(base_url)?,
        "uploads" => uploads(base_url)?,
        _ => return Err(USAGE.into()),
    };
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    let kib: usize = peak.trim().trim_end_matches(" kB").trim().parse()?;
    println!("outcome {outcome}\npeak {}", kib / 1024);
    Ok(())
}

fn client<C: OverHttp + colony_core::Connect>(
    base_url: &str,
) -> colony_async::Result<colony_core::Client<C>> {
    let key = Some("col_bodies".to_owned().into());
    let builder =
        Builder::<C>::new(key).base_url(base_url).cache_token(false).timeout(Duration::from_secs(120));
    // Each of the many small chunks takes time.
    if base_url.ends_with("crumbs") { builder.max_reply_size(MIB) } else { builder }.build()
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Reads a whole reply, with both clients, and returns the error that ends it.
fn reads(base_url: &str) -> Result<String, Box<dyn Error>> {
    let path = "/endless";
    let asynchronous: Client = client(base_url)?;
    let error =
        runtime()?.block_on(asynchronous.request(http::Method::GET, path).send()).expect_err("too large");
    let blocking: colony_blocking::Client = client(base_url)?;
    let again = blocking.request(http::Method::GET, path).send().expect_err("too large");
    assert_eq!((error.kind(), error.code()), (again.kind(), again.code()));
    Ok(format!("{:?} {:?}", error.kind(), error.code().unwrap_or_default()))
}

fn streams(base_url: &str) -> Result<String, Box<dyn Error>> {
    let client: Client = client(base_url)?;
    let mut stream = runtime()?.block_on(async {
        let mut stream = client.stream(GetMessageAttachment::new("large")).await?;
        assert_eq!(stream.size(), Some(SIZE));
        while let Some(chunk) = stream.next().await {
            assert!(!chunk?.is_empty());
        }
        assert_eq!(stream.received(), SIZE);
        client.stream(GetMessageAttachment::new("large")).await
    })?;
    // Its connection ended with the runtime that had opened it.
    let elsewhere = runtime()?.block_on(stream.next()).expect("an error").expect_err("it is another's");
    assert_eq!(elsewhere.kind(), ErrorKind::Config);
    Ok("whole".to_owned())
}

fn streams_blocking(base_url: &str) -> Result<String, Box<dyn Error>> {
    let client: colony_blocking::Client = client(base_url)?;
    let written = client.stream(GetMessageAttachment::new("large"))?.write_to(io::sink())?;
    assert_eq!(written, SIZE);
    let mut first = [0; 100];
    client.stream(GetMessageAttachment::new("large"))?.read_exact(&mut first)?;
    assert_eq!(first, [b'x'; 100]);
    Ok("whole".to_owned())
}

fn uploads(base_url: &str) -> Result<String, Box<dyn Error>> {
    let client: colony_blocking::Client = client(base_url)?;
    let content = Content::reader(io::repeat(b'x').take(SIZE));
    let stored = client.attachments().upload("large.bin", content, "image/png")?;
    assert!(stored.size_bytes.is_some_and(|stored| stored > SIZE), "{:?}", stored.size_bytes);
    Ok("whole".to_owned())
}

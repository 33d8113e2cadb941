//! A server whose replies are too large to keep in memory, and which discards uploads.

use std::{
    io::{Read, Result, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use flate2::{Compression, write::DeflateEncoder};

/// A mebibyte.
pub const MIB: usize = 1024 * 1024;

/// Starts the server and returns its address. The first part of the path selects the reply: `/large/…`. Logins
/// succeed, except below `/login/…`. The server ends with the process.
pub fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(answer(stream)));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let head = read_head(&mut stream)?;
    let path = head.split(' ').nth(1).unwrap_or("/");
    let (kind, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    if rest == "auth/token" && kind != "login" {
        return json(&mut stream, r#"{"access_token": "token"}"#);
    }
    let mib = vec![b'x'; MIB];
    match kind {
        // A gigabyte, as announced.
        "large" | "login" => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1024 * MIB)?;
            (0..1024).try_for_each(|_| stream.write_all(&mib))
        }
        "small" => json(&mut stream, "small"),
        // Less than was announced.
        "broken" => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 4 * MIB)?;
            (0..3).try_for_each(|_| stream.write_all(&mib))
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
            // A flushed block ends on a byte boundary and decodes to the same bytes in any position.
            let mut block = DeflateEncoder::new(Vec::new(), Compression::best());
            block.write_all(&vec![b' '; MIB])?;
            block.flush()?;
            let block = block.get_ref().clone();
            (0..1024).try_for_each(|_| stream.write_all(&block))?;
            stream.write_all(&[3, 0])
        }
        // Replies with the number of bytes received, once they include the last line of an upload.
        "upload" => {
            let (mut size, mut buffer, mut end) = (0, vec![0; MIB], Vec::new());
            while !String::from_utf8_lossy(&end).trim_end_matches("\r\n0\r\n\r\n").trim_end().ends_with("--")
                || size < 1024
            {
                let read = stream.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                size += read;
                end.extend_from_slice(&buffer[read.saturating_sub(64)..read]);
                end.drain(..end.len().saturating_sub(64));
            }
            json(&mut stream, &format!(r#"{{"size_bytes": {size}}}"#))
        }
        other => panic!("no such reply: {other}"),
    }
}

fn read_head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn json(stream: &mut TcpStream, body: &str) -> Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

//! A minimal HTTP server, so that the clients' own cost shows: it reads the path and writes prepared bytes. It runs
//! on its own thread.

use std::{net::SocketAddr, thread};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Starts a server that lives as long as the process, and returns its base URL.
pub(crate) fn start() -> std::io::Result<String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address: SocketAddr = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::Builder::new().name("server".to_owned()).spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("the listener is good");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    })?;
    Ok(format!("http://{address}/api/v1"))
}

async fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (token, me, page) = (reply(&token()), reply(&me()), reply(&page()));
    let mut received = Vec::with_capacity(4096);
    loop {
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4) else {
            match stream.read_buf(&mut received).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let body = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let whole = end + body.unwrap_or(0);
        while received.len() < whole {
            if !matches!(stream.read_buf(&mut received).await, Ok(1..)) {
                return;
            }
        }
        let answer = match head.split(' ').nth(1) {
            Some("/api/v1/users/me") => &me,
            Some("/api/v1/auth/token") => &token,
            _ => &page,
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
        received.drain(..whole);
    }
}

fn reply(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_0123456789abcdef\r\n\
         x-ratelimit-limit: 1000\r\nx-ratelimit-remaining: 999\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn token() -> Value {
    // As long as the service's tokens. It cannot be parsed, so it is trusted for 23 hours.
    json!({"access_token": format!("eyJ{}.{}.{}", "a".repeat(33), "b".repeat(160), "c".repeat(43)), "token_type": "bearer"})
}

fn me() -> Value {
    json!({
        "id": "3f0c5a52-6b0a-4d5e-9d8b-0f3a1f3f6a01", "username": "sandbox-agent",
        "display_name": "Sandbox agent", "bio": "Tries things.", "user_type": "agent", "karma": 50,
        "is_verified": false, "created_at": "2026-01-02T03:04:05.123456Z",
    })
}

fn page() -> Value {
    let posts: Vec<Value> = (0..20)
        .map(|n| {
            json!({
                "id": format!("e70a15ec-ec4f-43fa-a1a8-7ff4064cb{n:03}"),
                "author": me(),
                "colony_id": "2e549d01-99f2-459f-8924-48b2690b2170", "colony_name": "general",
                "post_type": "finding", "title": format!("The finding with the number {n}"),
                "body": "Without jitter the second tries land within the same twenty milliseconds. ".repeat(6),
                "tags": ["retries", "measurement"], "status": "open", "score": n, "comment_count": 3,
                "language": "en", "is_pinned": false, "source": "api", "client": "colony-sdk-rust",
                "metadata": {"confidence": 0.9, "sources": ["one", "two"]},
                "created_at": "2026-01-02T03:04:05.123456Z", "updated_at": "2026-01-02T03:04:05.123456Z",
            })
        })
        .collect();
    json!({"items": posts, "total": 6321, "has_more": true})
}

//! HTTP/1.1 on raw sockets, for servers that do what wiremock cannot: hang up half-way, hold an answer back until a
//! signal, send without end, notice that a client has gone.

use std::{future::Future, io, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

/// A connection to a client.
pub type Stream = BufReader<TcpStream>;

/// A request as received.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The target of the request line: path and query, as encoded.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Reads a request with a length; `None` at the end of the connection.
    ///
    /// # Errors
    ///
    /// The error that prevented reading it.
    pub async fn read(stream: &mut Stream) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split(' ').map(|word| word.trim_end().to_owned());
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut request = Self { method, target, ..Self::default() };
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = request.header("content-length").map_or(Ok(0), str::parse).map_err(io::Error::other)?;
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).await?;
        Ok(Some(request))
    }
}

/// Returns the bytes of a reply.
pub fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut out = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out += &format!("{name}: {value}\r\n");
    }
    let mut out = (out + "\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

/// A port on loopback, served on a dedicated thread, so that tests with and without a runtime can use it. Dropping it
/// ends the connections.
#[derive(Debug)]
pub struct Listener {
    /// Where it listens.
    pub address: SocketAddr,
    socket: std::net::TcpListener,
    runtime: Option<Runtime>,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn bind() -> io::Result<Self> {
        // Not tokio's: the caller may be inside a runtime.
        let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { address: socket.local_addr()?, socket, runtime: Some(runtime) })
    }

    /// Serves every connection with this function.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on.
    pub fn serve<F>(&self, serve: impl Fn(Stream) -> F + Send + 'static) -> io::Result<()>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(self.socket.try_clone()?)?;
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(BufReader::new(stream)));
            }
        });
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

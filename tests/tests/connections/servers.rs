//! The other side of a connection.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use crate::made;

/// Listens, and serves each connection on its own thread.
fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

/// Answers one request with a reply that a login and any other call can read.
fn answer(mut stream: impl Read + Write) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let body = r#"{"access_token": "token"}"#;
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    stream.flush()
}

/// Starts a server without TLS.
pub(crate) fn plain() -> String {
    plain_with(|| ())
}

/// Does the same; the server runs `work` for each connection before it answers.
pub(crate) fn plain_with(work: impl Fn() + Send + Sync + 'static) -> String {
    let serve = move |stream| {
        work();
        answer(stream)
    };
    format!("http://{}", listen(serve))
}

/// Starts a server with the generated certificate; with `asks` it requests a client certificate.
pub(crate) fn tls(asks: bool) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.expect("versions");
    let builder = if asks {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(made("ca.pem")).expect("an authority");
        roots.add(ca).expect("an authority");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        builder.with_client_cert_verifier(verifier.expect("a verifier"))
    } else {
        builder.with_no_client_auth()
    };
    let pem = fs::read(made("server.pem")).expect("a certificate");
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(&pem).expect("a key");
    let config = Arc::new(builder.with_single_cert(chain, key).expect("a pair"));
    let address = listen(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, stream);
        answer(&mut stream)?;
        stream.conn.send_close_notify();
        stream.flush()
    });
    format!("https://localhost:{}", address.port())
}

/// Starts a SOCKS5 proxy ([RFC 1928](https://www.rfc-editor.org/rfc/rfc1928)) that accepts names, and resolves every
/// one to this host.
pub(crate) fn socks() -> SocketAddr {
    listen(|mut client| {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting)?;
        client.read_exact(&mut vec![0; usize::from(greeting[1])])?;
        client.write_all(&[5, 0])?;
        let mut request = [0; 5];
        client.read_exact(&mut request)?;
        assert_eq!(request[..4], [5, 1, 0, 3], "a connection to a name");
        let mut rest = vec![0; usize::from(request[4]) + 2];
        client.read_exact(&mut rest)?;
        let port = u16::from_be_bytes([rest[rest.len() - 2], rest[rest.len() - 1]]);
        let server = TcpStream::connect(("127.0.0.1", port))?;
        client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
        let (mut up, mut down) = (server.try_clone()?, client.try_clone()?);
        thread::spawn(move || io::copy(&mut down, &mut up));
        io::copy(&mut &server, &mut client).map(drop)
    })
}

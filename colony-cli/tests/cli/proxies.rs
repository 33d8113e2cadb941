//! Hosts in `NO_PROXY` are reached directly, all others through the proxy.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::bench::colony;

#[test]
fn exceptions_are_hosts_ports_addresses_and_networks() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in proxy.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let is_proxied = |exceptions: &str, host: &str| {
        let before = asked.load(Ordering::SeqCst);
        let mut command = colony(cache.path());
        // Hosts that do not exist (RFC 2606, RFC 5737, RFC 3849): reached directly they fail, at the latest by the
        // deadline.
        command.args(["--deadline", "1s", "whoami"]).env("COLONY_API_KEY", "col_none");
        command.env("COLONY_BASE_URL", format!("http://{host}/api/v1"));
        command.env("HTTP_PROXY", format!("http://{address}")).env("NO_PROXY", exceptions);
        assert!(!command.output().unwrap().status.success());
        asked.load(Ordering::SeqCst) > before
    };
    for (exceptions, host) in [
        ("", "far.invalid"),
        ("other.invalid", "far.invalid"),
        ("ar.invalid", "far.invalid"),
        ("far.invalid:81", "far.invalid"),
        ("192.0.2.0/28", "192.0.2.77"),
        ("192.0.2.7", "192.0.2.77"),
        ("2001:db8::/64", "[2001:db8:1::7]"),
    ] {
        assert!(is_proxied(exceptions, host), "{exceptions} {host}");
    }
    for (exceptions, host) in [
        ("*", "far.invalid"),
        ("other.invalid, far.invalid", "far.invalid"),
        ("invalid", "far.invalid"),
        (".far.invalid", "a.far.invalid"),
        ("far.invalid:81", "far.invalid:81"),
        ("192.0.2.0/24", "192.0.2.77"),
        ("192.0.2.77", "192.0.2.77"),
        ("2001:db8::/64", "[2001:db8::7]"),
        ("", "127.0.0.1:1"),
        ("", "a.localhost:1"),
    ] {
        assert!(!is_proxied(exceptions, host), "{exceptions} {host}");
    }
}

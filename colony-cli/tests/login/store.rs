//! A rotating credential stays out of the store that hosts share (F20): no lock service protects a refresh token.

use std::{io::ErrorKind, net::TcpListener};

use crate::bench::Bench;

#[test]
fn a_rotating_credential_does_not_ask_the_store() {
    let store = TcpListener::bind("127.0.0.1:0").unwrap();
    store.set_nonblocking(true).unwrap();
    let url = format!("redis://{}/0?budget=100", store.local_addr().unwrap());
    let is_asked = || match store.accept() {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    };
    let bench = Bench::new();
    let run = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        crate::bench::pipe(command.env("COLONY_SDK_TOKEN_STORE", &url), "")
    };
    bench.bring(&[], &bench.refresh_token()).ok();
    for _ in 0..5 {
        run(&["auth", "refresh"]).ok();
        run(&["auth", "token"]).ok();
    }
    run(&["auth", "logout"]).ok();
    assert!(!is_asked());
    // A login with a key uses the store, so the address works.
    let mut login = bench.command(&["whoami"]);
    login.env("COLONY_SDK_TOKEN_STORE", &url).env("COLONY_API_KEY", bench.sandbox.api_key());
    crate::bench::pipe(&mut login, "").ok();
    assert!(is_asked());
}

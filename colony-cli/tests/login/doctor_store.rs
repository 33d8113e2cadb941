//! `colony doctor` reports problems with the store that hosts share, and its advice fixes them.

#![allow(clippy::print_stderr, reason = "what was seen, for who runs it with --nocapture")]

use std::{net::TcpListener, process::Command};

use colony_tests::fire::RedisServer;

use crate::{bench::Bench, doctor::healthy};

const PASSWORD: &str = "planted-redis-password";

/// Returns the line about this store, and the command to type: none if it works.
fn line(bench: &Bench, url: &str) -> (String, Option<String>) {
    let output = bench.command(&["--json", "doctor"]).env("COLONY_SDK_TOKEN_STORE", url).output().unwrap();
    let shown = [&*output.stdout, &output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains(PASSWORD), "the password is shown for {url}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<_> =
        said["checks"].as_array().unwrap().iter().filter(|line| line["check"] == "token store").collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert_eq!(said["findings"], i32::from(lines[0]["ok"] == false), "{said}");
    let text = |name: &str| lines[0][name].as_str().map(str::to_owned);
    (text("says").unwrap(), text("next"))
}

fn finds(bench: &Bench, url: &str, says: &str, next: &str) -> String {
    let (said, typed) = line(bench, url);
    let typed = typed.unwrap_or_else(|| panic!("nothing is found, expected {says}: {said}"));
    eprintln!("{said}; {typed}");
    assert!(said.contains(says) && typed.contains(next), "expected {says:?}, {next:?}: {said}; {typed}");
    typed
}

fn works(bench: &Bench, url: &str) {
    let (said, next) = line(bench, url);
    assert!(next.is_none() && said.ends_with(" works"), "{said}; {next:?}");
}

/// Returns the address after running the advice in a shell where it is set to this one.
fn changed(url: &str, typed: &str) -> String {
    let line = format!("{typed}; printf %s \"$COLONY_SDK_TOKEN_STORE\"");
    let output = Command::new("sh").args(["-c", &line]).env("COLONY_SDK_TOKEN_STORE", url).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn types(command: &str) {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && !said.contains("ERR") && !said.contains("NOPERM"),
        "{command}: {said}"
    );
}

#[test]
fn what_is_wrong_with_the_store_is_found() {
    if !RedisServer::is_installed() {
        return eprintln!("NOT TRIED: redis-server is not installed");
    }
    let bench = healthy();
    let mut server = RedisServer::start(&[]).unwrap();
    let at = format!("127.0.0.1:{}", server.port);
    let plain = format!("redis://{at}");
    works(&bench, &plain);
    assert!(server.keys(":").unwrap().is_empty(), "it leaves something");
    finds(&bench, "redis:nowhere", "address", "export COLONY_SDK_TOKEN_STORE=redis://");
    finds(
        &bench,
        &format!("redis://:{PASSWORD}@{at}?zoo=1"),
        "parameter",
        "export COLONY_SDK_TOKEN_STORE=redis://",
    );
    for parameters in ["", "?zone=nat-1"] {
        let wrong = format!("redis://{at}/99{parameters}");
        let right = changed(&wrong, &finds(&bench, &wrong, "DB index", "export"));
        assert_eq!(right, format!("redis://{at}/0{parameters}"));
        works(&bench, &right);
    }
    finds(&bench, &format!("rediss://{at}"), "no answer", "openssl s_client");

    // A user with too few rights, and one with none.
    server.cli(&["ACL", "SETUSER", "weak", "on", &format!(">{PASSWORD}"), "~colony-sdk:*", "+get"]).unwrap();
    let weak = format!("redis://weak:{PASSWORD}@{at}");
    let next = finds(&bench, &weak, "permission", "ACL SETUSER weak '~colony-sdk:*'");
    types(&next);
    works(&bench, &weak);
    server.cli(&["ACL", "SETUSER", "weak", "-hset"]).unwrap();
    finds(&bench, &weak, "can't run", "ACL SETUSER weak");
    let password = "export COLONY_SDK_TOKEN_STORE_PASSWORD=";
    finds(&bench, &format!("redis://weak:{PASSWORD}-of-another@{at}"), "authentication failed", password);

    // A value that is no token under the token's name.
    let refresh = bench.command(&["auth", "refresh"]).env("COLONY_SDK_TOKEN_STORE", &plain).output().unwrap();
    assert!(refresh.status.success());
    let name = server.keys(":token").unwrap().remove(0);
    server.cli(&["SET", &name, "text"]).unwrap();
    let next = finds(&bench, &plain, "WRONGTYPE", "DEL");
    types(&next);
    works(&bench, &plain);

    server.cli(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    finds(&bench, &plain, "OOM", "INFO memory");
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    finds(&bench, &plain, "READONLY", "ROLE");
    server.cli(&["REPLICAOF", "NO", "ONE"]).unwrap();
    server.cli(&["CONFIG", "SET", "requirepass", PASSWORD]).unwrap();
    finds(&bench, &plain, "NOAUTH", password);
    works(&bench, &format!("redis://:{PASSWORD}@{at}"));

    server.kill().unwrap();
    finds(&bench, &plain, "refused", "PING");
    // A server that accepts connections and does not reply.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("redis://{}?budget=50", silent.local_addr().unwrap());
    finds(&bench, &silent, "no answer within 50 ms", "PING");
}

#[test]
fn what_is_wrong_with_tls_to_the_store_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let server =
        RedisServer::is_installed().then(|| RedisServer::over_tls(directory.path()).unwrap()).flatten();
    let Some((_server, port)) = server else {
        return eprintln!("NOT TRIED: redis-server or openssl is not installed");
    };
    let bench = healthy();
    let ca = directory.path().join("ca.pem").display().to_string();
    for (parameters, then) in [("", "?ca="), ("?zone=nat-1", "?zone=nat-1&ca=")] {
        let wrong = format!("rediss://localhost:{port}{parameters}");
        let right = changed(&wrong, &finds(&bench, &wrong, "certificate", "export"));
        assert_eq!(right, format!("rediss://localhost:{port}{then}THE_AUTHORITY.pem"));
        works(&bench, &right.replace("THE_AUTHORITY.pem", &ca));
    }
    let wrong = format!("redis://:{PASSWORD}@localhost:{port}?zone=nat-1");
    let right = changed(&wrong, &finds(&bench, &wrong, "cannot be used", "export"));
    assert_eq!(right, format!("rediss://:{PASSWORD}@localhost:{port}?zone=nat-1"));
}

//! How connections are made: certificates, proxies, plain HTTP, and other clients in the same program.

mod limits;
mod servers;

use std::{path::PathBuf, time::Duration};

use colony_async::{Builder, Client, ErrorKind, Http, RetryPolicy};
use colony_core::api::registration::Register;
use http::Method;

fn made(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/connections/made").join(name)
}

fn builder(base_url: &str) -> Builder<Http> {
    let builder = Client::builder("col_connections").base_url(base_url).cache_token(false);
    builder.timeout(Duration::from_secs(20)).retry(RetryPolicy::none()).auth_retry(RetryPolicy::none())
}

async fn call(builder: Builder<Http>) -> colony_async::Result<()> {
    builder.build()?.request(Method::GET, "/stats").send().await.map(drop)
}

/// Returns the error of `build`.
fn refused(builder: Builder<Http>) -> String {
    let error = builder.build().expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_certificate_authority_of_ones_own() {
    let server = servers::tls(false);
    let error = call(builder(&server)).await.expect_err("not trusted");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("certificate"), "{error}");
    call(builder(&server).ca_file(made("ca.pem"))).await.expect("trusted");
    assert!(refused(builder(&server).ca_file("/no/such/ca.pem")).contains("/no/such/ca.pem"));
    let no_pem = made("../main.rs");
    assert!(refused(builder(&server).ca_file(&no_pem)).contains("no certificate"));
}

#[tokio::test]
async fn a_certificate_for_the_client() {
    let server = servers::tls(true);
    let trusting = || builder(&server).ca_file(made("ca.pem"));
    let error = call(trusting()).await.expect_err("a certificate is asked for");
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    call(trusting().client_certificate(made("client.pem"), made("client.pem"))).await.expect("known");
    let without_key = trusting().client_certificate(made("client.pem"), made("ca.pem"));
    assert!(refused(without_key).contains("holds no key"));
}

#[tokio::test]
async fn a_socks_proxy_looks_names_up() {
    let server = servers::plain();
    let port = server.rsplit(':').next().expect("a port");
    let proxy = servers::socks();
    call(builder(&format!("http://colony.test:{port}")).proxy(format!("socks5h://{proxy}")))
        .await
        .expect("proxied");
}

#[tokio::test]
async fn plain_http_to_another_machine_can_be_refused() {
    let far = refused(builder("http://colony.example/api/v1").https_only(true));
    assert!(far.contains("colony.example") && far.contains("https"), "{far}");
    call(builder(&servers::plain()).https_only(true)).await.expect("this machine is near");
    // A base that a call names is checked too.
    let client = builder("http://127.0.0.1:1").https_only(true).build().expect("a client");
    let register = Register::new("ada", "Ada", "bio").base_url("http://colony.example/api/v1");
    assert_eq!(client.execute(register).await.expect_err("it is refused").kind(), ErrorKind::Config);
    let own = reqwest::Client::new();
    refused(builder("http://colony.example/api/v1").https_only(true).http_client(own));
}

#[tokio::test]
async fn a_client_of_ones_own_has_settings_of_its_own() {
    colony_async::install_tls_provider();
    let own = reqwest::Client::new();
    let given = || builder("http://127.0.0.1:1").http_client(own.clone());
    for (name, contradictory) in [
        ("proxy", given().proxy("http://127.0.0.1:1")),
        ("connect_timeout", given().connect_timeout(Duration::from_secs(1))),
        ("ca_file", given().ca_file(made("ca.pem"))),
        ("client_certificate", given().client_certificate(made("client.pem"), made("client.pem"))),
    ] {
        let message = refused(contradictory);
        assert!(message.contains(name) && message.contains("http_client"), "{message}");
    }
    call(builder(&servers::plain()).http_client(own)).await.expect("it serves");
}

#[tokio::test]
async fn an_address_without_a_host_is_refused() {
    for address in [
        "http:///api/v1",
        "http:/api/v1",
        "http:api/v1",
        "http:////api/v1",
        "https://",
        "http://:80/x",
        "//h/x",
        "ftp://h",
    ] {
        assert!(refused(builder(address)).contains("host"), "{address}");
    }
    // Also if a call names another base.
    let client = builder("http://127.0.0.1:1").build().expect("a client");
    let register = Register::new("ada", "Ada", "bio").base_url("http:///api/v1");
    let error = client.execute(register).await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

/// The TLS library of this crate's connections does not affect other clients.
#[tokio::test]
async fn another_client_in_the_same_program_works() {
    let server = servers::plain();
    let client = builder(&server).build().expect("a client");
    let own = reqwest::Client::new();
    let (ours, theirs) =
        tokio::join!(client.request(Method::GET, "/stats").send(), own.get(format!("{server}/stats")).send());
    ours.expect("answered");
    assert!(theirs.expect("answered").status().is_success());
}

/// The pool of blocking threads is full of callers of this client.
#[test]
fn names_are_looked_up_when_every_blocking_thread_waits() {
    let server = servers::plain().replace("127.0.0.1", "localhost");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let client = builder(&server).build().expect("a client");
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (client, handle) = (client.clone(), runtime.handle().clone());
            runtime.spawn_blocking(move || handle.block_on(client.request(Method::GET, "/stats").send()))
        })
        .collect();
    runtime.block_on(async {
        for call in calls {
            call.await.expect("a thread").expect("an answer");
        }
    });
}

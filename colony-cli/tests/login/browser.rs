//! `colony auth login --browser` and `--paste`, with a scripted browser, at the sandbox and at a provider from npm.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, ChildStderr, Command, Stdio},
};

use colony_tests::provider::Provider;
use serde_json::{Value, json};
use url::Url;

use crate::bench::{Bench, Done, colony, long};

const APP: &str = "colony_other";

/// A login that waits for its redirect.
struct Login {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The address for the browser.
    url: Url,
}

impl Login {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Log in at ").unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        Self { child, stderr, url }
    }

    fn at(bench: &Bench, how: &[&str]) -> Self {
        Self::start(&mut bench.command(&[&["auth", "login", "--client-id", APP], how].concat()))
    }

    fn field(&self, name: &str) -> String {
        self.url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
    }

    /// Returns a redirect with these fields.
    fn answer(&self, fields: &[(&str, &str)]) -> Url {
        let mut url: Url = self.field("redirect_uri").parse().unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        url
    }

    /// Returns the exit code and the output.
    fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn browser() -> reqwest::Client {
    colony_async::install_tls_provider();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Returns the status of a reply; `None` if nothing listens.
async fn visit(browser: &reqwest::Client, url: &Url) -> Option<u16> {
    browser.get(url.clone()).send().await.ok().map(|reply| reply.status().as_u16())
}

/// Returns where a browser that keeps cookies and follows redirects ends before it leaves the provider.
async fn walk(browser: &reqwest::Client, url: &Url) -> Url {
    let (mut at, mut cookies) = (url.clone(), std::collections::BTreeMap::new());
    for _ in 0..10 {
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let reply = browser.get(at.clone()).header("cookie", jar.join("; ")).send().await.unwrap();
        for cookie in reply.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let place = reply.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
        let Some(place) = place else { panic!("{at}: {} {}", reply.status(), reply.text().await.unwrap()) };
        at = at.join(&place).unwrap();
        if at.path() == "/callback" {
            return at;
        }
    }
    panic!("{url} goes round in circles");
}

fn approving() -> Bench {
    Bench::with(|options| options.openid.auto_approve = true)
}

#[test]
fn only_the_answer_to_this_login_is_taken_and_once() {
    let bench = approving();
    let browser = browser();
    let login = Login::at(&bench, &["--browser", "--no-open"]);
    assert_eq!(login.field("code_challenge_method"), "S256");
    assert!(login.field("redirect_uri").starts_with("http://127.0.0.1:"));
    let (site, state) = (bench.sandbox.site(), login.field("state"));
    let real = bench.block_on(walk(&browser, &login.url));
    bench.block_on(async {
        for forged in [
            &[("code", "c"), ("state", "forged"), ("iss", &site)][..],
            &[("code", "c"), ("iss", &site)],
            &[("code", "c"), ("state", &state), ("state", "forged"), ("iss", &site)],
        ] {
            assert_eq!(visit(&browser, &login.answer(forged)).await, Some(400), "{forged:?}");
        }
        let by_name = browser.get(real.clone()).header("host", "evil.example").send().await.unwrap();
        assert_eq!(by_name.status(), 404);
        assert_eq!(browser.post(real.clone()).send().await.unwrap().status(), 404);
        assert_eq!(visit(&browser, &real.join("/other").unwrap()).await, Some(404));
        assert_eq!(visit(&browser, &real).await, Some(200));
        // Already taken, or nothing listens any more.
        assert!(matches!(visit(&browser, &real).await, Some(409) | None));
    });
    let (code, said) = login.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(bench.sandbox.username()), "{said}");
    assert_eq!(bench.json(&["auth", "status"])["openid"]["refreshable"], true);
    assert_eq!(bench.sandbox.stats().total("POST /oauth/token"), 1);
}

#[test]
fn another_provider_s_answer_ends_the_login() {
    let bench = approving();
    let (browser, site) = (browser(), bench.sandbox.site());
    for (fields, code, said) in [
        (&[("code", "c"), ("iss", "https://evil.example")][..], 3, "is not from"),
        (&[("code", "c")], 3, "is not from"),
        (&[("error", "access_denied"), ("iss", &site)], 3, "refused at the browser"),
        (&[("code", "made-up"), ("iss", &site)], 5, ""),
    ] {
        let login = Login::at(&bench, &["--browser", "--no-open"]);
        let state = login.field("state");
        let answer = login.answer(&[fields, &[("state", &state)]].concat());
        bench.block_on(visit(&browser, &answer));
        let (ended, told) = login.end();
        assert!(ended != 0 && (ended == code || code == 5) && told.contains(said), "{ended} {told}");
    }
    // Only the made-up code was sent to the provider.
    assert_eq!(bench.sandbox.stats().total("POST /oauth/token"), 1);
    assert!(!bench.path(".config/colony-sdk/profiles/default.json").exists());
}

#[test]
fn the_last_address_can_be_pasted() {
    let bench = approving();
    let browser = browser();
    let paste = |change: &dyn Fn(Url) -> String| {
        let mut login = Login::at(&bench, &["--paste"]);
        let last = bench.block_on(walk(&browser, &login.url));
        writeln!(login.child.stdin.take().unwrap(), "{}", change(last)).unwrap();
        login.end()
    };
    let (code, said) = paste(&|url| url.into());
    assert_eq!(code, 0, "{said}");
    let (code, said) = paste(&|url| url.as_str().replace("state=", "state=x"));
    assert!(code == 3 && said.contains("another login"), "{code} {said}");
    let (code, said) = paste(&|url| url.query().unwrap().to_owned());
    assert!(code == 2 && said.contains("not the address"), "{code} {said}");
    let (code, said) = paste(&|url| url.as_str().replace("127.0.0.1", "evil.example"));
    assert!(code == 2 && said.contains("not the address"), "{code} {said}");
}

#[test]
fn a_browser_is_started_by_this_command_alone() {
    let bench = approving();
    let browser = browser();
    fs::create_dir(bench.path("bin")).unwrap();
    let program = bench.path("bin/xdg-open");
    fs::write(&program, "#!/bin/sh\necho \"$1\" >> \"$HOME/opened\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bench.path("bin").display());
    let opened = || fs::read_to_string(bench.path("opened")).unwrap_or_default();
    let start = |how: &[&str]| {
        let mut command = bench.command(&[&["auth", "login", "--client-id", APP], how].concat());
        Login::start(command.env("PATH", &path).env("DISPLAY", ":0"))
    };
    let log_in = |login: Login| {
        let last = bench.block_on(walk(&browser, &login.url));
        bench.block_on(visit(&browser, &last));
        assert_eq!(login.end().0, 0);
    };
    log_in(start(&["--browser", "--no-open"]));
    // Not on a terminal, so not a desktop: the device flow.
    let device = bench
        .command(&["auth", "login", "--client-id", APP])
        .env("PATH", &path)
        .env("DISPLAY", ":0")
        .output();
    Done(device.unwrap()).ok();
    for command in [&["auth", "status", "--verify"][..], &["auth", "token"], &["whoami"], &["doctor"]] {
        let _ = bench.command(command).env("PATH", &path).env("DISPLAY", ":0").output();
    }
    assert_eq!(opened(), "");
    let login = start(&["--browser"]);
    let url = login.url.to_string();
    log_in(login);
    // The browser was started before the redirect, and may write its file later.
    while opened().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(opened().trim(), url);
    bench.run(&["auth", "login", "--no-open"]).fails(2, "--browser");
}

/// Logs in many times at once, each with its own profile: each gets the login of its own browser.
fn crowd(bench: &Bench, issuer: &str, app: &str) -> Vec<Value> {
    let count = if long() { 100 } else { 10 };
    let browser = browser();
    let profiles: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
    let start = |profile: &String| {
        let mut command = colony(bench.home.path());
        let login = ["auth", "login", "--browser", "--no-open", "--client-id", app, "--issuer", issuer];
        command.args(["--json", "--profile", profile]).args(login);
        Login::start(command.env("COLONY_BASE_URL", bench.sandbox.base_url()))
    };
    let logins: Vec<Login> = profiles.iter().map(start).collect();
    bench.block_on(async {
        let visits = logins.iter().map(|login| async {
            let last = walk(&browser, &login.url).await;
            assert_eq!(visit(&browser, &last).await, Some(200));
        });
        futures_util::future::join_all(visits).await;
    });
    let done = logins.into_iter().map(|mut login| {
        let mut printed = String::new();
        login.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let state = login.field("state");
        let (code, said) = login.end();
        assert_eq!(code, 0, "{said}");
        let mut printed: Value = serde_json::from_str(&printed).unwrap();
        printed["state"] = state.into();
        printed
    });
    let done: Vec<Value> = done.collect();
    let token = |profile: &String| {
        let run = colony(bench.home.path()).args(["--profile", profile, "auth", "token"]).output();
        Done(run.unwrap()).ok().stdout()
    };
    let tokens: BTreeSet<String> = profiles.iter().map(token).collect();
    assert_eq!(tokens.len(), count);
    done
}

#[test]
fn many_logins_at_once_at_the_sandbox() {
    let bench = approving();
    let site = bench.sandbox.site();
    let done = crowd(&bench, &site, APP);
    assert_eq!(bench.sandbox.openid().grants().len(), done.len());
    assert!(done.iter().all(|login| login["username"] == bench.sandbox.username()));
}

#[test]
fn many_logins_at_once_at_a_provider_from_npm() {
    let Some(provider) = Provider::start(&json!({})) else { return };
    let bench = Bench::new();
    for login in crowd(&bench, &provider.issuer, "colony_native") {
        let (who, state) = (login["username"].as_str().unwrap(), login["state"].as_str().unwrap());
        assert_eq!(who, format!("person-{}", &state[..8]), "each its own");
        assert_eq!(login["refreshable"], true);
    }
    // A code is useless without the verifier.
    let login = [
        "auth",
        "login",
        "--browser",
        "--no-open",
        "--client-id",
        "colony_native",
        "--issuer",
        &provider.issuer,
    ];
    let login = Login::start(&mut bench.command(&login));
    let browser = browser();
    let last = bench.block_on(walk(&browser, &login.url));
    let code = last.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let redirect = login.field("redirect_uri");
    let with = |verifier: &'static str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "colony_native"),
            ("code", &code),
            ("redirect_uri", &redirect),
            ("code_verifier", verifier),
        ];
        let fields = if verifier.is_empty() { &fields[..4] } else { &fields[..] };
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(fields).finish();
        let request = browser
            .post(provider.token_endpoint())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        bench.block_on(async { request.send().await.unwrap().status().as_u16() })
    };
    assert_eq!(with(""), 400);
    assert_eq!(with("another-verifier-that-is-long-enough-to-be-one"), 400);
    // Its own redirect still works.
    assert_eq!(bench.block_on(visit(&browser, &last)), Some(200));
    let (ended, said) = login.end();
    assert!(ended == 0 || said.contains("invalid_grant"), "{said}");
}

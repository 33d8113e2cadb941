//! A sandbox, and commands against it.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use colony_cli::sandbox::{Options, Sandbox};
use serde_json::Value;

/// A sandbox, a cache directory, and commands against them.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) cache: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        Self { sandbox, cache: tempfile::tempdir().unwrap(), runtime }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = colony(self.cache.path());
        command
            .args(arguments)
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", self.sandbox.api_key());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Returns the exit code and the error line of a command that must fail.
    pub(crate) fn failure(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), error_line(&output))
    }

    pub(crate) fn logins(&self) -> u64 {
        self.sandbox.stats().with_status("POST /auth/token", 200)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

pub(crate) fn colony(cache: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    command
        .env_clear()
        .env("HOME", cache)
        .env("COLONY_SDK_TOKEN_CACHE_DIR", cache.join("tokens"))
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn error_line(output: &Output) -> Value {
    let stderr = text(&output.stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 1, "an error is one line: {stderr}");
    let error: Value = serde_json::from_str(lines[0]).unwrap();
    let keys: Vec<&String> = error["error"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "code",
            "hint",
            "idempotency_key",
            "kind",
            "message",
            "operation",
            "request_id",
            "retry_after",
            "status"
        ]
    );
    error["error"].clone()
}

//! `colony sandbox`.

use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{
    args::SandboxArgs,
    failure::Failure,
    output::Output,
    sandbox::{OpenIdOptions, Options, Sandbox},
};

pub(crate) async fn run(args: SandboxArgs, output: &Output) -> Result<(), Failure> {
    let options = Options {
        port: args.port,
        host: args.host,
        auth_limit: args.auth_limit,
        auth_latency: args.auth_latency,
        token_ttl: args.token_ttl,
        fail: args.fail,
        api_keys: args.api_key,
        rate_limit: args.rate_limit,
        limits: args.limits,
        commit_delay: args.commit_delay,
        allow_hosts: args.allow_host,
        webhook_pauses: args.webhook_pause.unwrap_or_else(|| Options::default().webhook_pauses),
        openid: OpenIdOptions {
            apps: args.app,
            auto_approve: args.auto_approve,
            latency: args.oauth_latency,
            ..OpenIdOptions::default()
        },
    };
    let (host, port) = (options.host, options.port);
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::Local(format!("cannot listen on {host}:{port}: {error}. --port 0 takes a free one"))
    })?;
    if !host.is_loopback() {
        output.say(&format!(
            "The sandbox listens on {host}, on more than this machine's loopback: anyone who reaches the port can use \
             and control it."
        ));
    }
    let app = sandbox.openid().app();
    let secret = app.client_secret.as_ref().map(|secret| secret.expose_secret());
    if output.json {
        let line = json!({
            "base_url": sandbox.base_url(), "api_key": sandbox.api_key(), "username": sandbox.username(),
            "issuer": sandbox.openid().issuer(), "client_id": app.client_id, "client_secret": secret,
        });
        output.line(&line.to_string());
    } else {
        output.line(&format!(
            "A local Colony listens at {}\n\n  export COLONY_BASE_URL={}\n  export COLONY_API_KEY={}\n\n\
             OpenID: issuer {}, app {}{}\n\
             Counts: {}/_stats   forget all tokens: POST {}/_control/revoke   end: Ctrl-C",
            sandbox.base_url(),
            sandbox.base_url(),
            sandbox.api_key(),
            sandbox.openid().issuer(),
            app.client_id,
            secret.map(|secret| format!(" with secret {secret}")).unwrap_or_default(),
            sandbox.site(),
            sandbox.site(),
        ));
    }
    // A server whose address could not be printed is useless.
    output.finish()?;
    interrupted().await?;
    sandbox.stop().await;
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

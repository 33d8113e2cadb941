//! `colony sandbox`.

use serde_json::json;

use crate::{
    args::SandboxArgs,
    failure::Failure,
    output::Output,
    sandbox::{Options, Sandbox},
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
    };
    let port = options.port;
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::Local(format!("cannot listen on {}:{port}: {error}. --port 0 takes a free one", args.host))
    })?;
    if output.json {
        let line = json!({
            "base_url": sandbox.base_url(), "api_key": sandbox.api_key(), "username": sandbox.username(),
        });
        output.line(&line.to_string());
    } else {
        output.line(&format!(
            "A local Colony listens at {}\n\n  export COLONY_BASE_URL={}\n  export COLONY_API_KEY={}\n\n\
             Counts: {}/_stats   forget all tokens: POST {}/_control/revoke   end: Ctrl-C",
            sandbox.base_url(),
            sandbox.base_url(),
            sandbox.api_key(),
            sandbox.site(),
            sandbox.site(),
        ));
    }
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

//! A login with any browser, for a program without one (RFC 8628).

use colony_async::credential::Credential;

use super::openid::{OpenId, refused};
use crate::{
    args::Global,
    failure::Failure,
    output::{Output, one_line, span},
    signals::{self, Hold},
    waiting,
};

/// Logs in. Signals are held from the successful poll until the provider's reply is stored.
pub(super) async fn log_in(
    global: &Global,
    openid: &OpenId,
    scope: &str,
    output: &Output,
) -> Result<(Credential, Hold), Failure> {
    let mut device = openid.login.device(scope).await.map_err(refused)?;
    // Printed even with `--quiet`: the login is impossible without it. On stderr, where no script reads data.
    let code = one_line(device.user_code());
    output.error_line(&format!("Open {} and enter the code {code}", one_line(device.verification_uri())));
    if let Some(complete) = device.verification_uri_complete() {
        output.say(&format!("  or open {}", one_line(complete)));
    }
    output.say(&format!("Waiting for it, for up to {} …", span(device.lifetime().as_secs_f64())));
    loop {
        device.pause().await;
        let hold = signals::hold(global.timeout);
        let _waiting = waiting::provider(global.timeout);
        if let Some(credential) = device.ask().await.map_err(refused)? {
            return Ok((credential, hold));
        }
    }
}

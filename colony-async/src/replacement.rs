//! Replaces a refused token for a program that sends its own requests.

use std::sync::{Arc, Mutex, PoisonError};

use colony_core::{Error, ErrorKind, Result, openid::audience::Need};
use secrecy::{ExposeSecret, SecretString};

use crate::session::{Session, Want};

/// If a token is rejected within this many seconds of its fetch, the token is not the problem.
const JUST_FETCHED: f64 = 60.0;

/// The token that was last fetched in place of a rejected one, and when.
#[derive(Default)]
pub(crate) struct Replacement(Mutex<Option<(SecretString, f64)>>);

impl Replacement {
    /// Returns a token other than the one that this operation refused. It is fetched unless another caller has
    /// already replaced it.
    ///
    /// # Errors
    ///
    /// As [`Session::token`]; [`Auth`](ErrorKind::Auth) with the code `refused_when_new` while the operation is known to
    /// refuse tokens that were just fetched (rule 7 of the design).
    pub(crate) async fn get(
        &self,
        session: &Arc<Session>,
        rejected: &SecretString,
        operation: &str,
        now: f64,
    ) -> Result<SecretString> {
        let is_new = {
            let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |(token, at): &mut (SecretString, f64)| {
                token.expose_secret() == rejected.expose_secret()
                    && (0.0..JUST_FETCHED).contains(&(now - *at))
            };
            slot.take_if(is_it).is_some()
        };
        if is_new || session.is_replacement(operation, rejected).await {
            session.remember_refusal(operation, rejected).await;
        }
        if session.is_final(operation, rejected).await {
            return Err(Error::build(ErrorKind::Auth, "the service refuses tokens that were just fetched")
                .code("refused_when_new")
                .status(401)
                .hint("The account may lack the right to this, or the service may be misconfigured")
                .finish());
        }
        let want = Want::fresh(Need::AccessToken).instead_of(rejected.clone(), Some(operation));
        let held = session.get(want).await?;
        if held.minted {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((held.secret.clone(), now));
        }
        Ok(held.secret.clone())
    }
}

//! Background renewal of the token before it goes stale.

use std::{sync::Arc, time::Duration};

use super::{Session, Want, events};
use crate::{
    renewal::Renewing,
    time::{Timer, unix},
    token::CachedToken,
};

impl Renewing for Session {
    type Token = CachedToken;

    fn timer(&self) -> &dyn Timer {
        &*self.timer
    }

    /// Returns the token in memory; `None` if it was forgotten or not fetched yet: the next call gets one.
    fn present(&self) -> Option<Arc<CachedToken>> {
        self.memory.load_full()
    }

    fn due(&self, token: &CachedToken, random: f64) -> f64 {
        token.lifetime.refresh_at(unix(&*self.timer), random)
    }

    async fn renew(self: Arc<Self>, token: Arc<CachedToken>) -> Result<(), Duration> {
        match self.refresh(Want::ahead_of(Arc::clone(&token))).await {
            // A stale token that stays in use does not count as a renewal.
            Ok(new) if !new.is(&token.secret) => {
                events::renewal(None);
                Ok(())
            }
            Ok(_) => Err(Duration::ZERO),
            Err(error) => {
                events::renewal(Some(&error));
                Err(Duration::ZERO)
            }
        }
    }
}

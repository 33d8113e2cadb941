//! Renewing the token before it goes stale, in the background.

use std::{sync::Arc, time::Duration};

use super::{Held, Session, events};
use crate::{
    renewal::Renewing,
    time::{Timer, unix},
};

impl Renewing for Session {
    type Token = Held;

    fn timer(&self) -> &dyn Timer {
        &*self.timer
    }

    /// None when it was forgotten or is not yet there: the next call gets one.
    fn present(&self) -> Option<Arc<Held>> {
        self.held.load_full()
    }

    fn due(&self, token: &Held, random: f64) -> f64 {
        token.lifetime.refresh_at(unix(&*self.timer), random)
    }

    async fn renew(self: Arc<Self>, token: Arc<Held>) -> Result<(), Duration> {
        match self.replace(Arc::clone(&token)).await {
            // A stale token that serves on is no renewal.
            Ok(new) if !new.is(&token.token) => {
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

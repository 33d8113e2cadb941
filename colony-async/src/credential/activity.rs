//! The work under way in this process: refreshes, and the requests among them that were sent.
//!
//! Code that ends the process waits here. Refreshes run on separate threads, so these counts are all that the
//! callers' runtimes share.

use std::sync::Arc;

use tokio::sync::watch;

/// The counts; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(Arc<watch::Sender<Counts>>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    refreshing: usize,
    spending: usize,
    is_closed: bool,
}

/// One refresh or one request, counted until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Activity,
    end: fn(&mut Counts),
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.activity.0.send_modify(self.end);
    }
}

impl Activity {
    /// Counts a refresh that begins.
    pub(super) fn refresh(&self) -> UnderWay {
        self.0.send_modify(|counts| counts.refreshing += 1);
        UnderWay { activity: self.clone(), end: |counts| counts.refreshing -= 1 }
    }

    /// Counts a token that is about to be sent. `None` once sending is closed.
    pub(super) fn spend(&self) -> Option<UnderWay> {
        let begun = self.0.send_if_modified(|counts| {
            counts.spending += usize::from(!counts.is_closed);
            !counts.is_closed
        });
        begun.then(|| UnderWay { activity: self.clone(), end: |counts| counts.spending -= 1 })
    }

    /// Returns whether sending is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Waits until no refresh is under way.
    pub(super) async fn idle(&self) {
        self.until(|counts| counts.refreshing == 0).await;
    }

    /// Closes sending, and waits until the replies to sent requests are stored.
    pub(super) async fn close(&self) {
        self.0.send_modify(|counts| counts.is_closed = true);
        self.until(|counts| counts.spending == 0).await;
    }

    async fn until(&self, reached: impl FnMut(&Counts) -> bool) {
        // This cannot fail while `self` holds the sender.
        let _ = self.0.subscribe().wait_for(reached).await;
    }
}

//! What is under way in this process: refreshes, and among them those whose token was sent.
//!
//! The code that ends the process waits here. Refreshes run on threads of their own, so their number is all that the
//! runtimes of the callers have in common.

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

/// One refresh, or one request; it ends when this is dropped.
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
    /// A refresh begins.
    pub(super) fn refresh(&self) -> UnderWay {
        self.0.send_modify(|counts| counts.refreshing += 1);
        UnderWay { activity: self.clone(), end: |counts| counts.refreshing -= 1 }
    }

    /// A token is about to be sent. `None` when nothing may be sent any more.
    pub(super) fn spend(&self) -> Option<UnderWay> {
        let begun = self.0.send_if_modified(|counts| {
            counts.spending += usize::from(!counts.is_closed);
            !counts.is_closed
        });
        begun.then(|| UnderWay { activity: self.clone(), end: |counts| counts.spending -= 1 })
    }

    /// Whether nothing may be sent any more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Waits until no refresh is under way.
    pub(super) async fn idle(&self) {
        self.until(|counts| counts.refreshing == 0).await;
    }

    /// Lets nothing be sent any more, and waits until the answers of what was sent are stored.
    pub(super) async fn close(&self) {
        self.0.send_modify(|counts| counts.is_closed = true);
        self.until(|counts| counts.spending == 0).await;
    }

    async fn until(&self, reached: impl FnMut(&Counts) -> bool) {
        // It cannot fail while this holds the sender.
        let _ = self.0.subscribe().wait_for(reached).await;
    }
}

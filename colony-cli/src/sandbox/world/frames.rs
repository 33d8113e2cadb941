//! The frames of the service's stream, as they happen.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::broadcast;
use uuid::Uuid;

/// The number of frames that are kept for clients that reconnect; older ones are lost silently, as at the service.
const KEPT: usize = 100;

/// The frames of all accounts.
pub(crate) struct Frames {
    sender: broadcast::Sender<Arc<Frame>>,
    kept: VecDeque<Arc<Frame>>,
    last: u64,
}

/// An event for one account.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    pub(crate) to: Uuid,
    /// `notification.new` or `dm.new`.
    pub(crate) name: &'static str,
    /// Set for a notification.
    pub(crate) kind: Option<&'static str>,
    compact: Value,
    full: Value,
}

impl Default for Frames {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(1024), kept: VecDeque::new(), last: 0 }
    }
}

impl Frames {
    pub(crate) fn tell(
        &mut self,
        to: Uuid,
        name: &'static str,
        kind: Option<&'static str>,
        compact: Value,
        full: Value,
    ) {
        self.last += 1;
        let frame = Arc::new(Frame { number: self.last, to, name, kind, compact, full });
        self.kept.push_back(Arc::clone(&frame));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        // An error means that there are no receivers.
        let _ = self.sender.send(frame);
    }

    /// Returns the kept frames after this number, and a receiver of those to come.
    pub(crate) fn after(&self, number: Option<u64>) -> (Vec<Arc<Frame>>, broadcast::Receiver<Arc<Frame>>) {
        let kept = self.kept.iter().filter(|frame| number.is_some_and(|number| frame.number > number));
        (kept.cloned().collect(), self.sender.subscribe())
    }
}

impl Frame {
    /// Returns the frame as a server-sent event. The service's exact format is not known.
    pub(crate) fn text(&self, full: bool) -> String {
        let mut data = self.compact.clone();
        if full {
            data["full"] = self.full.clone();
        }
        let data = json!({"event": self.name, "data": data});
        format!("id: {}\nevent: {}\ndata: {data}\n\n", self.number, self.name)
    }
}

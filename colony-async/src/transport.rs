//! The transport of the async client: the return type of each kind of call.

use std::time::Duration;

use colony_core::{
    CallSettings, Connect, Prepared, Reply as CoreReply, Result, Transport,
    events::{Event, Position, Watch},
    openid::audience::{Audience, AudienceToken, Wanted},
    page::Steps,
    token::TokenDetails,
};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Builder, ByteStream, Listing, Reply, events::EventStream, http::Http};

impl Transport for Http {
    type Reply<T: Send + 'static> = Reply<T>;
    type Listing<T: DeserializeOwned + Send + 'static> = Listing<T>;
    type Stream = ByteStream;
    type Events = EventStream;

    fn send<T: Send + 'static>(&self, mut call: Prepared, decode: fn(CoreReply) -> Result<T>) -> Reply<T> {
        let http = self.clone();
        Reply::new(async move {
            let reply = http.deliver_call(&mut call.request).await?;
            call.finish(reply).and_then(decode)
        })
    }

    fn open(&self, call: Prepared) -> Reply<ByteStream> {
        let http = self.clone();
        Reply::new(async move { http.open_call(call).await })
    }

    fn walk<T: DeserializeOwned + Send + 'static>(&self, steps: Result<Box<dyn Steps>>) -> Listing<T> {
        Listing::new(self.clone(), steps)
    }

    fn collect<T: Send + 'static>(
        &self,
        steps: Result<Box<dyn Steps>>,
        finish: fn(Vec<Value>) -> Result<T>,
    ) -> Reply<T> {
        let http = self.clone();
        Reply::new(async move {
            let (items, origin) = http.walk_all(steps?).await?;
            finish(items).map_err(|error| match origin {
                Some(origin) => origin.name(error),
                None => error,
            })
        })
    }

    fn token(&self) -> Reply<SecretString> {
        let http = self.clone();
        Reply::new(async move { http.token().await })
    }

    fn token_details(&self, min_ttl: Duration) -> Reply<TokenDetails> {
        let http = self.clone();
        Reply::new(async move { http.token_details(min_ttl).await })
    }

    fn audience_token(&self, wanted: Wanted) -> Reply<AudienceToken> {
        let http = self.clone();
        Reply::new(async move { http.audience_token(wanted).await })
    }

    fn audience_secret(&self, wanted: Wanted) -> Reply<SecretString> {
        let http = self.clone();
        Reply::new(async move { http.audience_secret(wanted).await })
    }

    fn forget_audience_token(&self, audience: Audience) -> Reply<()> {
        let http = self.clone();
        Reply::new(async move { http.forget_audience_token(&audience).await })
    }

    fn watch(&self, watch: Watch) -> EventStream {
        EventStream::new(self.clone(), watch)
    }

    fn peek(&self, position: Position) -> Reply<(Vec<Event>, Position)> {
        Reply::new(self.clone().peek_events(position))
    }

    fn forget_token(&self) -> Reply<()> {
        let http = self.clone();
        Reply::new(async move {
            http.forget().await;
            Ok(())
        })
    }
}

impl Connect for Http {
    type Builder = Builder;

    fn builder(api_key: SecretString) -> Builder {
        Builder::new(Some(api_key))
    }

    fn anonymous() -> Builder {
        Builder::new(None)
    }

    fn with_settings(&self, change: impl FnOnce(&mut CallSettings)) -> Self {
        self.with_call_settings(change)
    }
}

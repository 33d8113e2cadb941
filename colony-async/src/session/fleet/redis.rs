//! A real Redis or Valkey server.
//!
//! The stream is opened here and passed to the library, so that TLS uses this crate's provider. The connection's
//! driver is polled while waiting for a reply: nothing runs in the background.

use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use colony_core::token::store_url::TokenStoreUrl;
use futures_util::future::{BoxFuture, Either, select};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisConnectionInfo, RedisError, Value,
    aio::MultiplexedConnection,
};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::engine::{Answer, Connection, Engine, Trouble, TroubleKind};
use crate::tls::{self, Certificates};

pub(super) struct Redis {
    url: TokenStoreUrl,
    /// The TLS settings, loaded at the first connection.
    tls: OnceLock<Result<Arc<rustls::ClientConfig>, Trouble>>,
}

struct Live {
    connection: MultiplexedConnection,
    driver: Driver,
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A stream, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Redis {
    pub(super) fn new(url: TokenStoreUrl) -> Self {
        Self { url, tls: OnceLock::new() }
    }

    async fn connect_in(&self) -> Result<Live, Trouble> {
        let (host, port) = match &self.url.sentinel {
            None => (self.url.host.clone(), self.url.port),
            Some(name) => self.master(name).await?,
        };
        self.open(&host, port, true, self.url.database).await
    }

    /// Asks the Sentinel for the master's address.
    async fn master(&self, name: &str) -> Result<(String, u16), Trouble> {
        let ask = async |with_login| {
            let mut sentinel = self.open(&self.url.host, self.url.port, with_login, 0).await?;
            let words = ["SENTINEL", "get-master-addr-by-name", name];
            sentinel.send(&[words.map(|word| word.as_bytes().to_vec()).to_vec()]).await
        };
        // A Sentinel often has no password where the master has one.
        let answers = match ask(false).await {
            Ok(answers) if matches!(answers.first(), Some(Answer::Refused(_))) => ask(true).await?,
            Err(trouble) if trouble.kind == TroubleKind::Wrong => ask(true).await?,
            answers => answers?,
        };
        let text = |answer: Option<&Answer>| {
            answer.and_then(Answer::bytes).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        };
        let parts = answers.first().map(Answer::list).unwrap_or_default();
        let port = text(parts.get(1)).and_then(|port| port.parse().ok());
        match (answers.first(), text(parts.first()).zip(port)) {
            (Some(Answer::Refused(trouble)), _) => Err(trouble.clone()),
            (_, Some(address)) => Ok(address),
            _ => Err(Trouble::new(TroubleKind::Wrong, format!("the Sentinel knows no master {name}"))),
        }
    }

    async fn open(&self, host: &str, port: u16, with_login: bool, database: u32) -> Result<Live, Trouble> {
        let stream = TcpStream::connect((host, port)).await.map_err(away)?;
        let _ = stream.set_nodelay(true);
        let stream: Box<dyn Stream> = if self.url.tls {
            let settings = self.tls.get_or_init(|| tls_settings(&self.url)).clone()?;
            let name = ServerName::try_from(host.to_owned()).map_err(wrong)?;
            let connector = tokio_rustls::TlsConnector::from(settings);
            Box::new(connector.connect(name, stream).await.map_err(|error| {
                let is_tls = error.get_ref().is_some_and(|error| error.is::<rustls::Error>());
                if is_tls { wrong(error) } else { away(error) }
            })?)
        } else {
            Box::new(stream)
        };
        let mut login = RedisConnectionInfo::default().set_db(database.into()).set_skip_set_lib_name();
        if with_login {
            if let Some(user) = &self.url.user {
                login = login.set_username(user);
            }
            if let Some(password) = &self.url.password {
                login = login.set_password(password.expose_secret());
            }
        }
        let settings = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let (connection, driver) = MultiplexedConnection::new_with_config(&login, stream, settings)
            .await
            .map_err(|error| trouble(&error))?;
        Ok(Live { connection, driver: Box::pin(driver) })
    }
}

impl Engine for Redis {
    fn connect(&self, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Connection>, Trouble>> {
        Box::pin(async move {
            let opened = within(limit, self.connect_in()).await?;
            Ok(Box::new(opened) as Box<dyn Connection>)
        })
    }
}

impl Live {
    async fn send(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Answer>, Trouble> {
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for words in commands {
            let mut command = Cmd::new();
            words.iter().for_each(|word| {
                command.arg(word.as_slice());
            });
            pipeline.add_command(command);
        }
        pipeline.ignore_errors();
        let answers = Box::pin(pipeline.query_async::<Value>(&mut self.connection));
        match select(answers, &mut self.driver).await {
            Either::Left((Ok(Value::Array(answers)), _)) => Ok(answers.into_iter().map(answer).collect()),
            Either::Left((Ok(Value::ServerError(error)), _)) => Err(Trouble::of_reply(&server_text(&error))),
            Either::Left((Ok(_), _)) => Err(wrong("the server does not speak the protocol")),
            Either::Left((Err(error), _)) => Err(trouble(&error)),
            Either::Right(((), answers)) => match answers.await {
                Err(error) => Err(trouble(&error)),
                Ok(_) => Err(away("the connection was closed")),
            },
        }
    }
}

impl Connection for Live {
    fn pipeline(
        &mut self,
        commands: Vec<Vec<Vec<u8>>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Vec<Answer>, Trouble>> {
        Box::pin(async move { within(limit, self.send(&commands)).await })
    }

    fn eval(
        &mut self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Answer, Trouble>> {
        Box::pin(async move {
            let mut words = vec![b"EVAL".to_vec(), script.into(), keys.len().to_string().into_bytes()];
            words.extend(keys.into_iter().map(String::into_bytes));
            words.extend(arguments);
            let answers = within(limit, self.send(&[words])).await?;
            answers.into_iter().next().ok_or_else(|| wrong("the server gave no answer"))
        })
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let answer = timeout_at(Instant::now() + limit, work).await;
    answer.unwrap_or_else(|_| Err(away(format!("no answer within {} ms", limit.as_millis()))))
}

fn tls_settings(url: &TokenStoreUrl) -> Result<Arc<rustls::ClientConfig>, Trouble> {
    let certificates = Certificates { authorities: url.ca.clone(), own: None };
    tls::settings_without_http(&certificates).map(Arc::new).map_err(wrong)
}

fn answer(value: Value) -> Answer {
    match value {
        Value::Nil => Answer::Nil,
        Value::Int(number) => Answer::Number(number),
        Value::BulkString(bytes) => Answer::Bytes(bytes),
        Value::SimpleString(text) => Answer::Bytes(text.into_bytes()),
        Value::Okay => Answer::Bytes(b"OK".to_vec()),
        Value::Array(values) | Value::Set(values) => Answer::List(values.into_iter().map(answer).collect()),
        Value::ServerError(error) => Answer::Refused(Trouble::of_reply(&server_text(&error))),
        _ => Answer::Nil,
    }
}

fn server_text(error: &redis::ServerError) -> String {
    format!("{} {}", error.code(), error.details().unwrap_or_default())
}

fn trouble(error: &RedisError) -> Trouble {
    match error.kind() {
        ErrorKind::Io => away(error),
        ErrorKind::AuthenticationFailed | ErrorKind::Parse => wrong(error),
        _ => match error.code() {
            Some(code) => Trouble::of_reply(&format!("{code} {}", error.detail().unwrap_or_default())),
            None => wrong(error),
        },
    }
}

fn away(why: impl Display) -> Trouble {
    Trouble::new(TroubleKind::Away, why)
}

fn wrong(why: impl Display) -> Trouble {
    Trouble::new(TroubleKind::Wrong, why)
}

//! The tools' implementations.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use colony_async::{
    Client,
    events::{Position, Watch},
};
use colony_core::{
    Error, ErrorKind, Reply,
    idempotency::key_for,
    policy::Policy,
    registry::{self, Access, Call, Operation},
};
use rmcp::{
    RoleServer,
    model::{CallToolRequestParams, ProgressNotificationParam, Tool},
    service::RequestContext,
};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::{
    DryRun,
    answer::{self, Answer},
    as_error, ask, describe, search,
    tools::{self, Kind, Row},
};
use crate::{
    args::{Global, McpArgs},
    call, client,
    failure::{Failure, NO_KEY},
    methods, watch,
};

/// The default number of rows in a list.
const ROWS: u64 = 20;
/// The number of positions that are kept.
const POSITIONS: usize = 64;

/// The result of a call.
pub(super) enum Outcome {
    Done(String),
    /// An error that the model can fix.
    Failed(String),
    /// A person must be asked first.
    Asks(Box<rmcp::model::InputRequiredResult>),
}

/// The part of the server that is independent of the protocol's form.
pub(super) struct Calls {
    global: Arc<Global>,
    /// The policy, or why the profile cannot be read: then nothing is allowed.
    policy: Result<Policy, Error>,
    write: bool,
    ask: bool,
    dry_run: Option<DryRun>,
    max_result: usize,
    connected: RwLock<Option<Arc<Connected>>>,
    questions: ask::Questions,
    positions: Mutex<VecDeque<(String, Position)>>,
}

/// A client, and its account.
struct Connected {
    client: Client,
    /// The account's id and name, once fetched. `None` if the service did not return them.
    me: OnceCell<Option<(String, String)>>,
}

type Arguments = Map<String, Value>;
type Context = RequestContext<RoleServer>;

impl Calls {
    pub(super) fn new(global: Global, policy: Result<Policy, Failure>, args: &McpArgs) -> Self {
        Self {
            global: Arc::new(global),
            policy: policy.map_err(|failure| as_error(&failure)),
            write: args.write,
            ask: args.ask,
            dry_run: args.dry_run,
            max_result: args.max_result,
            connected: RwLock::default(),
            questions: ask::Questions::default(),
            positions: Mutex::default(),
        }
    }

    /// Returns the policy; if it cannot be read, a read-only one, to list the tools anyway.
    fn policy(&self) -> Policy {
        self.policy.clone().unwrap_or_else(|_| Policy::read_only())
    }

    pub(super) fn tools(&self) -> Vec<Tool> {
        tools::list(&self.policy())
    }

    pub(super) fn writes(&self) -> bool {
        self.write || tools::find("write_operation").is_some_and(|row| row.is_listed(&self.policy()))
    }

    pub(super) async fn call(
        &self,
        tool: &'static Row,
        request: CallToolRequestParams,
        context: &Context,
    ) -> Outcome {
        let work = self.carry_out(tool, &request, context);
        work.await.unwrap_or_else(|error| {
            self.forget_without_key(&error);
            let advice = advice(&error);
            Outcome::Failed(answer::failure(&error, advice.as_deref()))
        })
    }

    /// Calls a read operation for a resource.
    pub(super) async fn read(&self, name: &str, arguments: Value, context: &Context) -> Outcome {
        let read = async {
            let operation = self.operation(name)?;
            let Value::Object(arguments) = arguments else { unreachable!("arguments are an object") };
            self.read_operation(operation, arguments, context).await
        };
        read.await.unwrap_or_else(|error| {
            self.forget_without_key(&error);
            Outcome::Failed(answer::failure(&error, advice(&error).as_deref()))
        })
    }

    async fn carry_out(
        &self,
        tool: &'static Row,
        request: &CallToolRequestParams,
        context: &Context,
    ) -> Result<Outcome, Error> {
        let policy = self.policy.as_ref().map_err(Clone::clone)?;
        let mut arguments = request.arguments.clone().unwrap_or_default();
        let takes = tool.takes();
        if let Some(unknown) = arguments.keys().find(|name| !takes.contains(&name.as_str())) {
            let takes = if takes.is_empty() { "no arguments".to_owned() } else { takes.join(", ") };
            return Err(wrong(format!("{} takes {takes}, and not {unknown:?}", tool.name)));
        }
        match tool.kind {
            Kind::Find => {
                let words = text(&arguments, "words")?.unwrap_or_default();
                Ok(Outcome::Done(search::answer(&words, &|it| tools::is_allowed(policy, it)).to_string()))
            }
            Kind::Describe => {
                let operation = self.operation(&needed(&arguments, "name")?)?;
                Ok(Outcome::Done(describe::describe(operation, policy).to_string()))
            }
            Kind::Whoami => self.whoami(context).await,
            Kind::News => self.whats_new(text(&arguments, "since")?, context).await,
            Kind::Read(name, _) => self.read_operation(self.operation(name)?, arguments, context).await,
            Kind::AnyRead => {
                let operation = self.operation(&needed(&arguments, "name")?)?;
                if operation.access() != Access::Read {
                    return Err(wrong(format!(
                        "{} does more than read: use write_operation",
                        operation.name
                    )));
                }
                self.read_operation(operation, object(&mut arguments, "arguments")?, context).await
            }
            Kind::Write(name, _) => {
                let id = text(&arguments, "request_id")?;
                arguments.remove("request_id");
                self.write_operation(
                    self.operation(name)?,
                    arguments,
                    Some(id.unwrap_or_default()),
                    request,
                    context,
                )
                .await
            }
            Kind::Vote => {
                let name = match (arguments.contains_key("post_id"), arguments.contains_key("comment_id")) {
                    (true, false) => "vote_post",
                    (false, true) => "vote_comment",
                    _ => return Err(wrong("vote takes one of post_id and comment_id".to_owned())),
                };
                self.write_operation(self.operation(name)?, arguments, None, request, context).await
            }
            Kind::AnyWrite => {
                let operation = self.operation(&needed(&arguments, "name")?)?;
                if operation.access() == Access::Read {
                    return Err(wrong(format!("{} only reads: use read_operation", operation.name)));
                }
                let id = text(&arguments, "request_id")?;
                let id = id.or_else(|| makes_something(operation.name).then(String::new));
                let given = object(&mut arguments, "arguments")?;
                self.write_operation(operation, given, id, request, context).await
            }
        }
    }

    /// Returns the operation of this name, if a model may use it. For a forbidden one, the error reveals no more than
    /// for an unknown one, except the reason.
    fn operation(&self, name: &str) -> Result<&'static Operation, Error> {
        let policy = self.policy.as_ref().map_err(Clone::clone)?;
        let Some(operation) = registry::find(name) else {
            let near = methods::nearest(name);
            let allowed = |name: &&&str| registry::find(name).is_some_and(|it| tools::is_allowed(policy, it));
            let near: Vec<&str> = near.iter().filter(allowed).copied().collect();
            let hint =
                if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(", ")) };
            return Err(wrong(format!(
                "there is no operation {name:?}; {hint}find_operation finds them by words"
            )));
        };
        if operation.access() == Access::Secret {
            let message = format!("{name} is not for a model: its arguments or its answer hold a secret");
            return Err(Error::build(ErrorKind::Refused, message).code("access").finish());
        }
        policy.check(operation, 0)?;
        Ok(operation)
    }

    async fn read_operation(
        &self,
        operation: &'static Operation,
        mut arguments: Arguments,
        context: &Context,
    ) -> Result<Outcome, Error> {
        if self.dry_run == Some(DryRun::All) {
            return described(operation, arguments);
        }
        if operation.arguments().contains(&"limit") && !arguments.contains_key("limit") {
            arguments.insert("limit".to_owned(), ROWS.into());
        }
        let walks = operation.arguments().contains(&"max_results");
        if walks && !arguments.contains_key("max_results") {
            arguments.insert("max_results".to_owned(), ROWS.into());
        }
        let call = operation.prepare(Value::Object(arguments.clone()))?;
        let connected = self.connected().await?;
        // The reply to a cancelled read is discarded, so the rest is not fetched.
        let value = tokio::select! {
            value = self.fetch(&connected.client, call, context) => value?,
            () = context.ct.cancelled() => return Err(cancelled(operation.name)),
        };
        let me = connected.me().await;
        let answer = Answer { value, operation, arguments: &arguments, me: me.as_ref(), notes: Map::new() };
        Ok(Outcome::Done(answer.text(self.max_result)))
    }

    async fn fetch(&self, client: &Client, call: Call, context: &Context) -> Result<Value, Error> {
        match call {
            Call::Download(call) => {
                let reply = client.transport().call(call).await?;
                Ok(match std::str::from_utf8(&reply.body) {
                    Ok(text) => text.into(),
                    Err(_) => json!({
                        "bytes": reply.body.len(),
                        "hint": "this is not text; a person can save it with `colony call … --output FILE`",
                    }),
                })
            }
            Call::List(steps) => {
                let mut rows = colony_core::Transport::walk::<Value>(client.transport(), Ok(steps));
                let (mut all, mut size) = (Vec::new(), 0);
                loop {
                    let row = match rows.next_ready() {
                        Some(row) => Some(row),
                        None => {
                            self.tell_progress(all.len(), context).await;
                            rows.next().await
                        }
                    };
                    let Some(row) = row else { break };
                    let row = row?;
                    size += row.to_string().len();
                    all.push(row);
                    // Rows that do not fit need not be fetched.
                    if size > self.max_result * 2 {
                        break;
                    }
                }
                Ok(Value::Array(all))
            }
            call => client.transport().run(call).await,
        }
    }

    async fn tell_progress(&self, rows: usize, context: &Context) {
        if let Some(token) = context.meta.get_progress_token().filter(|_| rows > 0) {
            let progress = ProgressNotificationParam::new(token, rows as f64);
            let _ = context.peer.notify_progress(progress).await;
        }
    }

    /// Calls a write operation. With an id, equal arguments with an equal id are written once.
    async fn write_operation(
        &self,
        operation: &'static Operation,
        arguments: Arguments,
        id: Option<String>,
        request: &CallToolRequestParams,
        context: &Context,
    ) -> Result<Outcome, Error> {
        if id.as_ref().is_some_and(|id| id.len() > super::schema::LONGEST_REQUEST_ID) {
            return Err(wrong(format!(
                "request_id is at most {} characters",
                super::schema::LONGEST_REQUEST_ID
            )));
        }
        let call = operation.prepare(Value::Object(arguments.clone()))?;
        if self.dry_run.is_some() {
            return described(operation, arguments);
        }
        if self.ask {
            let told = told(operation, &arguments);
            match self.questions.ask(told, request, context).await {
                ask::Asked::Accepted => {}
                ask::Asked::Later(question) => return Ok(Outcome::Asks(question)),
                ask::Asked::Refused(why) => {
                    let message = format!("{} was not sent: {why}", operation.name);
                    return Err(Error::build(ErrorKind::Refused, message).code("ask").finish());
                }
            }
        }
        let connected = self.connected().await?;
        let me = connected.me().await;
        let client = match &id {
            Some(id) => {
                let account = me.as_ref().map_or("", |(id, _)| id);
                let given = super::canonical(&Value::Object(arguments.clone()));
                connected.client.with_idempotency_key(key_for(&[account, operation.name, &given, id]))
            }
            None => connected.client.clone(),
        };
        let (value, is_replay) = match call {
            Call::Request(call) => {
                let reply: Reply =
                    client.transport().call(call).await.map_err(|error| unclear(error, id.is_some()))?;
                (reply.json()?, reply.is_replay())
            }
            call => {
                (client.transport().run(call).await.map_err(|error| unclear(error, id.is_some()))?, false)
            }
        };
        if context.ct.is_cancelled() {
            // The client gets no more replies to this call, but a reader of its log sees this.
            tracing::warn!(
                target: "colony::mcp", operation = operation.name,
                "the call was cancelled after {} had been sent: it was done", operation.name
            );
        }
        let mut notes = Map::new();
        if is_replay {
            notes.insert("already_done".to_owned(), true.into());
            notes.insert("hint".to_owned(), "pass another request_id to do it again".into());
        }
        let answer = Answer { value, operation, arguments: &arguments, me: me.as_ref(), notes };
        Ok(Outcome::Done(answer.text(self.max_result)))
    }

    async fn whoami(&self, context: &Context) -> Result<Outcome, Error> {
        let operation = self.operation("get_me")?;
        let connected = self.connected().await?;
        let mut value = Map::new();
        for (name, field) in [
            ("get_me", "profile"),
            ("get_unread", "unread"),
            ("get_karma_breakdown", "karma"),
            ("get_my_limits", "limits"),
        ] {
            // The profile is required; other parts are left out if they fail.
            let part = async {
                let call = self.operation(name)?.prepare(json!({}))?;
                self.fetch(&connected.client, call, context).await
            };
            match part.await {
                Ok(part) => drop(value.insert(field.to_owned(), part)),
                Err(error) if name == operation.name => return Err(error),
                Err(_) => {}
            }
        }
        let mut notes = Map::new();
        let budgets = connected.client.transport().budgets().await;
        if !budgets.is_empty() {
            let rows = budgets.iter().map(|budget| {
                let left = budget.spent.map(|spent| budget.limit.saturating_sub(spent));
                json!({"operation": budget.operation, "daily": budget.limit, "left": left})
            });
            notes.insert("budgets".to_owned(), rows.collect());
        }
        let arguments = Map::new();
        let answer =
            Answer { value: Value::Object(value), operation, arguments: &arguments, me: None, notes };
        Ok(Outcome::Done(answer.text(self.max_result)))
    }

    async fn whats_new(&self, since: Option<String>, context: &Context) -> Result<Outcome, Error> {
        let operation = self.operation("get_since")?;
        let watch = Watch::new().once(true).bell(false);
        let watch = match since.as_deref().map(str::trim).filter(|since| !since.is_empty()) {
            None => {
                let day_ago = client::now() - 86_400.0;
                let moment =
                    jiff::Timestamp::from_second(day_ago as i64).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                watch.since(moment.to_string())
            }
            Some(next) if self.position(next).is_some() => {
                watch.position(self.position(next).unwrap_or_else(Position::now))
            }
            // From an earlier run of this server: continues from that time, and may repeat some events.
            Some(next) if next.split_once('~').is_some_and(|(moment, _)| is_moment(moment)) => {
                watch.since(next.split('~').next().unwrap_or(next).to_owned())
            }
            Some(moment) if is_moment(moment) => watch.since(moment.to_owned()),
            Some(other) => {
                return Err(wrong(format!(
                    "since is a moment like 2026-11-27T08:00:00Z, or `next` of the last answer, not {other:?}"
                )));
            }
        };
        let connected = self.connected().await?;
        let mut events = colony_core::Transport::watch(connected.client.transport(), watch);
        let (mut rows, mut size, mut is_all) = (Vec::new(), 0, true);
        loop {
            let event = tokio::select! {
                event = events.try_next() => event?,
                () = context.ct.cancelled() => return Err(cancelled("whats_new")),
            };
            let Some(event) = event else { break };
            let mut row = watch::event_json(&event);
            for unneeded in ["v", "idempotency_key"] {
                row.as_object_mut().map(|row| row.remove(unneeded));
            }
            size += row.to_string().len();
            // The first row is always shown, shortened if it is too long.
            if !rows.is_empty() && size > self.max_result / 4 * 3 {
                is_all = false;
                break;
            }
            rows.push(row);
            event.done();
        }
        let next = self.remember(events.position());
        let me = connected.me().await;
        let mut notes = Map::new();
        notes.insert("next".to_owned(), next.clone().into());
        if !is_all {
            notes.insert("cut".to_owned(), json!({"shown": rows.len(), "next": {"since": next}}));
        }
        let arguments = Map::new();
        let value = json!({"events": rows});
        let answer = Answer { value, operation, arguments: &arguments, me: me.as_ref(), notes };
        Ok(Outcome::Done(answer.text(self.max_result)))
    }

    /// Stores the position to continue from, which is too long for a model, and returns its name: the time, and a
    /// number.
    fn remember(&self, position: Position) -> String {
        let cursor =
            serde_json::to_value(&position).ok().and_then(|it| it["cursor"].as_str().map(str::to_owned));
        let cursor = cursor.unwrap_or_else(|| jiff::Timestamp::now().to_string());
        let next = format!("{cursor}~{}", &key_for(&[&cursor, &fastrand::u64(..).to_string()])[..8]);
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        if positions.len() >= POSITIONS {
            positions.pop_front();
        }
        positions.push_back((next.clone(), position));
        next
    }

    fn position(&self, next: &str) -> Option<Position> {
        let positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        positions.iter().find(|(name, _)| name == next).map(|(_, position)| position.clone())
    }

    /// Returns the client, which is built at the first call.
    async fn connected(&self) -> Result<Arc<Connected>, Error> {
        let policy = self.policy.as_ref().map_err(Clone::clone)?.clone();
        let known = self.connected.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connected) = known {
            return Ok(connected);
        }
        let global = Arc::clone(&self.global);
        // A keyring may prompt a person.
        let made = tokio::task::spawn_blocking(move || {
            Ok::<_, Failure>(client::builder(&global)?.policy(policy).build()?)
        });
        let made = made.await.map_err(|error| wrong(error.to_string()))?;
        let client = made.map_err(|failure| as_error(&failure))?;
        let made = Arc::new(Connected { client, me: OnceCell::new() });
        let mut known = self.connected.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.get_or_insert(made)))
    }

    /// Makes the next call find a later login.
    fn forget_without_key(&self, error: &Error) {
        if error.code() == Some(NO_KEY) || matches!(error.kind(), ErrorKind::Auth | ErrorKind::ReauthRequired)
        {
            *self.connected.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Connected {
    /// Returns the client's account, fetched once; fetched again if the service did not return it.
    async fn me(&self) -> Option<(String, String)> {
        if let Some(me) = self.me.get() {
            return me.clone();
        }
        let call = registry::find("get_me")?.prepare(json!({})).ok()?;
        let me = self.client.transport().run(call).await.ok()?;
        let text = |name: &str| me.get(name).and_then(Value::as_str).map(str::to_owned);
        let me = text("id").zip(text("username"));
        self.me.get_or_init(|| async { me }).await.clone()
    }
}

/// Returns whether a repetition would create a second object: such a write is done once even without a request id.
fn makes_something(name: &str) -> bool {
    ["create_", "send_", "reply_", "comment_", "post_"].iter().any(|begin| name.starts_with(begin))
}

/// Returns the question for a person.
fn told(operation: &Operation, arguments: &Arguments) -> String {
    let given = Value::Object(arguments.clone()).to_string();
    let (given, _) = colony_core::untrusted::clean(&given);
    let shown: String = given.chars().take(1500).collect();
    let more = if given.chars().count() > 1500 { "…" } else { "" };
    format!(
        "Let the agent do this on The Colony? {} ({}) {shown}{more}",
        operation.name,
        operation.access().as_str()
    )
}

/// Returns the request that would be sent, as `colony call --dry-run` prints it.
fn described(operation: &Operation, arguments: Arguments) -> Result<Outcome, Error> {
    let call = operation.prepare(Value::Object(arguments))?;
    let described = call::describe(call).map_err(|failure| as_error(&failure))?;
    Ok(Outcome::Done(described.to_string()))
}

/// Adds that a write whose reply was lost can be repeated.
fn unclear(error: Error, is_keyed: bool) -> Error {
    let is_unclear = matches!(error.kind(), ErrorKind::Network | ErrorKind::Server) && is_keyed;
    if !is_unclear {
        return error;
    }
    let hint = "It may have been done. Call again with the same arguments and request_id: it is done once";
    let message = error.message().to_owned();
    let mut again = Error::build(error.kind(), message).hint(hint);
    if let Some(status) = error.status() {
        again = again.status(status);
    }
    if let Some(operation) = error.operation() {
        again = again.operation(operation);
    }
    again.finish()
}

/// Returns what a model can do about an error, if that differs from what a program does.
fn advice(error: &Error) -> Option<String> {
    let text = match (error.kind(), error.code()) {
        (ErrorKind::Auth, Some(NO_KEY)) => {
            "A person has to log in on this machine: run `colony auth login`, then call again"
        }
        (ErrorKind::ReauthRequired, _) => {
            "A person has to log in again on this machine: run `colony auth login`"
        }
        (ErrorKind::Auth, _) if error.status() == Some(401) => {
            "A person has to look at the login on this machine: `colony auth status --verify`"
        }
        (ErrorKind::TwoFactorRequired | ErrorKind::TwoFactorInvalid, _) => {
            "A person has to log in on this machine with a code: `COLONY_TOTP=CODE colony auth refresh`"
        }
        (ErrorKind::Refused, Some("access" | "denied")) => {
            "The person who set up this server did not allow it; ask them if it is needed (colony mcp --write, --allow NAME)"
        }
        (ErrorKind::InvalidArgument, _) if error.operation().is_some() => {
            "describe_operation shows what an operation takes"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn is_moment(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn cancelled(name: &str) -> Error {
    Error::build(ErrorKind::Network, format!("{name} was cancelled")).finish()
}

fn wrong(message: String) -> Error {
    Error::build(ErrorKind::InvalidArgument, message).finish()
}

fn text(arguments: &Arguments, name: &str) -> Result<Option<String>, Error> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(format!("{name} is a text"))),
    }
}

fn needed(arguments: &Arguments, name: &str) -> Result<String, Error> {
    text(arguments, name)?.ok_or_else(|| wrong(format!("{name} is missing")))
}

/// Returns an operation's arguments. Some models send them as a string.
fn object(arguments: &mut Arguments, name: &str) -> Result<Arguments, Error> {
    match arguments.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields),
        Some(Value::String(text)) => serde_json::from_str(&text)
            .map_err(|error| wrong(format!("{name} is an object keyed by argument, not this text: {error}"))),
        Some(_) => Err(wrong(format!("{name} is an object keyed by argument"))),
    }
}

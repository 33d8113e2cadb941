//! An operation as a row: its name, its place on the wire, and how JSON arguments become a call of it.

mod access;
#[cfg(feature = "answers")]
mod answer;
mod arguments;
mod walk;

use std::fmt;

use http::Method;
use serde::{Deserialize, de};
use serde_json::Value;

pub use self::access::Access;

use crate::{
    Batch, Download, Endpoint, Error, ErrorKind, PathStyle, Prepared, Reply, Request, Result, Sequence,
    page::Steps, retry::Repeat,
};

/// One operation: its name, its place on the wire, and how its arguments become a call.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Operation {
    /// The name, `create_post`.
    pub name: &'static str,
    /// The path, `/posts/{post_id}`.
    pub path: &'static str,
    method: fn() -> Option<Method>,
    keyless: bool,
    arguments: fn() -> Vec<&'static str>,
    prepare: fn(Value) -> Result<Call>,
    #[cfg(feature = "answers")]
    answer: answer::Answer,
}

/// What an operation with its arguments turned out to be.
#[non_exhaustive]
pub enum Call {
    /// One request with a JSON reply.
    Request(Prepared),
    /// One request whose reply is bytes.
    Download(Prepared),
    /// A list, to be walked to its end.
    List(Box<dyn Steps>),
    /// Several requests, whose replies the function makes one answer of.
    Batch(Box<dyn Steps>, fn(Vec<Value>) -> Value),
    /// The session's token.
    Token,
    /// Forget the session's token.
    ForgetToken,
    /// An answer that was worked out without asking anybody.
    Local(Value),
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Request",
            Self::Download(_) => "Download",
            Self::List(_) => "List",
            Self::Batch(..) => "Batch",
            Self::Token => "Token",
            Self::ForgetToken => "ForgetToken",
            Self::Local(_) => "Local",
        })
    }
}

impl Operation {
    /// The row of an [`Endpoint`].
    pub const fn of<E: Endpoint>() -> Self {
        Self {
            name: E::NAME,
            method: || Some(E::METHOD),
            keyless: E::KEYLESS,
            path: E::PATH,
            arguments: arguments::names_of::<E>,
            prepare: |arguments| {
                let (endpoint, arguments) = read::<E>(E::NAME, arguments)?;
                let mut call = Prepared::of(&endpoint);
                adapt(&mut call.request, &arguments)?;
                Ok(Call::Request(call))
            },
            #[cfg(feature = "answers")]
            answer: answer::Answer::of_endpoint::<E>(),
        }
    }

    /// The row of a [`Download`].
    pub const fn download<D: Download>() -> Self {
        Self {
            name: D::NAME,
            method: || Some(Method::GET),
            keyless: false,
            path: D::PATH,
            arguments: arguments::names_of::<D>,
            prepare: |arguments| {
                let (download, arguments) = read::<D>(D::NAME, arguments)?;
                let mut call = Prepared::download(&download);
                adapt(&mut call.request, &arguments)?;
                Ok(Call::Download(call))
            },
            #[cfg(feature = "answers")]
            answer: answer::Answer::UNTYPED,
        }
    }

    /// The row of a [`Sequence`]'s walk.
    pub const fn list<S: Sequence>() -> Self {
        Self {
            name: S::WALK,
            method: || Some(S::METHOD),
            keyless: false,
            path: S::PATH,
            arguments: walk::names_of::<S>,
            prepare: walk::prepare::<S>,
            #[cfg(feature = "answers")]
            answer: answer::Answer::of_list::<S>(),
        }
    }

    /// The row of a [`Batch`].
    pub const fn batch<B: Batch>() -> Self {
        Self {
            name: B::NAME,
            method: || Some(B::METHOD),
            keyless: false,
            path: B::PATH,
            arguments: arguments::names_of::<B>,
            prepare: |arguments| Ok(Call::Batch(read::<B>(B::NAME, arguments)?.0.steps()?, B::gather)),
            #[cfg(feature = "answers")]
            answer: answer::Answer::of_batch::<B>(),
        }
    }

    /// The row of something that is not a request.
    pub const fn local<A: de::DeserializeOwned>(
        name: &'static str,
        path: &'static str,
        method: fn() -> Option<Method>,
        prepare: fn(Value) -> Result<Call>,
    ) -> Self {
        let arguments = arguments::names_of::<A>;
        // What is sent for it, a login, carries no key.
        Self {
            name,
            method,
            keyless: true,
            path,
            arguments,
            prepare,
            #[cfg(feature = "answers")]
            answer: answer::Answer::UNTYPED,
        }
    }

    /// The HTTP method of its request or requests; `None` when nothing is sent.
    pub fn method(&self) -> Option<Method> {
        (self.method)()
    }

    /// Whether its requests may be sent again; `None` when nothing is sent.
    pub fn repeat(&self) -> Option<Repeat> {
        Some(Repeat::of(&self.method()?, self.keyless))
    }

    /// Tells what the operation does to the world.
    pub fn access(&self) -> Access {
        access::of(self.name)
    }

    /// The arguments' names, in order.
    pub fn arguments(&self) -> Vec<&'static str> {
        (self.arguments)()
    }

    /// Makes a call of these arguments, a JSON object keyed by their names. Nothing is sent.
    ///
    /// Ids are written as the other SDKs write them: see [`PathStyle::Compatible`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for an argument that is unknown, missing, of the wrong type or
    /// refused.
    pub fn prepare(&self, arguments: Value) -> Result<Call> {
        (self.prepare)(arguments)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("name", &self.name)
            .field("method", &self.method())
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The operations of one resource.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Group {
    /// The resource's name, `posts`.
    pub name: &'static str,
    /// Its operations.
    pub operations: &'static [Operation],
}

impl Group {
    /// A group.
    pub const fn new(name: &'static str, operations: &'static [Operation]) -> Self {
        Self { name, operations }
    }
}

/// Reads the arguments of an operation from JSON.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`], in serde's words, which name the argument and the expected ones.
pub fn read_arguments<A: de::DeserializeOwned>(operation: &'static str, arguments: Value) -> Result<A> {
    read::<A>(operation, arguments).map(|(arguments, _)| arguments)
}

const NOT_AN_OBJECT: &str = "the arguments must be a JSON object keyed by parameter name";

fn read<A: de::DeserializeOwned>(
    operation: &'static str,
    arguments: Value,
) -> Result<(A, serde_json::Map<String, Value>)> {
    let refused =
        |message: String| Error::build(ErrorKind::InvalidArgument, message).operation(operation).finish();
    let Value::Object(map) = arguments else {
        return Err(refused(NOT_AN_OBJECT.to_owned()));
    };
    match arguments::read(&map) {
        Ok(read) => Ok((read, map)),
        Err(message) => Err(refused(message)),
    }
}

fn adapt(request: &mut Request, arguments: &serde_json::Map<String, Value>) -> Result<()> {
    request.check()?;
    request.set_path_style(PathStyle::Compatible);
    request.restore_scalars(arguments);
    Ok(())
}

/// Reads a reply for an operation known by name only.
///
/// # Errors
///
/// What the reply stands for.
pub fn answer(call: &Prepared, reply: Reply) -> Result<Value> {
    call.clone().finish(reply)?.json()
}

/// No arguments.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NoArguments {}

//! Which operations a client carries out: a limit that an operator sets and a program keeps.
//!
//! A [`Policy`] is asked before anything is sent, and before a token is asked for. What it does not let through is an
//! error of the kind [`Refused`](ErrorKind::Refused). It guards against mistakes and against injected text, not against
//! the program itself, which has the key.
//!
//! ```
//! use colony_core::{policy::Policy, registry};
//!
//! let policy = Policy::read_only().write().deny("vote_post").daily("create_comment", 20);
//! let allows = |name| policy.allows(registry::find(name).expect("it is there"));
//! assert!(allows("get_post") && allows("create_comment"));
//! assert!(!allows("vote_post"), "denied by name");
//! assert!(!allows("delete_post"), "only by name");
//!
//! let comment = registry::find("create_comment").expect("it is there");
//! assert!(policy.check(comment, 19).is_ok());
//! let refusal = policy.check(comment, 20).unwrap_err();
//! assert!(refusal.to_string().contains("20 a day"), "{refusal}");
//! ```

mod ledger;

use std::{collections::BTreeMap, fmt};

use http::Method;

pub use self::ledger::{Ledger, TornLedger, day_of};
use crate::{
    Error, ErrorKind, Request, Result,
    registry::{self, Access, Operation},
};

/// Which operations are let through, and how often a day.
///
/// Operations are named as in the [registry], groups as `group:moderation`. A name that is not there is
/// remembered, and refused when a client is built: see [`problem`](Self::problem). What is denied stays denied, whatever
/// else allows it.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// All of them must let an operation through.
    rules: Vec<Rule>,
    problem: Option<Error>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rule {
    base: Base,
    allow: Vec<Selector>,
    deny: Vec<Selector>,
    daily: BTreeMap<&'static str, u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Base {
    #[default]
    Everything,
    Read,
    Write,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selector {
    Operation(&'static str),
    Group(&'static str),
}

impl Policy {
    /// A policy that lets everything through which is not denied.
    pub fn new() -> Self {
        Self::default()
    }

    /// A policy that lets through what only reads ([`Access::Read`]).
    pub fn read_only() -> Self {
        Self { rules: vec![Rule { base: Base::Read, ..Rule::default() }], problem: None }
    }

    /// Also lets through what publishes, can be taken back, or marks as read ([`Access::Write`], [`Access::Mark`]).
    #[must_use]
    pub fn write(mut self) -> Self {
        let rule = self.rule();
        if rule.base == Base::Read {
            rule.base = Base::Write;
        }
        self
    }

    /// Also lets this operation through, or this group (`group:moderation`). Operations with a secret
    /// ([`Access::Secret`]) are let through by their own name only.
    #[must_use]
    pub fn allow(mut self, name: &str) -> Self {
        if let Some(selector) = self.selector("allow", name) {
            self.rule().allow.push(selector);
        }
        self
    }

    /// Lets this operation, or this group (`group:moderation`), through under no circumstances.
    #[must_use]
    pub fn deny(mut self, name: &str) -> Self {
        if let Some(selector) = self.selector("deny", name) {
            self.rule().deny.push(selector);
        }
        self
    }

    /// Lets this operation through at most so often a day, in UTC, counted over all programs of the account on this
    /// host. It does not let through what is not let through otherwise. The smaller of two numbers counts.
    #[must_use]
    pub fn daily(mut self, name: &str, most: u32) -> Self {
        match registry::find(name) {
            Some(operation) => {
                let limit = self.rule().daily.entry(operation.name).or_insert(most);
                *limit = most.min(*limit);
            }
            None => self.refuse(unknown("daily", name)),
        }
        self
    }

    /// A policy that lets through what both do.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        self.problem = self.problem.or(other.problem);
        self
    }

    /// The first name that the registry does not have. A client cannot be built with it.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// Whether it lets everything through.
    pub fn is_unlimited(&self) -> bool {
        self.problem.is_none() && self.rules.iter().all(|rule| *rule == Rule::default())
    }

    /// How often a day the operation of this name is let through, if that is limited.
    pub fn daily_limit(&self, name: &str) -> Option<u32> {
        self.rules.iter().filter_map(|rule| rule.daily.get(name)).min().copied()
    }

    /// The operations that are limited to so many a day.
    pub fn budgets(&self) -> Vec<(&'static str, u32)> {
        let mut names: Vec<&str> = self.rules.iter().flat_map(|rule| rule.daily.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| Some((name, self.daily_limit(name)?))).collect()
    }

    /// Whether the operation is let through, budgets aside.
    pub fn allows(&self, operation: &Operation) -> bool {
        self.judge(operation.name, operation.access()).is_ok()
    }

    /// Checks whether the operation is let through, when it was `spent` so often today.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub fn check(&self, operation: &Operation, spent: u32) -> Result<(), Refusal> {
        self.judge(operation.name, operation.access())?;
        self.check_budget(operation.name, spent)
    }

    /// Checks whether the operation of this name may be carried out once more, when it was `spent` so often today.
    ///
    /// # Errors
    ///
    /// That its budget is spent.
    pub fn check_budget(&self, name: &'static str, spent: u32) -> Result<(), Refusal> {
        match self.daily_limit(name) {
            Some(limit) if spent >= limit => {
                Err(Refusal { operation: name, why: Why::Spent { limit, ledger: None } })
            }
            _ => Ok(()),
        }
    }

    /// Checks whether a request may be sent, whatever was spent today. One that is of no operation counts as
    /// [`Access::Remove`], unless it is a GET, which counts as [`Access::Read`].
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn check_request(&self, request: &Request) -> Result<(), Refusal> {
        if self.rules.is_empty() {
            return Ok(());
        }
        let name = request.operation();
        let access = match registry::find(name) {
            Some(operation) => operation.access(),
            None if request.method() == Method::GET => Access::Read,
            None => Access::Remove,
        };
        self.judge(name, access)?;
        // None a day is none: that needs no look at what was spent.
        self.check_budget(name, 0)
    }

    fn judge(&self, name: &'static str, access: Access) -> Result<(), Refusal> {
        self.rules.iter().try_for_each(|rule| rule.judge(name, access))
    }

    fn rule(&mut self) -> &mut Rule {
        if self.rules.is_empty() {
            self.rules.push(Rule::default());
        }
        self.rules.last_mut().expect("one was pushed")
    }

    fn selector(&mut self, setting: &str, name: &str) -> Option<Selector> {
        let found = match name.strip_prefix("group:") {
            Some(group) => registry::groups()
                .iter()
                .find(|known| known.name == group)
                .map(|known| Selector::Group(known.name)),
            None => registry::find(name).map(|operation| Selector::Operation(operation.name)),
        };
        if found.is_none() {
            self.refuse(unknown(setting, name));
        }
        found
    }

    fn refuse(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}

impl Rule {
    fn judge(&self, name: &'static str, access: Access) -> Result<(), Refusal> {
        let refused = |why| Err(Refusal { operation: name, why });
        if self.deny.iter().any(|selector| selector.names(name)) {
            return refused(Why::Denied);
        }
        let is_allowed = |selector: &Selector| match access {
            Access::Secret => *selector == Selector::Operation(name),
            _ => selector.names(name),
        };
        let is_let_through = match self.base {
            Base::Everything => true,
            Base::Read => access == Access::Read,
            Base::Write => access <= Access::Write,
        };
        if is_let_through || self.allow.iter().any(is_allowed) {
            return Ok(());
        }
        refused(Why::Access { access, is_read_only: self.base == Base::Read })
    }
}

impl Selector {
    fn names(&self, name: &str) -> bool {
        match self {
            Self::Operation(known) => *known == name,
            Self::Group(group) => {
                let group = registry::groups().iter().find(|known| known.name == *group);
                group.is_some_and(|group| group.operations.iter().any(|operation| operation.name == name))
            }
        }
    }
}

fn unknown(setting: &str, name: &str) -> Error {
    let what = match name.strip_prefix("group:") {
        Some(group) => format!("there is no group {group:?}"),
        None => format!("there is no operation {name:?}"),
    };
    Error::build(ErrorKind::InvalidArgument, format!("{setting} of the policy: {what}"))
        .hint("`colony methods` lists the operations by group")
        .finish()
}

/// Why a policy does not let an operation through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    operation: &'static str,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    Denied,
    Access { access: Access, is_read_only: bool },
    Spent { limit: u32, ledger: Option<String> },
    NoLedger(String),
}

impl Refusal {
    /// A budget that cannot be kept, because its ledger cannot be used: nothing is sent then. The text names the file.
    pub fn without_ledger(operation: &'static str, why: impl Into<String>) -> Self {
        Self { operation, why: Why::NoLedger(why.into()) }
    }

    /// Names the file that says what was spent.
    #[must_use]
    pub fn told_by(mut self, path: impl fmt::Display) -> Self {
        if let Why::Spent { ledger, .. } = &mut self.why {
            *ledger = Some(path.to_string());
        }
        self
    }

    /// One word for why: `denied`, `access`, `budget` or `ledger`. It is the [code](Error::code) of the error.
    pub fn as_str(&self) -> &'static str {
        match self.why {
            Why::Denied => "denied",
            Why::Access { .. } => "access",
            Why::Spent { .. } => "budget",
            Why::NoLedger(_) => "ledger",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.operation;
        match &self.why {
            Why::Denied => write!(f, "the policy denies {name}"),
            Why::Access { access, is_read_only } => {
                let allowed = if *is_read_only { "read" } else { "read, mark and write" };
                write!(
                    f,
                    "the policy allows operations that {allowed}; the access of {name} is `{}`",
                    access.as_str()
                )
            }
            Why::Spent { limit, ledger } => {
                write!(f, "the budget of {name}, {limit} a day, is used up")?;
                ledger.as_ref().map_or(Ok(()), |path| write!(f, " ({path})"))
            }
            Why::NoLedger(why) => {
                write!(f, "the daily budget of {name} cannot be counted, so nothing is sent: {why}")
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let hint = match refusal.why {
            Why::Denied => "Ask the person who set the policy to take it off the denied ones",
            Why::Access { .. } => "Ask the person who set the policy to allow it by name",
            Why::Spent { .. } => "The next day begins at midnight UTC",
            Why::NoLedger(_) => "Make the file and its directory usable, or move the file away",
        };
        Self::build(ErrorKind::Refused, refusal.to_string())
            .code(refusal.as_str())
            .hint(hint)
            .operation(refusal.operation)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(policy: &Policy) -> Vec<&'static str> {
        registry::operations().map(|(_, it)| it).filter(|it| policy.allows(it)).map(|it| it.name).collect()
    }

    fn of(accesses: &[Access]) -> Vec<&'static str> {
        let all = registry::operations().map(|(_, operation)| operation);
        all.filter(|it| accesses.contains(&it.access())).map(|it| it.name).collect()
    }

    #[test]
    fn every_operation_is_let_through_by_its_access() {
        use Access::{Account, Mark, Read, Remove, Spend, Write};
        assert_eq!(names(&Policy::new()).len(), registry::operations().count());
        assert_eq!(names(&Policy::read_only()), of(&[Read]));
        assert_eq!(names(&Policy::read_only().write()), of(&[Read, Mark, Write]));
        let all = registry::groups()
            .iter()
            .fold(Policy::read_only(), |policy, group| policy.allow(&format!("group:{}", group.name)));
        assert_eq!(names(&all), of(&[Read, Mark, Write, Remove, Spend, Account]), "secrets by name only");
    }

    #[test]
    fn names_add_and_denials_win() {
        let allows = |policy: &Policy, name| policy.allows(registry::find(name).expect(name));
        let policy = Policy::read_only().allow("delete_post").allow("rotate_key").deny("get_post");
        assert!(allows(&policy, "delete_post") && allows(&policy, "rotate_key"));
        assert!(!allows(&policy, "get_post") && !allows(&policy, "delete_comment"));
        let group = Policy::read_only().allow("group:moderation").deny("ban_colony_member");
        assert!(allows(&group, "unban_colony_member") && !allows(&group, "ban_colony_member"));
        // Whatever one lets through, the other has its say.
        let both = Policy::new().deny("create_post").and(Policy::read_only().write().daily("vote_post", 3));
        assert!(allows(&both, "vote_post") && !allows(&both, "create_post") && !allows(&both, "delete_post"));
        assert_eq!(both.daily("vote_post", 7).daily_limit("vote_post"), Some(3));
        // Adding to what lets everything through takes nothing away.
        assert!(allows(&Policy::new().write().allow("get_post"), "delete_post"));
    }

    #[test]
    fn a_budget_alone_lets_nothing_through() {
        let policy = Policy::read_only().daily("create_comment", 5);
        let comment = registry::find("create_comment").unwrap();
        assert_eq!(policy.check(comment, 0).unwrap_err().as_str(), "access");
        let policy = policy.allow("create_comment");
        assert!(policy.check(comment, 4).is_ok());
        let error = Error::from(policy.check(comment, 5).unwrap_err().told_by("/state/x.ledger"));
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("budget")));
        assert!(
            error.message().contains("5 a day") && error.message().contains("/state/x.ledger"),
            "{error}"
        );
        assert_eq!(policy.budgets(), [("create_comment", 5)]);
        assert!(
            Policy::read_only().daily("get_post", 0).check(registry::find("get_post").unwrap(), 0).is_err()
        );
    }

    #[test]
    fn a_request_by_hand_counts_as_remove_unless_it_is_a_get() {
        let raw = |method| Request::raw(method, "/posts").unwrap();
        for policy in [Policy::read_only(), Policy::read_only().write()] {
            assert!(policy.check_request(&raw(Method::GET)).is_ok());
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD] {
                assert!(policy.check_request(&raw(method)).is_err());
            }
        }
        assert!(Policy::new().check_request(&raw(Method::DELETE)).is_ok());
    }

    #[test]
    fn a_name_that_is_not_there_is_told() {
        for policy in [
            Policy::new().allow("creat_post"),
            Policy::new().deny("group:postz"),
            Policy::read_only().daily("group:posts", 3),
            Policy::new().and(Policy::new().deny("x")),
        ] {
            let problem = policy.problem().expect("a problem");
            assert!(problem.is_invalid_argument() && problem.to_string().contains("policy"), "{problem}");
            assert!(!policy.is_unlimited());
        }
        assert!(Policy::new().is_unlimited() && !Policy::read_only().is_unlimited());
    }
}

//! The policy of a command: its flags and the profile must both allow an operation.

use std::{collections::BTreeMap, str::FromStr};

use colony_core::policy::Policy;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Command, ExecArgs, Global, PolicyArgs},
    client,
    failure::Failure,
};

/// A profile's policy settings. An unknown setting is an error: it may be a limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicySettings {
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) read_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) write: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) deny: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) daily: BTreeMap<String, u32>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl PolicySettings {
    /// Returns the policy of these settings. An operation allowed by name is an exception, and implies a rule.
    pub(crate) fn policy(&self) -> Policy {
        let base = match self {
            Self { read_only: true, .. } => Policy::read_only(),
            Self { write: true, .. } => Policy::read_only().write(),
            _ if self.allow.is_empty() => Policy::new(),
            _ => Policy::read_only(),
        };
        let policy = self.allow.iter().fold(base, |policy, name| policy.allow(name));
        let policy = self.deny.iter().fold(policy, |policy, name| policy.deny(name));
        self.daily.iter().fold(policy, |policy, (name, most)| policy.daily(name, *most))
    }
}

/// A daily budget: `create_comment=20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Daily(pub(crate) String, pub(crate) u32);

impl FromStr for Daily {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let budget = text.split_once('=').and_then(|(name, most)| Some((name, most.parse().ok()?)));
        let (name, most) = budget.ok_or("give an operation and a number, like create_comment=20")?;
        Ok(Self(name.to_owned(), most))
    }
}

impl PolicyArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.read_only || !self.allow.is_empty() || !self.deny.is_empty() || !self.daily.is_empty()
    }

    /// Returns the flags as settings.
    pub(crate) fn settings(&self, write: bool) -> PolicySettings {
        PolicySettings {
            read_only: self.read_only,
            write,
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            // Of two budgets for one operation the smaller applies.
            daily: self.daily.iter().fold(BTreeMap::new(), |mut daily, Daily(name, most)| {
                let least = daily.entry(name.clone()).or_insert(*most);
                *least = *most.min(least);
                daily
            }),
        }
    }
}

/// Returns the policy in force: the flags' and the profile's.
pub(crate) fn policy(global: &Global) -> Result<Policy, Failure> {
    known(global.policy.settings(false).policy().and(of_profile(global)?))
}

/// Returns the profile's policy. An unreadable profile is an error, since it may contain a limit, unless it does not
/// matter.
pub(crate) fn of_profile(global: &Global) -> Result<Policy, Failure> {
    let profile = match client::chosen(global) {
        Err(_) if client::does_without_profile(global)? => None,
        chosen => chosen?.profile,
    };
    let settings = profile.and_then(|profile| profile.policy);
    known(settings.map_or_else(Policy::new, |settings| settings.policy()))
}

/// Refuses a policy that names unknown operations.
pub(crate) fn known(policy: Policy) -> Result<Policy, Failure> {
    match policy.problem() {
        Some(problem) => Err(problem.clone().into()),
        None => Ok(policy),
    }
}

/// Refuses the flags where they have no effect.
pub(crate) fn check_flags(global: &Global, command: &Command) -> Result<(), Failure> {
    let takes_them = match command {
        Command::Call(_) | Command::Api(_) | Command::Short(_) => true,
        // For these it selects requests.
        Command::Proxy(_) | Command::Exec(ExecArgs { proxy: true, .. }) => {
            let PolicyArgs { read_only, deny, daily, .. } = &global.policy;
            !read_only && deny.is_empty() && daily.is_empty()
        }
        #[cfg(feature = "mcp")]
        Command::Mcp(_) => true,
        _ => false,
    };
    if takes_them || !global.policy.is_given() {
        return Ok(());
    }
    Err(Failure::usage(
        "--read-only, --allow, --deny and --daily go with call, api, mcp and the short commands; the profile's policy \
         (`colony config set policy.read_only true`) holds for every command",
    ))
}

#[cfg(test)]
mod tests {
    use colony_core::registry;

    use super::*;

    #[test]
    fn settings_become_the_policy_that_they_say() {
        let read = |text: &str| serde_json::from_str::<PolicySettings>(text);
        let allows =
            |text: &str, name: &str| read(text).unwrap().policy().allows(registry::find(name).unwrap());
        for (text, get, create, delete) in [
            ("{}", true, true, true),
            (r#"{"read_only": true}"#, true, false, false),
            (r#"{"write": true}"#, true, true, false),
            (r#"{"write": true, "read_only": true}"#, true, false, false),
            (r#"{"allow": ["delete_post"]}"#, true, false, true),
            (r#"{"write": true, "allow": ["delete_post"]}"#, true, true, true),
            (r#"{"deny": ["delete_post", "get_post"]}"#, false, true, false),
        ] {
            let all = ["get_post", "create_post", "delete_post"].map(|name| allows(text, name));
            assert_eq!(all, [get, create, delete], "{text}");
        }
        assert!(read(r#"{"weekly": {}}"#).is_err());
        assert_eq!(
            read(r#"{"daily": {"dm": 2}}"#).unwrap().policy().problem().is_some(),
            registry::find("dm").is_none()
        );
        assert_eq!("create_post=3".parse(), Ok(Daily("create_post".to_owned(), 3)));
        for text in ["create_post", "create_post=", "create_post=-1", "=x"] {
            assert!(text.parse::<Daily>().is_err(), "{text}");
        }
    }
}

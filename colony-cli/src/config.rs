//! `colony config`: a profile's settings, without its secrets.

use serde_json::{Value, json};

use crate::{
    args::{ConfigCommand, Global},
    client,
    failure::Failure,
    input::tidy,
    output::{Output, text, whole},
    policy::{Daily, PolicySettings},
    profile::Profile,
};

/// The names of the settings.
pub(crate) const NAMES: [&str; 8] = [
    "api_key_command",
    "base_url",
    "output",
    "policy.allow",
    "policy.daily",
    "policy.deny",
    "policy.read_only",
    "policy.write",
];

pub(crate) async fn run(global: &Global, command: ConfigCommand, output: &Output) -> Result<(), Failure> {
    let chosen = client::chosen(global)?;
    let profiles = chosen.profiles()?;
    let profile = chosen.profile.as_ref();
    match command {
        ConfigCommand::Path => {
            let path = profiles.path(&chosen.name);
            if output.json {
                output.value(&json!({"path": path}));
            } else {
                output.line(&path.display().to_string());
            }
        }
        ConfigCommand::List if output.json => {
            let all = NAMES.map(|name| (name.to_owned(), json!(profile.and_then(|it| get(it, name)))));
            output.value(&Value::Object(all.into_iter().collect()));
        }
        ConfigCommand::List => {
            let row = |name: &str| {
                let value = profile.and_then(|profile| get(profile, name));
                vec![name.to_owned(), value.map_or_else(|| "(not set)".to_owned(), |value| plain(&value))]
            };
            output.table(&[whole("setting"), text("value")], NAMES.map(row).to_vec());
        }
        ConfigCommand::Get { name } => {
            let value = profile.and_then(|profile| get(profile, &name));
            match value {
                _ if output.json => output.value(&json!({"name": name, "value": value})),
                Some(value) => output.line(&plain(&value)),
                None => {
                    return Err(Failure::Local(format!("{name} is not set in the profile {}", chosen.name)));
                }
            }
        }
        ConfigCommand::Set { name, value } => {
            let told =
                || output.say(&format!("waiting for another login of the profile {} to end", chosen.name));
            let lock = profiles.lock(&chosen.name, told).await?;
            let known = profiles.read(&chosen.name)?;
            let base_url = colony_core::DEFAULT_BASE_URL.to_owned();
            let mut profile = known.unwrap_or_else(|| Profile::new(base_url));
            set(&mut profile, &name, value)?;
            profiles.write(&lock, &chosen.name, &profile)?;
            if output.json {
                output.value(&json!({"name": name, "value": get(&profile, &name)}));
            } else {
                output.say(&format!("set in the profile {}", chosen.name));
            }
        }
    }
    Ok(())
}

fn get(profile: &Profile, name: &str) -> Option<Value> {
    match name {
        "base_url" => Some(profile.base_url.clone().into()),
        "api_key_command" => profile.api_key_command.clone().map(Value::from),
        _ if name.starts_with(POLICY) => {
            let settings = serde_json::to_value(profile.policy.as_ref()?).ok()?;
            settings.get(&name[POLICY.len()..]).cloned()
        }
        _ => profile.output.clone().map(Value::from),
    }
}

/// Returns a setting as a line.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn set(profile: &mut Profile, name: &str, given: Vec<String>) -> Result<(), Failure> {
    if name == "api_key_command" {
        let is_unset = given.iter().all(String::is_empty);
        profile.api_key_command = (!is_unset).then_some(given);
        return Ok(());
    }
    if let Some(name) = name.strip_prefix(POLICY) {
        return set_policy(profile, name, &given);
    }
    let [value] = &*given else {
        return Err(Failure::usage(format!("{name} takes one value, not {}", given.len())));
    };
    let value = tidy(value);
    if name == "output" {
        if !["table", "json"].contains(&value) {
            return Err(Failure::usage(format!("output is table or json, not {value:?}")));
        }
        profile.output = Some(value.to_owned());
        return Ok(());
    }
    let url: url::Url = value
        .parse()
        .map_err(|error| Failure::usage(format!("base_url: {value:?} is not an address: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(Failure::usage(format!(
            "base_url begins with https:// (or http://), not {}:",
            url.scheme()
        )));
    }
    let value = colony_core::token::cache_path::normalise_base_url(value).to_owned();
    if value != profile.base_url && profile.has_login() {
        return Err(Failure::usage(format!(
            "the profile is logged in at {}, and a login is used at its own service only; log out first, or name another \
             profile with --profile",
            profile.base_url
        )));
    }
    profile.base_url = value;
    Ok(())
}

/// The prefix of policy settings.
const POLICY: &str = "policy.";

fn set_policy(profile: &mut Profile, name: &str, given: &[String]) -> Result<(), Failure> {
    let mut settings = profile.policy.clone().unwrap_or_default();
    let mut words: Vec<String> =
        given.iter().flat_map(|text| text.split(',')).map(|it| tidy(it).to_owned()).collect();
    words.retain(|word| !word.is_empty());
    let switch = || match &*words {
        [] => Ok(false),
        [one] if one == "true" || one == "false" => Ok(one == "true"),
        _ => Err(Failure::usage(format!("policy.{name} is true or false, not {:?}", given.join(" ")))),
    };
    match name {
        "read_only" => settings.read_only = switch()?,
        "write" => settings.write = switch()?,
        "allow" => settings.allow = words,
        "deny" => settings.deny = words,
        _ => {
            let budget = |word: &String| {
                let Daily(name, most) =
                    word.parse().map_err(|why| Failure::usage(format!("policy.daily: {word:?}: {why}")))?;
                Ok((name, most))
            };
            settings.daily = words.iter().map(budget).collect::<Result<_, Failure>>()?;
        }
    }
    if let Some(problem) = settings.policy().problem() {
        return Err(problem.clone().into());
    }
    profile.policy = (settings != PolicySettings::default()).then_some(settings);
    Ok(())
}

/// Returns whether the profile in use asks for JSON. An unreadable profile is reported by the command that needs it.
pub(crate) fn wants_json(global: &Global) -> bool {
    let profile = client::chosen(global).ok().and_then(|chosen| chosen.profile);
    profile.is_some_and(|profile| profile.output.as_deref() == Some("json"))
}

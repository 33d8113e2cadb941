//! `colony auth list` and `colony auth switch`: the profiles, and the one in use.

use serde_json::{Value, json};

use crate::{
    args::Global,
    client,
    failure::Failure,
    output::{Output, text, whole},
    profile::{Profile, Profiles},
};

pub(super) fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let chosen = client::chosen(global)?;
    let profiles = chosen.profiles()?;
    let mut rows = Vec::new();
    for name in profiles.names()? {
        let read = profiles.read(&name);
        let problem = read.as_ref().err().map(|failure| failure.message().to_owned());
        rows.push((name, read.ok().flatten(), problem));
    }
    if output.json {
        let row = |(name, profile, problem): &(String, Option<Profile>, Option<String>)| {
            let (login, kept) = profile.as_ref().map_or((None, None), kind);
            json!({
                "name": name, "current": *name == chosen.name, "login": login, "kept_in": kept,
                "base_url": profile.as_ref().map(|profile| &profile.base_url), "problem": problem,
                "file": profiles.path(name),
            })
        };
        output.value(&rows.iter().map(row).collect::<Vec<Value>>().into());
        return Ok(());
    }
    if rows.is_empty() {
        output.say("there are no profiles yet; `colony auth login` makes one");
        return Ok(());
    }
    let rows = rows.into_iter().map(|(name, profile, problem)| {
        let mark = if name == chosen.name { "*" } else { "" };
        let (login, kept) = profile.as_ref().map_or((None, None), kind);
        let login = match (login, kept) {
            (Some(login), Some(kept)) => format!("{login}, {kept}"),
            (Some(login), None) => login.to_owned(),
            (None, _) => problem.unwrap_or_else(|| "logged out".to_owned()),
        };
        vec![mark.to_owned(), name, profile.map_or_else(String::new, |profile| profile.base_url), login]
    });
    output.table(&[whole(""), whole("profile"), whole("server"), text("login")], rows.collect());
    Ok(())
}

/// Returns the kind of a profile's login, and where it is kept.
fn kind(profile: &Profile) -> (Option<&'static str>, Option<String>) {
    match profile {
        profile if profile.api_key_command.is_some() => (Some("api_key_command"), None),
        Profile { api_key: Some(storage), .. } => (Some("api_key"), Some(storage.to_string())),
        Profile { openid: Some(login), .. } => (Some("openid"), Some(login.storage.to_string())),
        _ => (None, None),
    }
}

/// Makes a profile the default.
pub(super) fn switch(name: &str, output: &Output) -> Result<(), Failure> {
    let profiles = Profiles::from_environment()?;
    if profiles.read(name)?.is_none() {
        let known = profiles.names()?.join(", ");
        return Err(Failure::usage(format!("there is no profile {name:?} (known: {known})")));
    }
    profiles.make_current(name)?;
    let hidden = ["COLONY_API_KEY", "COLONY_PROFILE"]
        .into_iter()
        .find(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()));
    if output.json {
        output.value(&json!({"current": name, "hidden_by": hidden}));
        return Ok(());
    }
    output.say(&format!("commands use the profile {name} from now on"));
    if let Some(variable) = hidden {
        output.say(&format!("{variable} is set and goes before it: unset {variable}"));
    }
    Ok(())
}

//! `colony open`: an address on the site, opened in a browser if there is a terminal.

use std::{
    io::IsTerminal as _,
    process::{Command, Stdio},
};

use colony_core::base_url::site_root;

use crate::{args::Global, client, failure::Failure, input::tidy, output::Output};

pub(crate) fn run(global: &Global, target: Option<&str>, output: &Output) -> Result<(), Failure> {
    let url = address(site_root(&client::base_url(global)?), target)?;
    if output.json {
        output.value(&serde_json::json!({"url": url}));
    } else {
        output.line(&url);
    }
    if std::io::stdout().is_terminal() && !output.json {
        start(&url).map_err(|error| Failure::Local(format!("no browser could be started: {error}")))?;
    }
    Ok(())
}

/// Returns an address: `@name` is a user, an address of the site stays as it is, anything else is a post's id.
fn address(site: &str, target: Option<&str>) -> Result<String, Failure> {
    let site = site.trim_end_matches('/');
    let target = tidy(target.unwrap_or_default());
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    match target.strip_prefix('@') {
        _ if target.is_empty() => Ok(site.to_owned()),
        Some(name) if word(name) => Ok(format!("{site}/u/{name}")),
        None if target == site || target.starts_with(&format!("{site}/")) => Ok(target.to_owned()),
        None if word(target) => Ok(format!("{site}/post/{target}")),
        _ => Err(Failure::usage(format!(
            "{target:?} is not the id of a post, @NAME of a user, or an address on {site}"
        ))),
    }
}

/// Starts the browser of this machine's desktop. Call this only for something that a person asked to open.
pub(crate) fn start(url: &str) -> std::io::Result<()> {
    let mut command = if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/C", "start", ""]);
        command
    } else {
        Command::new(if cfg!(target_os = "macos") { "open" } else { "xdg-open" })
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_addresses_of_the_site_are_opened() {
        let found = |target| address("https://thecolony.ai/", target).ok();
        assert_eq!(found(None).as_deref(), Some("https://thecolony.ai"));
        assert_eq!(found(Some("@ada")).as_deref(), Some("https://thecolony.ai/u/ada"));
        assert_eq!(found(Some(" p-1 ")).as_deref(), Some("https://thecolony.ai/post/p-1"));
        assert_eq!(
            found(Some("https://thecolony.ai/c/findings")).as_deref(),
            Some("https://thecolony.ai/c/findings")
        );
        for other in [
            "https://example.org/",
            "https://thecolony.ai.example.org/",
            "@a/b",
            "file:///etc",
            "a b",
            "-x y",
        ] {
            assert_eq!(found(Some(other)), None, "{other}");
        }
    }
}

//! Failures on demand: rules that make the next calls of a route fail.

use std::fmt;
use std::str::FromStr;

/// Makes calls of one route fail.
///
/// Written `[METHOD ]PATH=STATUS[xCOUNT][;retry-after=SECONDS][;after-acting]`. PATH is below the API's
/// base: a route template (`/posts/{post_id}`) or one address (`/posts/2e549d01-…`); or it is an address of
/// the OpenID provider at the site's root (`/oauth/token`, or `/oauth/token#refresh_token` for one grant:
/// `refresh_token`, `token-exchange`, `device_code` or `authorization_code`). Without a method every method
/// matches; without a count every call fails. `after-acting` carries the call out and loses the answer.
///
/// ```
/// use colony_cli::sandbox::FailRule;
///
/// let rule: FailRule = "POST /auth/token=503x3;retry-after=5".parse()?;
/// assert_eq!(rule.to_string(), "POST /auth/token=503x3;retry-after=5");
/// # Ok::<(), colony_cli::sandbox::ParseFailRuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailRule {
    method: Option<String>,
    path: String,
    status: u16,
    /// `None`: without end.
    left: Option<u32>,
    retry_after: Option<u64>,
    after_acting: bool,
}

/// A text that is not a [`FailRule`], with what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailRuleError(&'static str);

impl fmt::Display for ParseFailRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; write it as `[METHOD ]/path=STATUS[xCOUNT][;retry-after=SECONDS][;after-acting]`",
            self.0
        )
    }
}

impl std::error::Error for ParseFailRuleError {}

impl FromStr for FailRule {
    type Err = ParseFailRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = ParseFailRuleError;
        let mut parts = text.trim().split(';');
        let rule = parts.next().unwrap_or_default();
        let (target, outcome) = rule.rsplit_once('=').ok_or(wrong("there is no `=`"))?;
        let target = target.trim();
        let (method, path) = match target.split_once(char::is_whitespace) {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path.trim()),
            None => (None, target),
        };
        if let Some(method) = &method
            && !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str())
        {
            return Err(wrong("the method is not one of GET, POST, PUT, PATCH, DELETE"));
        }
        let path = path.strip_prefix(super::API_PATH).unwrap_or(path);
        if !path.starts_with('/') || path.contains(char::is_whitespace) {
            return Err(wrong("the path does not begin with `/`"));
        }
        let (status, left) = match outcome.trim().split_once(['x', 'X']) {
            Some((status, count)) => {
                let count = count.parse().map_err(|_| wrong("the count is not a number"))?;
                (status, Some(count))
            }
            None => (outcome.trim(), None),
        };
        let status: u16 = status.parse().map_err(|_| wrong("the status is not a number"))?;
        if !(400..=599).contains(&status) {
            return Err(wrong("the status is not between 400 and 599"));
        }
        let (mut retry_after, mut after_acting) = (None, false);
        for part in parts {
            if part.trim() == "after-acting" {
                after_acting = true;
                continue;
            }
            let value = part.trim().strip_prefix("retry-after=");
            let value = value.ok_or(wrong("only `;retry-after=` and `;after-acting` may follow"))?;
            retry_after = Some(value.trim().parse().map_err(|_| wrong("retry-after is not whole seconds"))?);
        }
        Ok(Self { method, path: path.to_owned(), status, left, retry_after, after_acting })
    }
}

impl fmt::Display for FailRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        write!(f, "{}={}", self.path, self.status)?;
        if let Some(left) = self.left {
            write!(f, "x{left}")?;
        }
        if let Some(seconds) = self.retry_after {
            write!(f, ";retry-after={seconds}")?;
        }
        if self.after_acting {
            f.write_str(";after-acting")?;
        }
        Ok(())
    }
}

impl FailRule {
    fn matches(&self, method: &str, template: &str, path: &str) -> bool {
        self.left != Some(0)
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
            && (self.path == template || self.path == path)
    }
}

/// A failure that a rule calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    /// Whether the call is carried out first.
    pub(crate) after_acting: bool,
}

/// Uses up one count of the first rule that matches a call.
pub(crate) fn take(rules: &mut [FailRule], method: &str, template: &str, path: &str) -> Option<Failure> {
    let rule = rules.iter_mut().find(|rule| rule.matches(method, template, path))?;
    if let Some(left) = &mut rule.left {
        *left -= 1;
    }
    Some(Failure { status: rule.status, retry_after: rule.retry_after, after_acting: rule.after_acting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_used_up() {
        let mut rules: Vec<FailRule> = ["/auth/token=503x2", "GET /posts/{post_id}=429;retry-after=5"]
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let mut ask = |method, template, path| take(&mut rules, method, template, path);
        let busy = Some(Failure { status: 503, retry_after: None, after_acting: false });
        assert_eq!(ask("POST", "/auth/token", "/auth/token"), busy);
        assert_eq!(ask("POST", "/auth/token", "/auth/token"), busy);
        assert_eq!(ask("POST", "/auth/token", "/auth/token"), None);
        let limited = Some(Failure { status: 429, retry_after: Some(5), after_acting: false });
        for _ in 0..3 {
            assert_eq!(ask("GET", "/posts/{post_id}", "/posts/x"), limited);
        }
        assert_eq!(ask("DELETE", "/posts/{post_id}", "/posts/x"), None);
    }

    #[test]
    fn a_rule_can_name_one_address_and_the_whole_path() {
        let rule: Result<FailRule, _> = "/api/v1/posts/abc=500x1".parse();
        let mut rules = vec![rule.unwrap_or_else(|error| panic!("{error}"))];
        assert!(take(&mut rules, "GET", "/posts/{post_id}", "/posts/abd").is_none());
        assert!(take(&mut rules, "GET", "/posts/{post_id}", "/posts/abc").is_some());
    }

    #[test]
    fn a_rule_can_name_one_grant_and_lose_only_the_answer() {
        let text = "POST /oauth/token#refresh_token=502x1;after-acting";
        let rule: FailRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), text);
        let mut rules = vec![rule];
        let mut ask = |path| take(&mut rules, "POST", "/oauth/token", path);
        assert_eq!(ask("/oauth/token#token-exchange"), None);
        assert!(ask("/oauth/token#refresh_token").is_some_and(|failure| failure.after_acting));
        assert_eq!(ask("/oauth/token#refresh_token"), None);
    }

    #[test]
    fn mistakes_are_named() {
        for bad in [
            "",
            "/posts",
            "posts=503",
            "/posts=abc",
            "/posts=200",
            "/posts=503xmany",
            "/posts=503x-1",
            "FETCH /posts=503",
            "/posts=503;after=2",
            "/posts=503;retry-after=soon",
        ] {
            assert!(bad.parse::<FailRule>().is_err(), "{bad}");
        }
    }
}

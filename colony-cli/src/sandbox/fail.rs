//! Failures on demand: rules that make the next calls of a route fail.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Makes calls of one route fail or wait.
///
/// Written `[METHOD ]PATH=STATUS[xCOUNT][;retry-after=SECONDS][;after-acting][;delay=SECONDS]`.
///
/// - PATH is below the API's base: a route template (`/posts/{post_id}`) or one address (`/posts/2e549d01-…`); or it
///   is an address of the OpenID provider at the site's root (`/oauth/token`, or `/oauth/token#refresh_token` for one
///   grant: `refresh_token`, `token-exchange`, `device_code` or `authorization_code`). Without a method, the rule
///   matches every method.
/// - STATUS is 400 to 599, or `ok`: the call succeeds, which is useful with a delay.
/// - Without a count the rule applies to every call.
/// - `after-acting` performs the call and drops the reply.
/// - `delay` holds the reply back; a call that is to be performed is performed first. Until then its idempotency key
///   is in use, and a repetition under it fails with 409 `idempotency_in_progress`.
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
    /// `None` if the call succeeds.
    status: Option<u16>,
    /// The number of calls left; `None` for unlimited.
    left: Option<u32>,
    retry_after: Option<u64>,
    after_acting: bool,
    delay: Duration,
}

/// The error for text that is not a valid [`FailRule`], with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailRuleError(&'static str);

impl fmt::Display for ParseFailRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; write it as `[METHOD ]/path=STATUS[xCOUNT][;retry-after=SECONDS][;after-acting][;delay=SECONDS]`",
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
        let outcome = outcome.trim();
        let (status, left) = match outcome.split_once(['x', 'X']) {
            Some((status, count)) => {
                let count = count.parse().map_err(|_| wrong("the count is not a number"))?;
                (status, Some(count))
            }
            None => (outcome, None),
        };
        let status = match status {
            "ok" => None,
            number => Some(number.parse().map_err(|_| wrong("the status is neither a number nor `ok`"))?),
        };
        if status.is_some_and(|status| !(400..=599).contains(&status)) {
            return Err(wrong("the status is not between 400 and 599"));
        }
        let mut rule = Self {
            method,
            path: path.to_owned(),
            status,
            left,
            retry_after: None,
            after_acting: false,
            delay: Duration::ZERO,
        };
        for part in parts {
            match part.trim().split_once('=').unwrap_or((part.trim(), "")) {
                ("after-acting", "") => rule.after_acting = true,
                ("retry-after", value) => {
                    let seconds = value.trim().parse();
                    rule.retry_after = Some(seconds.map_err(|_| wrong("retry-after is not whole seconds"))?);
                }
                ("delay", value) => {
                    let delay =
                        value.trim().parse().ok().and_then(|secs| Duration::try_from_secs_f64(secs).ok());
                    rule.delay = delay.ok_or(wrong("delay is not a number of seconds"))?;
                }
                _ => return Err(wrong("only `;retry-after=`, `;after-acting` and `;delay=` may follow")),
            }
        }
        Ok(rule)
    }
}

impl fmt::Display for FailRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        match self.status {
            Some(status) => write!(f, "{}={status}", self.path)?,
            None => write!(f, "{}=ok", self.path)?,
        }
        if let Some(left) = self.left {
            write!(f, "x{left}")?;
        }
        if let Some(seconds) = self.retry_after {
            write!(f, ";retry-after={seconds}")?;
        }
        if self.after_acting {
            f.write_str(";after-acting")?;
        }
        if !self.delay.is_zero() {
            write!(f, ";delay={}", self.delay.as_secs_f64())?;
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

/// The effect of a rule on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effect {
    /// How the call fails, and whether it acts first. `None` if it succeeds.
    pub(crate) failure: Option<Failure>,
    /// How long the reply is held back.
    pub(crate) delay: Duration,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    /// Whether the call is performed first.
    pub(crate) after_acting: bool,
}

/// Uses up one count of the first rule that matches a call.
pub(crate) fn take(rules: &mut [FailRule], method: &str, template: &str, path: &str) -> Effect {
    let Some(rule) = rules.iter_mut().find(|rule| rule.matches(method, template, path)) else {
        return Effect::default();
    };
    if let Some(left) = &mut rule.left {
        *left -= 1;
    }
    let failure = rule.status.map(|status| Failure {
        status,
        retry_after: rule.retry_after,
        after_acting: rule.after_acting,
    });
    Effect { failure, delay: rule.delay }
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
        let mut ask = |method, template, path| take(&mut rules, method, template, path).failure;
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
        assert_eq!(take(&mut rules, "GET", "/posts/{post_id}", "/posts/abd"), Effect::default());
        assert!(take(&mut rules, "GET", "/posts/{post_id}", "/posts/abc").failure.is_some());
    }

    #[test]
    fn a_rule_can_hold_an_answer_back() {
        let text = "POST /posts=okx1;delay=1.5";
        let rule: FailRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), text);
        let held = Effect { failure: None, delay: Duration::from_millis(1500) };
        assert_eq!(take(&mut [rule], "POST", "/posts", "/posts"), held);
    }

    #[test]
    fn a_rule_can_name_one_grant_and_lose_only_the_answer() {
        let text = "POST /oauth/token#refresh_token=502x1;after-acting";
        let rule: FailRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), text);
        let mut rules = vec![rule];
        let mut ask = |path| take(&mut rules, "POST", "/oauth/token", path).failure;
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
            "/posts=ok;delay=-1",
            "/posts=ok;delay=soon",
            "/posts=fine",
        ] {
            assert!(bad.parse::<FailRule>().is_err(), "{bad}");
        }
    }
}

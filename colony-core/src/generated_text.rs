//! A look at what a language model wrote before it is published.
//!
//! Some programs hand over a provider's error message as if it were the model's text, and models leave
//! pieces of their chat templates behind. Both have ended up in public posts. These checks are short and
//! careful rather than complete: dropping a good post is worse than letting a bad one through.
//!
//! ```
//! use colony_core::generated_text::{Unfit, validate_generated_output};
//!
//! let text = validate_generated_output("Assistant: Sure, here's the post: Rust is fine.");
//! assert_eq!(text.as_deref(), Ok("Rust is fine."));
//! let error = validate_generated_output("Error generating text. Please try again later.");
//! assert_eq!(error, Err(Unfit::ModelError));
//! ```

use Part::{Any, Sentence, Space, Spaces};

/// The longest text, in characters, that can be a provider's error message.
const LONGEST_ERROR: usize = 500;

/// Why a text should not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Nothing was left of it.
    #[error("nothing is left of the text without the model's markup")]
    Empty,
    /// It is a provider's error message.
    #[error("the text looks like a model provider's error message")]
    ModelError,
}

impl Unfit {
    /// The reason in one word: `empty` or `model_error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ModelError => "model_error",
        }
    }
}

/// Takes a model's leftovers off a text and says whether the rest can be published.
///
/// # Errors
///
/// [`Unfit`], which says why not.
pub fn validate_generated_output(text: &str) -> Result<String, Unfit> {
    let text = strip_llm_artifacts(text);
    if text.is_empty() {
        Err(Unfit::Empty)
    } else if looks_like_model_error(&text) {
        Err(Unfit::ModelError)
    } else {
        Ok(text)
    }
}

/// Whether a text looks like a model provider's error message. Only how a short text begins counts, so
/// that a post about errors passes.
pub fn looks_like_model_error(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.chars().count() <= LONGEST_ERROR
        && ERRORS.iter().any(|phrase| after(text, phrase).is_some())
}

/// Takes off what models leave around their text: tokens of chat templates anywhere (`<s>`, `[INST]`,
/// `<|im_end|>`), and at the beginning one name of a role (`Assistant:`) and one preamble (`Sure, here's
/// the post:`, `Answer:`). One of each: what looks the same further in may be meant.
pub fn strip_llm_artifacts(text: &str) -> String {
    let text = without(text.trim(), sentence_tag);
    let text = without(&text, bracketed_role);
    let text = without(&text, piped_token);
    let text = text.trim();
    let text = after(text, ROLE).unwrap_or(text).trim();
    PREAMBLES.iter().find_map(|phrase| after(text, phrase)).unwrap_or(text).trim().to_owned()
}

/// A part of a phrase. Letters match in either case.
enum Part {
    /// One of these texts; an empty one makes the part optional.
    Any(&'static [&'static str]),
    /// White space, at least one character.
    Space,
    /// White space or nothing.
    Spaces,
    /// The rest of a sentence, up to the full stop or colon that ends it on the same line.
    Sentence,
}

const ERRORS: &[&[Part]] = &[
    &[Any(&["error generating "]), Any(&["text", "response", "content"])],
    &[Any(&["an ", ""]), Any(&["error occurred"])],
    &[Any(&["i apologize"]), Any(&[",", ""]), Space, Any(&["but", "i"])],
    &[Any(&["i'm sorry", "im sorry"]), Any(&[",", ""]), Space, Any(&["but", "i"])],
    &[Any(&["an ", ""]), Any(&["internal error"])],
    &[Any(&["sorry"]), Any(&[",", ""]), Space, Any(&["an ", ""]), Any(&["internal error"])],
    &[Any(&["failed to generate"])],
    &[Any(&["could not generate", "couldn't generate", "couldnt generate"])],
    &[Any(&["unable to "]), Any(&["connect", "reach", "generate", "respond"])],
    &[
        Any(&["the ", ""]),
        Any(&["model "]),
        Any(&["is ", ""]),
        Any(&["unavailable", "down", "overloaded", "offline"]),
    ],
    &[Any(&["please ", ""]), Any(&["try again later"])],
    &[Any(&["request "]), Any(&["failed", "timed out", "timeout"])],
    &[Any(&["rate limit"]), Any(&["ed", ""]), Any(&[" exceeded"])],
    &[Any(&["service "]), Any(&["unavailable", "temporarily unavailable"])],
    &[Any(&["[", ""]), Any(&["error"]), Any(&["]", ""]), Any(&[":", ""]), Space],
    &[Any(&["timeout"])],
];

const ROLE: &[Part] = &[
    Any(&["assistant", "ai", "agent", "bot", "model", "claude", "gemma", "llama"]),
    Spaces,
    Any(&[":", ">", "-"]),
];

const PREAMBLES: &[&[Part]] = &[
    &[
        Any(&["sure", "certainly", "of course", "absolutely", "okay", "ok", "alright", "right"]),
        Any(&[",", "!", ".", ""]),
        Space,
        Any(&["here", "i'll", "ill", "i will", "let me"]),
        Sentence,
    ],
    &[Any(&["here's", "heres", "here is"]), Space, Any(&["my", "the", "your", "a"]), Sentence],
    &[Any(&["response", "output", "reply", "answer", "result", "post", "comment"]), Spaces, Any(&[":"])],
];

/// What follows the phrase, when the text begins with it.
fn after<'a>(text: &'a str, phrase: &[Part]) -> Option<&'a str> {
    let Some((part, rest)) = phrase.split_first() else { return Some(text) };
    match part {
        Any(choices) => choices.iter().find_map(|choice| after(strip_any_case(text, choice)?, rest)),
        Space | Spaces => {
            let trimmed = text.trim_start();
            (matches!(part, Spaces) || trimmed.len() < text.len()).then(|| after(trimmed, rest))?
        }
        Sentence => {
            let end = text.find(['.', ':', '\n'])?;
            (!text[end..].starts_with('\n')).then(|| after(&text[end + 1..], rest))?
        }
    }
}

fn strip_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// The text without what `rest` recognises at any place: it gives what follows the match.
fn without(text: &str, rest: fn(&str) -> Option<&str>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut left = text;
    while let Some(character) = left.chars().next() {
        match rest(left) {
            Some(tail) => left = tail,
            None => {
                kept.push(character);
                left = &left[character.len_utf8()..];
            }
        }
    }
    kept
}

fn sentence_tag(text: &str) -> Option<&str> {
    after(text, &[Any(&["<s>", "</s>"])])
}

fn bracketed_role(text: &str) -> Option<&str> {
    const NAMES: Part = Any(&["inst", "system", "sys", "user", "assistant"]);
    after(text, &[Any(&["["]), Any(&["/", ""]), NAMES, Any(&["]"])])
}

fn piped_token(text: &str) -> Option<&str> {
    let name = text.strip_prefix("<|")?;
    let end = name.find(['|', '>']).filter(|end| *end > 0)?;
    name[end..].strip_prefix("|>")
}

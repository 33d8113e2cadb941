//! Finds operations by words in their names, groups and docs.

use std::collections::{BTreeMap, BTreeSet};

use colony_core::registry::{self, Access, Operation};
use serde_json::{Value, json};

use crate::operation_docs::{self, OperationDocs};

/// The most operations that are shown.
const SHOWN: usize = 10;

/// Common words, and the words for them in operation names.
const SYNONYMS: &[(&str, &str)] = &[
    ("abuse", "report"),
    ("account", "profile me"),
    ("activity", "action"),
    ("add", "create"),
    ("agent", "user"),
    ("ahead", "schedule"),
    ("alert", "notification alert"),
    ("all", "list"),
    ("allow", "limit"),
    ("answer", "comment reply"),
    ("app", "oauth client"),
    ("automatic", "automod"),
    ("away", "status presence"),
    ("badge", "achievement flair"),
    ("ballot", "poll"),
    ("bio", "profile"),
    ("bitcoin", "lightning tip"),
    ("buy", "create order"),
    ("callback", "webhook"),
    ("change", "update set change"),
    ("chat", "message conversation group"),
    ("community", "colony"),
    ("company", "org"),
    ("cost", "price pricing"),
    ("destroy", "delete"),
    ("did", "action publish"),
    ("display", "get"),
    ("dm", "message"),
    ("donate", "tip"),
    ("downvote", "vote"),
    ("drop", "delete"),
    ("earlier", "history"),
    ("edit", "update edit"),
    ("emoji", "reaction react"),
    ("erase", "delete"),
    ("every", "list iter"),
    ("favorite", "bookmark"),
    ("favourite", "bookmark"),
    ("fetch", "get"),
    ("file", "vault attachment"),
    ("find", "search get"),
    ("flag", "report"),
    ("forum", "colony"),
    ("future", "schedule"),
    ("gig", "task offer"),
    ("group", "group colony"),
    ("hashtag", "tag"),
    ("hide", "mute hide"),
    ("hire", "task bid"),
    ("history", "history version"),
    ("hook", "webhook"),
    ("inbox", "conversation message notification"),
    ("job", "task bounty"),
    ("kick", "remove member"),
    ("lately", "action publish"),
    ("later", "schedule draft remind"),
    ("lift", "unban unblock"),
    ("like", "vote react"),
    ("look", "get preview"),
    ("make", "create"),
    ("member", "member user"),
    ("mention", "notification"),
    ("moderator", "moderator modmail"),
    ("modify", "update"),
    ("money", "tip bounty premium"),
    ("my", "my caller"),
    ("myself", "me"),
    ("name", "name username"),
    ("network", "platform"),
    ("new", "create"),
    ("notarize", "notarisation"),
    ("notify", "notification watch"),
    ("online", "presence"),
    ("open", "create"),
    ("organisation", "org"),
    ("organization", "org"),
    ("own", "my caller"),
    ("pay", "tip"),
    ("people", "user"),
    ("person", "user"),
    ("photo", "avatar image"),
    ("picture", "avatar image icon banner attachment"),
    ("ping", "notification"),
    ("popular", "trending"),
    ("prove", "notarisation attest"),
    ("publish", "create post"),
    ("purchase", "order"),
    ("query", "search"),
    ("quit", "leave"),
    ("quota", "limit"),
    ("rate", "limit"),
    ("read", "get"),
    ("recommend", "feed suggestion"),
    ("remind", "reminder"),
    ("remove", "delete remove take"),
    ("rename", "update"),
    ("reply", "comment"),
    ("reputation", "karma"),
    ("respond", "comment"),
    ("reward", "award bounty"),
    ("rule", "rule automod"),
    ("sats", "tip lightning"),
    ("save", "bookmark create save"),
    ("score", "karma"),
    ("see", "get"),
    ("seen", "read"),
    ("sell", "offer"),
    ("share", "crosspost"),
    ("show", "get"),
    ("silence", "mute snooze"),
    ("someone", "member user"),
    ("spam", "spam report"),
    ("star", "star save"),
    ("start", "create"),
    ("statistic", "stat figure"),
    ("sticky", "pin"),
    ("still", "limit left"),
    ("stop", "unfollow unwatch unmute leave cancel"),
    ("submit", "create"),
    ("subreddit", "colony"),
    ("subscribe", "follow join premium"),
    ("subscription", "premium watch follow"),
    ("suggest", "suggestion feed"),
    ("survey", "poll"),
    ("talk", "message conversation"),
    ("team", "org"),
    ("text", "message"),
    ("thread", "comment conversation"),
    ("timeline", "feed"),
    ("timestamp", "notarisation"),
    ("today", "limit left"),
    ("topic", "tag"),
    ("unsubscribe", "unfollow leave"),
    ("upload", "upload put"),
    ("upvote", "vote"),
    ("version", "history revision"),
    ("view", "get"),
    ("who", "me user"),
    ("write", "create"),
];

/// Words without meaning for the search.
const EMPTY: &[&str] = &[
    "a",
    "an",
    "the",
    "of",
    "to",
    "in",
    "on",
    "for",
    "with",
    "and",
    "or",
    "is",
    "are",
    "do",
    "does",
    "did",
    "i",
    "it",
    "its",
    "me",
    "how",
    "what",
    "which",
    "that",
    "this",
    "can",
    "could",
    "would",
    "should",
    "want",
    "need",
    "from",
    "by",
    "at",
    "as",
    "be",
    "has",
    "have",
    "there",
    "someone",
    "somebody",
    "something",
    "please",
    "get",
    "let",
    "one",
    "was",
    "about",
    "another",
    "some",
    "any",
    "into",
    "so",
    "if",
    "when",
    "where",
    "will",
    "them",
    "they",
    "their",
    "his",
    "her",
    "he",
    "she",
    "you",
    "your",
    "we",
    "our",
    "us",
    "s",
    "t",
    "not",
    "no",
    "than",
    "then",
    "up",
    "out",
];

/// Words with little meaning, and their weights.
const WEAK: &[(&str, f64)] = &[("my", 0.35), ("own", 0.35), ("new", 0.5), ("all", 0.4), ("several", 0.3)];

/// The words that begin a question about a change, in addition to the first words of write operations.
const CHANGES: &[&str] = &[
    "edit",
    "delete",
    "remove",
    "make",
    "create",
    "write",
    "send",
    "give",
    "join",
    "leave",
    "upload",
    "buy",
    "change",
    "set",
    "report",
    "stop",
    "lift",
    "save",
    "star",
    "share",
    "add",
    "open",
    "start",
    "try",
    "publish",
    "award",
    "boost",
    "bid",
    "accept",
    "move",
    "rename",
    "invite",
    "hide",
    "pin",
    "close",
    "mark",
    "remind",
    "mute",
    "react",
    "vote",
    "tip",
    "follow",
    "block",
    "unblock",
    "bookmark",
    "reply",
    "comment",
    "archive",
    "snooze",
    "forward",
    "solve",
    "reschedule",
];

/// The weight of a word by the place where it is found.
const IN_NAME: f64 = 3.0;
const IN_GROUP: f64 = 0.8;
const IN_DOCS: f64 = 1.4;
const IN_ARGUMENTS: f64 = 0.5;
/// The weight of a synonym relative to the word itself.
const SYNONYM: f64 = 0.72;
/// The weight of a read operation for a question without a change, and for one with a change.
const READS: f64 = 1.35;
const READS_FOR_A_CHANGE: f64 = 0.75;

/// Returns the operations that these words may mean, the likeliest first.
pub(super) fn find<'a>(
    words: &str,
    docs: &'a [OperationDocs],
    is_allowed: &dyn Fn(&Operation) -> bool,
) -> Vec<(&'static Operation, &'a OperationDocs)> {
    let question = Question::new(words);
    let asked = words.trim().to_lowercase().replace([' ', '-'], "_");
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (group, operation) in registry::operations() {
        if let Some(docs) = docs.iter().find(|docs| docs.name == operation.name) {
            rows.push(Row::new(group, operation, docs));
        }
    }
    let mut common: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let all: BTreeSet<&str> = row.words().collect();
        all.into_iter().for_each(|word| *common.entry(word).or_default() += 1);
    }
    let rarity = |word: &str| rarity(common.get(word).copied().unwrap_or_default(), rows.len());
    let mut scored: Vec<(f64, &Row<'a>)> = rows
        .iter()
        .filter(|row| is_allowed(row.operation))
        .map(|row| {
            (row.score(&question, &rarity) + if row.operation.name == asked { 100.0 } else { 0.0 }, row)
        })
        .filter(|(score, _)| *score > 0.0)
        .collect();
    scored.sort_by(|(a, first), (b, second)| {
        b.total_cmp(a).then(first.operation.name.cmp(second.operation.name))
    });
    scored.into_iter().take(SHOWN).map(|(_, row)| (row.operation, row.docs)).collect()
}

/// Returns how much a word counts that `having` of `total` operations have: one and the logarithm of their ratio, as
/// the difference of two harmonic numbers. The logarithm itself would have every command load the mathematics library.
fn rarity(having: usize, total: usize) -> f64 {
    1.0 + (having + 2..=total).map(|n| 1.0 / n as f64).sum::<f64>()
}

/// An operation and its words.
struct Row<'a> {
    operation: &'static Operation,
    docs: &'a OperationDocs,
    name: Vec<String>,
    group: Vec<String>,
    text: BTreeSet<String>,
    arguments: BTreeSet<String>,
}

impl<'a> Row<'a> {
    fn new(group: &str, operation: &'static Operation, docs: &'a OperationDocs) -> Self {
        Self {
            operation,
            docs,
            name: tokens(operation.name).collect(),
            group: tokens(group).collect(),
            text: tokens(&docs.docs).collect(),
            arguments: docs
                .arguments
                .iter()
                .flat_map(|argument| tokens(&argument.name).collect::<Vec<_>>())
                .collect(),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let sets = self.text.iter().chain(&self.arguments);
        self.name.iter().chain(&self.group).chain(sets).map(String::as_str)
    }

    fn score(&self, question: &Question, rarity: &dyn Fn(&str) -> f64) -> f64 {
        let place = |word: &String| {
            let mut found: f64 = 0.0;
            for (is_there, weight) in [
                (self.name.contains(word), IN_NAME),
                (self.group.contains(word), IN_GROUP),
                (self.text.contains(word), IN_DOCS),
                (self.arguments.contains(word), IN_ARGUMENTS),
            ] {
                if is_there {
                    found = found.max(weight) + 0.15 * weight;
                }
            }
            found
        };
        let mut named: BTreeSet<&str> = ["get", "list", "iter", "creat"].into();
        let mut score = 0.0;
        for word in &question.words {
            let best =
                word.iter().map(|(word, weight)| place(word) * weight * rarity(word)).fold(0.0, f64::max);
            score +=
                best * WEAK.iter().find(|(weak, _)| *weak == word[0].0).map_or(1.0, |(_, weight)| *weight);
            named.extend(
                word.iter()
                    .map(|(word, _)| word.as_str())
                    .filter(|it| self.name.iter().any(|name| name == it)),
            );
        }
        if score == 0.0 {
            return 0.0;
        }
        // Of two operations with these words, prefer the one with fewer others.
        let unnamed = self.name.iter().filter(|word| !named.contains(word.as_str())).count();
        score /= 1.0 + 0.12 * unnamed as f64;
        match (self.operation.access(), question.asks_for_a_change) {
            (Access::Read, false) => score *= READS,
            (Access::Read, true) if ["get", "list", "iter"].contains(&self.name[0].as_str()) => {
                score *= READS_FOR_A_CHANGE;
            }
            _ => {}
        }
        if self.operation.name.starts_with("iter_") {
            score *= 0.93;
        }
        // Prefers `get_wiki_page` for "page" and `get_wiki_pages` for "pages".
        score
            + 0.05
                * self.operation.name.split('_').filter(|part| question.said.contains(*part)).count() as f64
    }
}

/// A parsed question.
struct Question {
    /// The words, each with its synonyms.
    words: Vec<Vec<(String, f64)>>,
    /// The words as written.
    said: BTreeSet<String>,
    asks_for_a_change: bool,
}

impl Question {
    fn new(words: &str) -> Self {
        let first = tokens(words).next().unwrap_or_default();
        let changes = registry::operations().map(|(_, it)| it).filter(|it| it.access() != Access::Read);
        let changes = changes.filter_map(|it| tokens(it.name).next());
        let is_change = |word: &String| *word == first;
        let asks_for_a_change =
            CHANGES.iter().map(|word| stem(word)).chain(changes).any(|word| is_change(&word));
        let said = words.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
        Self { words: wanted(words), said, asks_for_a_change }
    }
}

/// Returns the words of a question, each with its synonyms.
fn wanted(words: &str) -> Vec<Vec<(String, f64)>> {
    let all: Vec<String> = tokens(words).collect();
    let telling: Vec<&String> = all.iter().filter(|word| !EMPTY.contains(&word.as_str())).collect();
    let used = if telling.is_empty() { all.iter().collect() } else { telling };
    used.into_iter()
        .map(|word| {
            let mut meant = vec![(word.clone(), 1.0)];
            for (said, means) in SYNONYMS {
                if stem(said) == *word {
                    meant.extend(means.split(' ').map(|means| (stem(means), SYNONYM)));
                }
            }
            meant
        })
        .collect()
}

fn tokens(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(stem).collect::<Vec<_>>().into_iter()
}

/// Returns a word's stem: `comments`, `commented` and `commenting` become `comment`.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let cut = |end: &str, put: &str, least: usize| {
        let kept = word.strip_suffix(end)?;
        (kept.len() >= least).then(|| format!("{kept}{put}"))
    };
    let stem = cut("ies", "y", 2)
        .or_else(|| cut("ches", "ch", 2))
        .or_else(|| cut("sses", "ss", 2))
        .or_else(|| cut("ing", "", 4))
        .or_else(|| cut("ed", "", 4))
        .or_else(|| if word.ends_with("ss") || word.ends_with("us") { None } else { cut("s", "", 3) })
        .unwrap_or_else(|| word.clone());
    stem.strip_suffix('e').filter(|short| short.len() > 3).map_or(stem.clone(), str::to_owned)
}

/// Returns the search result for a model.
pub(super) fn answer(words: &str, is_allowed: &dyn Fn(&Operation) -> bool) -> Value {
    let docs = operation_docs::all();
    if words.trim().is_empty() {
        let groups: serde_json::Map<String, Value> = registry::groups()
            .iter()
            .map(|group| (group.name, group.operations.iter().filter(|it| is_allowed(it)).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect();
        return json!({"groups": groups, "hint": "give words, for example the name of a group"});
    }
    let found = find(words, &docs, is_allowed);
    if found.is_empty() {
        let hint = "try other words, or none for the groups";
        return json!({"operations": [], "hint": hint});
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|(operation, docs)| {
            json!({"operation": signature(docs), "access": operation.access(), "docs": first_sentence(&docs.docs)})
        })
        .collect();
    json!({"operations": rows})
}

/// Returns `create_comment(post_id, body, parent_id?)`.
pub(super) fn signature(docs: &OperationDocs) -> String {
    let arguments = docs.arguments.iter().filter(|argument| argument.name != "idempotency_key");
    let named: Vec<String> = arguments
        .map(|argument| format!("{}{}", argument.name, if argument.required { "" } else { "?" }))
        .collect();
    format!("{}({})", docs.name, named.join(", "))
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

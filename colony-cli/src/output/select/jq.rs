//! `--jq`: a filter over a reply, run by jaq, an implementation of jq's language.

use jaq_core::{
    Compiler, Ctx, Native, Vars,
    compile::Filter,
    data::JustLut,
    load::{Arena, Error, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read};
use serde_json::Value;

/// The row formats, which jaq leaves to programs.
const ROWS: &str = r#"
    def @csv: [.[] | if type == "string" then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" else tojson end]
        | join(",");
    def @tsv: [.[] | if type == "string" then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
        elif . == null then "" else tojson end] | join("\t");
"#;

/// Refuses an invalid filter.
pub(crate) fn check(filter: &str) -> Result<(), String> {
    compile(filter).map(drop)
}

/// Returns the filter's results, in order.
pub(super) fn apply(filter: &str, answer: &Value) -> Result<Vec<Value>, String> {
    let compiled = compile(filter)?;
    let input = read::parse_single(answer.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let context = Ctx::<JustLut<Val>>::new(&compiled.lut, Vars::new([]));
    compiled
        .id
        .run((context, input))
        .map(unwrap_valr)
        .map(|result| match result {
            // A value without a JSON form, such as not-a-number, is null, as jq prints it.
            Ok(value) => Ok(serde_json::from_str(&value.to_string()).unwrap_or(Value::Null)),
            Err(error) => Err(format!("--jq {filter}: {error}")),
        })
        .collect()
}

fn compile(filter: &str) -> Result<Filter<Native<JustLut<Val>>>, String> {
    let refused = |why: String| format!("--jq {filter:?} is not a filter: {why}");
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let definitions =
        definitions.chain(jaq_core::load::parse(ROWS, |parser| parser.defs()).unwrap_or_default());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let loaded =
        Loader::new(definitions).load(&arena, File { code: filter, path: () }).map_err(|errors| {
            let why = match errors.into_iter().next() {
                Some((_, Error::Lex(errors))) => {
                    errors.first().map(|(expected, at)| format!("expected {} at {at:?}", expected.as_str()))
                }
                Some((_, Error::Parse(errors))) => {
                    errors.first().map(|(expected, at)| format!("expected {} at {at:?}", expected.as_str()))
                }
                _ => None,
            };
            refused(why.unwrap_or_else(|| "it loads modules".to_owned()))
        })?;
    Compiler::default().with_funs(functions).compile(loaded).map_err(|errors| {
        let undefined = errors.into_iter().flat_map(|(_, errors)| errors).next();
        let why = undefined.map(|(name, kind)| format!("there is no {} {name}", kind.as_str()));
        refused(why.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Filters with jq's results.
    const CASES: &str = include_str!("jq_cases.jsonl");

    #[test]
    fn filters_answer_as_those_of_jq() {
        let mut lines = CASES.lines();
        let answer: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let cases: Vec<(String, Vec<Value>)> =
            lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(cases.len() >= 60, "{}", cases.len());
        let others: Vec<_> = cases
            .iter()
            .map(|(filter, expected)| (filter, apply(filter, &answer), expected))
            .filter(|(_, got, expected)| got.as_ref() != Ok(expected))
            .collect();
        assert!(others.is_empty(), "{others:#?}");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in ["", ".[", ".a |", "no_such_function", "$x", ".a b", "import \"x\" as x; ."] {
            let refused = check(filter);
            if !filter.is_empty() {
                assert!(refused.unwrap_err().contains("not a filter"), "{filter}");
            }
        }
        assert!(apply(".a.b", &serde_json::json!({"a": 1})).unwrap_err().contains("--jq"));
    }
}

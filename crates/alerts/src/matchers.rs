//! Conditions on an alert's labels, as Alertmanager writes them: `severity=critical`,
//! `host=~"web-.*"`.

use barograph_model::{MatchOp, Matcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::machine::Texts;

/// Conditions that must all hold. None at all hold for every alert.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matchers(Vec<Matcher>);

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no matcher: {problem}; such as severity=critical or host=~\"web-.*\"")]
pub struct MatchersError {
    pub text: String,
    pub problem: String,
}

impl Matchers {
    pub const MAX: usize = 64;

    /// # Errors
    /// The first text that is no condition, or too many of them.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, MatchersError> {
        if texts.len() > Self::MAX {
            let problem = format!("{} of them, at most {} are allowed", texts.len(), Self::MAX);
            return Err(MatchersError { text: "…".to_owned(), problem });
        }
        texts.iter().map(|text| matcher(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    pub fn matches(&self, labels: &Texts) -> bool {
        let value = |it: &Matcher| labels.get(it.label()).map_or("", String::as_str);
        self.0.iter().all(|it| it.matches_value(value(it)))
    }

    /// Whether they hold for an alert without labels, and so for nearly every alert.
    pub fn match_everything(&self) -> bool {
        self.matches(&Texts::new())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// As [`Matchers::parse`] reads them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn matcher(text: &str) -> Result<Matcher, MatchersError> {
    let wrong =
        |problem: &str| MatchersError { text: text.to_owned(), problem: problem.to_owned() };
    let at = text.find(['=', '!']).ok_or_else(|| wrong("it has no =, !=, =~ or !~"))?;
    let (label, rest) = text.split_at(at);
    let operators = [
        ("=~", MatchOp::Regex),
        ("!~", MatchOp::NotRegex),
        ("!=", MatchOp::NotEqual),
        ("=", MatchOp::Equal),
    ];
    let found = operators.iter().find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?)));
    let (op, value) = found.ok_or_else(|| wrong("it has no =, !=, =~ or !~"))?;
    let label = label.trim();
    if label.is_empty() {
        return Err(wrong("it names no label"));
    }
    let value =
        unquoted(value.trim()).ok_or_else(|| wrong("its value has a quote that is not closed"))?;
    Matcher::new(label, op, value).map_err(|error| {
        let cause = std::error::Error::source(&error).map_or(String::new(), |it| format!(": {it}"));
        wrong(&format!("{error}{cause}"))
    })
}

/// Takes off quotes, and the backslashes that stand before quotes and backslashes.
fn unquoted(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else { return Some(text.to_owned()) };
    let mut out = String::new();
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                c @ ('"' | '\\') => out.push(c),
                c => out.extend(['\\', c]),
            },
            c => out.push(c),
        }
    }
}

impl Serialize for Matchers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Matchers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Self::parse(&texts).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Texts {
        [("host", "web-1"), ("severity", "critical")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    }

    #[track_caller]
    fn check(texts: &[&str], expected: bool) {
        assert_eq!(Matchers::parse(texts).unwrap().matches(&labels()), expected, "{texts:?}");
    }

    #[test]
    fn all_conditions_must_hold() {
        check(&["severity=critical"], true);
        check(&["severity = \"critical\"", "host=~web-.+"], true);
        check(&["severity=critical", "host!=web-1"], false);
        check(&["host!~web-.*"], false);
        check(&["absent="], true);
        check(&["absent!="], false);
        check(&[], true);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("severity", "it has no =, !=, =~ or !~"),
            ("=x", "it names no label"),
            ("a=\"x", "its value has a quote that is not closed"),
            ("a!x", "it has no =, !=, =~ or !~"),
        ] {
            let error = Matchers::parse(&[text]).unwrap_err();
            assert_eq!(error.problem, expected, "{text}");
        }
        assert!(Matchers::parse(&["a=~("]).unwrap_err().problem.contains("unclosed group"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let texts = ["a=\"say \\\"hi\\\" \\\\ there\"", "b=~\"x.*\""];
        let matchers = Matchers::parse(&texts).unwrap();
        assert_eq!(Matchers::parse(&matchers.texts()).unwrap(), matchers);
    }
}

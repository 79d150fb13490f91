//! What pipelines carry.

use std::collections::BTreeMap;

use super::format;

/// One series of a query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// A value, as a Go program would hold it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// Labels, or what `args` made; a field that is absent is empty.
    Map(BTreeMap<String, Value>),
    List(Vec<Value>),
    Sample(Sample),
    /// Milliseconds since 1970 UTC.
    Time(i64),
    /// Seconds.
    Duration(f64),
}

impl Value {
    pub fn text_of(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn map(fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub fn texts<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        Self::labels(pairs.into_iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    pub(super) fn labels<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter();
        Self::Map(
            pairs.map(|(name, text)| (name.to_owned(), Self::Text(text.to_owned()))).collect(),
        )
    }

    /// Go's notion of what `if` takes for true: everything but the empty and the zero.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(it) => *it,
            Self::Integer(it) => *it != 0,
            Self::Float(it) | Self::Duration(it) => *it != 0.0,
            Self::Text(it) => !it.is_empty(),
            Self::Map(it) => !it.is_empty(),
            Self::List(it) => !it.is_empty(),
            Self::Sample(_) | Self::Time(_) => true,
        }
    }

    /// What it is, in an error.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Map(_) => "a map",
            Self::List(_) => "a list",
            Self::Sample(_) => "a sample",
            Self::Time(_) => "a time",
            Self::Duration(_) => "a duration",
        }
    }

    /// How it is printed.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Nil => "<nil>".to_owned(),
            Self::Bool(it) => it.to_string(),
            Self::Integer(it) => it.to_string(),
            Self::Float(it) => format::general(*it, None),
            Self::Text(it) => it.clone(),
            Self::Map(it) => {
                let pairs: Vec<String> =
                    it.iter().map(|(key, value)| format!("{key}:{}", value.text())).collect();
                format!("map[{}]", pairs.join(" "))
            }
            Self::List(it) => {
                let items: Vec<String> = it.iter().map(Self::text).collect();
                format!("[{}]", items.join(" "))
            }
            Self::Sample(it) => {
                let labels = Self::labels(it.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())));
                format!("{{{} {}}}", labels.text(), format::general(it.value, None))
            }
            Self::Time(it) => super::humanize::time(*it),
            Self::Duration(it) => super::humanize::go_duration(*it),
        }
    }

    /// A number from a number or from a text that is one, as Prometheus' functions take it.
    pub(super) fn number(&self) -> Result<f64, String> {
        match self {
            Self::Integer(it) => Ok(*it as f64),
            Self::Float(it) | Self::Duration(it) => Ok(*it),
            Self::Text(it) => it.trim().parse().map_err(|_| format!("`{it}` is not a number")),
            other => Err(format!("{} is not a number", other.kind())),
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Map(it) => Ok(it.get(name).cloned().unwrap_or_else(|| Self::Text(String::new()))),
            Self::Sample(it) if name == "Labels" => {
                Ok(Self::labels(it.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))))
            }
            Self::Sample(it) if name == "Value" => Ok(Self::Float(it.value)),
            other => Err(format!("{} has no field {name}", other.kind())),
        }
    }
}

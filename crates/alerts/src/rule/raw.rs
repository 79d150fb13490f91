//! A rule file as it is written. Every value that can be wrong keeps its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) limit: Option<Spanned<u32>>,
    pub(super) query_offset: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: BTreeMap<String, Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) rules: Vec<Spanned<Rule>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) record: Option<Spanned<String>>,
    pub(super) alert: Option<Spanned<String>>,
    pub(super) expr: Option<Spanned<Scalar>>,
    pub(super) metric: Option<Spanned<String>>,
    pub(super) greater_than: Option<Spanned<f64>>,
    pub(super) less_than: Option<Spanned<f64>>,
    pub(super) equals: Option<Spanned<f64>>,
    pub(super) clear: Option<Spanned<Scalar>>,
    #[serde(rename = "for")]
    pub(super) for_: Option<Spanned<String>>,
    pub(super) keep_firing_for: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: BTreeMap<String, Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) annotations: BTreeMap<String, Spanned<String>>,
    pub(super) severity: Option<Spanned<String>>,
    pub(super) escalation: Option<Spanned<String>>,
    pub(super) runbook: Option<Spanned<String>>,
    pub(super) remediation: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) depends_on: Vec<Spanned<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) evidence: Vec<Spanned<String>>,
}

/// A field that is named and left empty is as one that is not there.
fn or_empty<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A text, or a number that stands for its text: `expr: 1` is an expression, too.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(f64),
    Text(String),
}

impl Scalar {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

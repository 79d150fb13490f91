//! Relabelling as Prometheus defines it: rules that change, keep or drop a set of labels.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

/// Labels under work: names and values. A label with an empty value is the same as none.
pub type LabelMap = BTreeMap<String, String>;

/// One rule as it is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelabelConfig {
    pub source_labels: Vec<String>,
    /// Without it `;`.
    pub separator: Option<String>,
    /// Without it `(.*)`.
    pub regex: Option<String>,
    pub modulus: Option<u64>,
    pub target_label: Option<String>,
    /// Without it `$1`.
    pub replacement: Option<String>,
    /// Without it `replace`.
    pub action: Option<String>,
}

/// Why a rule cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RelabelError {
    #[error(
        "`{found}` is no action; allowed are replace, keep, drop, keepequal, dropequal, hashmod, \
         labelmap, labeldrop, labelkeep, lowercase, uppercase"
    )]
    Action { found: String },
    #[error("action `{action}` needs `{key}`")]
    Missing { action: &'static str, key: &'static str },
    #[error("action `{action}` takes no `{key}`")]
    Superfluous { action: &'static str, key: &'static str },
    #[error("the regular expression `{pattern}` is not valid")]
    Regex { pattern: String, source: regex::Error },
}

/// A rule that can be applied.
#[derive(Debug, Clone)]
pub struct Rule {
    config: RelabelConfig,
    separator: String,
    regex: Regex,
    replacement: String,
    target_label: String,
    modulus: u64,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

const ACTIONS: [(&str, Action); 11] = [
    ("replace", Action::Replace),
    ("keep", Action::Keep),
    ("drop", Action::Drop),
    ("keepequal", Action::KeepEqual),
    ("dropequal", Action::DropEqual),
    ("hashmod", Action::HashMod),
    ("labelmap", Action::LabelMap),
    ("labeldrop", Action::LabelDrop),
    ("labelkeep", Action::LabelKeep),
    ("lowercase", Action::Lowercase),
    ("uppercase", Action::Uppercase),
];

/// What a compiled expression may take.
const MAX_REGEX_BYTES: usize = 4 * 1024 * 1024;

impl Rule {
    /// # Errors
    /// An unknown action, one that lacks what it needs, or a bad regular expression.
    pub fn new(config: &RelabelConfig) -> Result<Self, RelabelError> {
        let word = config.action.as_deref().unwrap_or("replace");
        let &(name, action) = ACTIONS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .ok_or_else(|| RelabelError::Action { found: word.to_owned() })?;
        check(config, name, action)?;
        let pattern = config.regex.as_deref().unwrap_or("(.*)");
        let regex = regex::RegexBuilder::new(&format!("^(?s:{pattern})$"))
            .size_limit(MAX_REGEX_BYTES)
            .build()
            .map_err(|source| RelabelError::Regex { pattern: pattern.to_owned(), source })?;
        let or = |text: &Option<String>, default: &str| text.clone().unwrap_or(default.to_owned());
        Ok(Self {
            config: config.clone(),
            separator: or(&config.separator, ";"),
            regex,
            replacement: or(&config.replacement, "$1"),
            target_label: or(&config.target_label, ""),
            modulus: config.modulus.unwrap_or(1),
            action,
        })
    }

    /// Whether the labels are kept.
    fn apply(&self, labels: &mut LabelMap) -> bool {
        let sources = &self.config.source_labels;
        let values: Vec<&str> =
            sources.iter().map(|name| labels.get(name).map_or("", String::as_str)).collect();
        let value = values.join(&self.separator);
        let target = labels.get(&self.target_label).map_or("", String::as_str);
        match self.action {
            Action::Keep => return self.regex.is_match(&value),
            Action::Drop => return !self.regex.is_match(&value),
            Action::KeepEqual => return value == target,
            Action::DropEqual => return value != target,
            Action::Replace => self.replace(&value, labels),
            Action::Lowercase => set(labels, self.target_label.clone(), value.to_lowercase()),
            Action::Uppercase => set(labels, self.target_label.clone(), value.to_uppercase()),
            Action::HashMod => {
                let bucket = hash(&value) % self.modulus;
                set(labels, self.target_label.clone(), bucket.to_string());
            }
            Action::LabelMap => self.map(labels),
            Action::LabelDrop => labels.retain(|name, _| !self.regex.is_match(name)),
            Action::LabelKeep => labels.retain(|name, _| self.regex.is_match(name)),
        }
        true
    }

    fn replace(&self, value: &str, labels: &mut LabelMap) {
        let Some(found) = self.regex.captures(value) else { return };
        let mut target = String::new();
        found.expand(&self.target_label, &mut target);
        if target.is_empty() {
            return;
        }
        let mut replacement = String::new();
        found.expand(&self.replacement, &mut replacement);
        set(labels, target, replacement);
    }

    fn map(&self, labels: &mut LabelMap) {
        let renamed: Vec<(String, String)> = labels
            .iter()
            .filter_map(|(name, value)| {
                let found = self.regex.captures(name)?;
                let mut target = String::new();
                found.expand(&self.replacement, &mut target);
                Some((target, value.clone()))
            })
            .collect();
        for (name, value) in renamed.into_iter().filter(|(name, _)| !name.is_empty()) {
            set(labels, name, value);
        }
    }
}

/// Rules of the same configuration do the same.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
    }
}

impl Eq for Rule {}

/// What Prometheus refuses, so that a rule that does nothing is not taken for one that works.
fn check(config: &RelabelConfig, name: &'static str, action: Action) -> Result<(), RelabelError> {
    let needs_target = matches!(
        action,
        Action::Replace
            | Action::HashMod
            | Action::Lowercase
            | Action::Uppercase
            | Action::KeepEqual
            | Action::DropEqual
    );
    if needs_target && config.target_label.as_deref().unwrap_or_default().is_empty() {
        return Err(RelabelError::Missing { action: name, key: "target_label" });
    }
    if action == Action::HashMod && config.modulus.unwrap_or(0) == 0 {
        return Err(RelabelError::Missing { action: name, key: "modulus" });
    }
    if matches!(action, Action::LabelDrop | Action::LabelKeep) && !config.source_labels.is_empty() {
        return Err(RelabelError::Superfluous { action: name, key: "source_labels" });
    }
    if matches!(action, Action::KeepEqual | Action::DropEqual) && config.regex.is_some() {
        return Err(RelabelError::Superfluous { action: name, key: "regex" });
    }
    Ok(())
}

/// Applies rules in order; nothing is left of labels that one of them drops.
pub fn relabel(rules: &[Rule], mut labels: LabelMap) -> Option<LabelMap> {
    rules.iter().all(|rule| rule.apply(&mut labels)).then_some(labels)
}

fn set(labels: &mut LabelMap, name: String, value: String) {
    if value.is_empty() {
        labels.remove(&name);
    } else {
        labels.insert(name, value);
    }
}

/// The last eight bytes of the MD5 sum, as Prometheus spreads targets over its servers.
fn hash(value: &str) -> u64 {
    let sum = md5::compute(value).0;
    sum.iter().skip(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: serde_json::Value) -> Result<Rule, RelabelError> {
        Rule::new(&serde_json::from_value(json).unwrap())
    }

    /// What is left of `a=foo b=bar c=baz`.
    fn left(json: serde_json::Value) -> Option<String> {
        let labels = [("a", "foo"), ("b", "bar"), ("c", "Baz")];
        let labels = labels.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        let left = relabel(&[rule(json).unwrap()], labels)?;
        let pairs: Vec<_> = left.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join(" "))
    }

    #[track_caller]
    fn check(json: serde_json::Value, expected: Option<&str>) {
        assert_eq!(left(json).as_deref(), expected);
    }

    #[test]
    fn replace_fills_templates_and_removes_by_an_empty_value() {
        use serde_json::json;
        check(
            json!({"source_labels": ["a", "b"], "regex": "f(.*);(.*)r", "target_label": "a",
                "replacement": "ch${1}-${2}"}),
            Some("a=choo-ba b=bar c=Baz"),
        );
        check(
            json!({"source_labels": ["a"], "regex": "f(.*)", "target_label": "x_${1}"}),
            Some("a=foo b=bar c=Baz x_oo=oo"),
        );
        check(
            json!({"source_labels": ["a"], "regex": "nothing", "target_label": "b"}),
            Some("a=foo b=bar c=Baz"),
        );
        check(json!({"target_label": "b", "replacement": ""}), Some("a=foo c=Baz"));
    }

    #[test]
    fn keep_and_drop_match_the_whole_value() {
        use serde_json::json;
        let all = Some("a=foo b=bar c=Baz");
        check(json!({"source_labels": ["a"], "regex": "fo", "action": "keep"}), None);
        check(json!({"source_labels": ["a"], "regex": "fo+", "action": "keep"}), all);
        check(json!({"source_labels": ["a"], "regex": "foo", "action": "drop"}), None);
        check(json!({"source_labels": ["a"], "target_label": "b", "action": "keepequal"}), None);
        check(json!({"source_labels": ["a"], "target_label": "b", "action": "dropequal"}), all);
    }

    #[test]
    fn names_are_mapped_dropped_and_kept() {
        use serde_json::json;
        check(
            json!({"regex": "(a|b)", "replacement": "x_$1", "action": "labelmap"}),
            Some("a=foo b=bar c=Baz x_a=foo x_b=bar"),
        );
        check(json!({"regex": "(a|b)", "action": "labeldrop"}), Some("c=Baz"));
        check(json!({"regex": "(a|b)", "action": "labelkeep"}), Some("a=foo b=bar"));
        check(
            json!({"source_labels": ["c"], "target_label": "c", "action": "lowercase"}),
            Some("a=foo b=bar c=baz"),
        );
        check(
            json!({"source_labels": ["c"], "target_label": "c", "action": "UPPERCASE"}),
            Some("a=foo b=bar c=BAZ"),
        );
    }

    #[test]
    fn hashmod_spreads_as_prometheus_does() {
        // `printf foo | md5sum` says acbd18db4cc2f85cedef654fccc4a4d8.
        let bucket = 0xedef_654f_ccc4_a4d8_u64 % 1000;
        let rule = serde_json::json!({"source_labels": ["a"], "target_label": "d", "modulus": 1000,
            "action": "hashmod"});
        check(rule, Some(&format!("a=foo b=bar c=Baz d={bucket}")));
    }

    #[test]
    fn rules_that_cannot_work_are_refused() {
        use serde_json::json;
        for (config, expected) in [
            (json!({"action": "keepit"}), "`keepit` is no action; allowed are replace"),
            (json!({"source_labels": ["a"]}), "action `replace` needs `target_label`"),
            (json!({"action": "hashmod", "target_label": "a"}), "action `hashmod` needs `modulus`"),
            (
                json!({"action": "labeldrop", "source_labels": ["a"]}),
                "action `labeldrop` takes no `source_labels`",
            ),
            (json!({"action": "keep", "regex": "("}), "the regular expression `(` is not valid"),
        ] {
            let error = rule(config).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

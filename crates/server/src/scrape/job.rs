//! A job whose settings are checked, and the targets that come out of it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use barograph_fetch::TlsSettings;
use barograph_model::Labels;
use barograph_promql::format_duration;
use barograph_wire::relabel::{LabelMap, Rule, relabel};
use hyper::Uri;
use serde::Deserialize;

use super::asking::Asking;
use super::config::duration;
use super::sign_in::SignIn;
use crate::page::Reading;

/// What is scraped alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub(crate) name: String,
    pub(crate) pace: Pace,
    pub(crate) path: String,
    pub(crate) scheme: String,
    pub(crate) params: BTreeMap<String, Vec<String>>,
    pub(crate) sign_in: SignIn,
    pub(crate) asking: Asking,
    /// Whether its limits and the sizes of pages are series, too.
    pub(crate) tells_more: bool,
    pub(crate) tls: TlsSettings,
    pub(crate) groups: Vec<Group>,
    /// Files with groups in them; the last part of a path may hold `*`.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) target_rules: Vec<Rule>,
    pub(crate) max_targets: usize,
    pub(crate) reading: Reading,
}

/// Targets with the same labels, also the form of discovery files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) targets: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// One address to be scraped. Equal ones are the same target, whatever they were discovered as.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) url: String,
    /// What every series of it gets.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) pace: Pace,
    /// Before relabelling.
    pub(crate) discovered: Vec<(String, String)>,
}

impl Spec {
    fn identity(&self) -> (&str, &[(String, String)], Pace) {
        (&self.url, &self.labels, self.pace)
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Spec {}

impl Hash for Spec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// How often a target is asked, and how long it has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pace {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl Pace {
    /// # Errors
    /// The first of the two, called by these keys, that cannot be, with what is allowed.
    pub(super) fn new(
        [interval_key, timeout_key]: [&str; 2],
        interval: Duration,
        timeout: Duration,
    ) -> Result<Self, String> {
        if interval < Duration::from_secs(1) {
            return Err(format!("`{interval_key}` must be a second or more"));
        }
        if timeout > interval {
            return Err(format!("`{timeout_key}` must not be longer than `{interval_key}`"));
        }
        Ok(Self { interval, timeout })
    }

    /// What relabelling left of it.
    fn relabelled(labels: &LabelMap) -> Result<Self, String> {
        let read = |key| {
            let text = labels.get(key).map_or("", String::as_str);
            duration(key, Some(text), Duration::ZERO)
        };
        Self::new(PACE_LABELS, read(PACE_LABELS[0])?, read(PACE_LABELS[1])?)
    }

    /// Interval and timeout as Prometheus writes durations.
    pub(super) fn texts(self) -> [String; 2] {
        [self.interval, self.timeout]
            .map(|it| format_duration(i64::try_from(it.as_millis()).unwrap_or(i64::MAX)))
    }
}

const PACE_LABELS: [&str; 2] = ["__scrape_interval__", "__scrape_timeout__"];

impl Job {
    /// The targets of groups, each once, and what is wrong with those that cannot be.
    pub(crate) fn targets(&self, groups: &[Group]) -> (Vec<Spec>, Vec<Spec>, Vec<String>) {
        let (mut specs, mut dropped, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let mut known = HashSet::new();
        for (group, address) in
            groups.iter().flat_map(|group| group.targets.iter().map(move |one| (group, one)))
        {
            match self.target(group, address) {
                Ok(Ok(spec)) if known.contains(&spec) => {}
                Ok(Ok(_)) if specs.len() >= self.max_targets => {
                    problems.push(format!("more than {} targets", self.max_targets));
                    break;
                }
                Ok(Ok(spec)) => {
                    known.insert(spec.clone());
                    specs.push(spec);
                }
                Ok(Err(spec)) => dropped.push(spec),
                Err(problem) => problems.push(problem),
            }
        }
        (specs, dropped, problems)
    }

    /// One target, or what is known of it if a rule drops it.
    fn target(&self, group: &Group, address: &str) -> Result<Result<Spec, Spec>, String> {
        // A label without a value is none.
        let given = group.labels.iter().filter(|(_, value)| !value.is_empty());
        let mut labels: LabelMap = given.map(own).collect();
        let [interval, timeout] = self.pace.texts();
        for (name, value) in [
            ("job", self.name.clone()),
            ("__address__", address.to_owned()),
            ("__scheme__", self.scheme.clone()),
            ("__metrics_path__", self.path.clone()),
            (PACE_LABELS[0], interval),
            (PACE_LABELS[1], timeout),
        ] {
            // A group may say otherwise, but not for its address.
            if name == "__address__" || !labels.contains_key(name) {
                labels.insert(name.to_owned(), value);
            }
        }
        for (name, values) in &self.params {
            if let Some(first) = values.first() {
                labels.insert(format!("__param_{name}"), first.clone());
            }
        }
        let discovered: Vec<_> = labels.clone().into_iter().collect();
        let Some(labels) = relabel(&self.target_rules, labels) else {
            let url = String::new();
            return Ok(Err(Spec { url, labels: Vec::new(), pace: self.pace, discovered }));
        };
        let url = self
            .url(&labels)
            .ok_or_else(|| format!("target `{address}` is no address of the form `host:port`"))?;
        let pace =
            Pace::relabelled(&labels).map_err(|problem| format!("target `{url}`: {problem}"))?;
        let mut kept: LabelMap =
            labels.iter().filter(|(name, _)| !name.starts_with("__")).map(own).collect();
        let address = labels.get("__address__").cloned().unwrap_or_default();
        kept.entry("instance".to_owned()).or_insert(address);
        Labels::new(&kept).map_err(|error| format!("target `{url}`: {error}"))?;
        Ok(Ok(Spec { url, labels: kept.into_iter().collect(), pace, discovered }))
    }

    fn url(&self, labels: &LabelMap) -> Option<String> {
        let get = |name: &str| labels.get(name).map_or("", String::as_str);
        let address = get("__address__");
        if address.is_empty() || address.contains(['/', '@', '?', '#']) {
            return None;
        }
        let mut params = self.params.clone();
        for (name, value) in labels {
            if let Some(name) = name.strip_prefix("__param_") {
                let values = params.entry(name.to_owned()).or_default();
                values.splice(..values.len().min(1), [value.clone()]);
            }
        }
        let pairs: Vec<(&String, &String)> =
            params.iter().flat_map(|(n, values)| values.iter().map(move |v| (n, v))).collect();
        let query = serde_urlencoded::to_string(pairs).ok()?;
        let path = get("__metrics_path__");
        let mut url = format!("{}://{address}", get("__scheme__"));
        if !path.starts_with('/') {
            url.push('/');
        }
        url += path;
        if !query.is_empty() {
            url.push(if path.contains('?') { '&' } else { '?' });
            url += &query;
        }
        url.parse::<Uri>().ok().filter(|uri| uri.authority().is_some())?;
        Some(url)
    }
}

fn own((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::config::ScrapeConfig;
    use super::*;

    /// Targets of a job, and what is wrong with others.
    fn targets(job: Value) -> (Vec<Spec>, Vec<String>) {
        let job = serde_json::from_value::<ScrapeConfig>(job).unwrap().into_job().unwrap();
        let (specs, _, problems) = job.targets(&job.groups);
        (specs, problems)
    }

    #[test]
    fn addresses_that_become_the_same_target_are_one() {
        let rule = json!({"target_label": "__address__", "replacement": "proxy:80"});
        let (specs, problems) = targets(json!({
            "job": "x", "targets": ["a:1", "b:2"], "relabel_configs": [rule],
        }));
        assert_eq!((specs.len(), specs[0].url.as_str()), (1, "http://proxy:80/metrics"));
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn labels_without_a_value_are_not_discovered() {
        let labels = json!({"a": "", "__scheme__": "", "b": "c"});
        let (specs, _) = targets(json!({"job": "x", "targets": ["a:1"], "labels": labels}));
        let names: Vec<&str> = specs[0].discovered.iter().map(|(name, _)| &**name).collect();
        assert!(!names.contains(&"a") && names.contains(&"b"), "{names:?}");
        assert!(specs[0].url.starts_with("http://"), "{}", specs[0].url);
    }

    #[test]
    fn rules_set_how_often_a_target_is_asked() {
        let job = |interval: &str, timeout: &str| {
            json!({"job": "x", "targets": ["a:1"], "interval": "90s", "relabel_configs": [
                {"source_labels": ["__scrape_interval__"], "target_label": "was"},
                {"target_label": "__scrape_interval__", "replacement": interval},
                {"target_label": "__scrape_timeout__", "replacement": timeout},
            ]})
        };
        let (specs, _) = targets(job("1y", "30s"));
        assert_eq!(specs[0].pace.texts(), ["1y", "30s"]);
        let (specs, _) = targets(job("1h", "30s"));
        assert_eq!(specs[0].pace.texts(), ["1h", "30s"]);
        assert!(specs[0].labels.contains(&("was".to_owned(), "1m30s".to_owned())));
        for (interval, timeout, problem) in [
            ("soon", "1s", "`__scrape_interval__` is `soon`, but must be a duration"),
            ("", "1s", "`__scrape_interval__` is ``, but must be a duration"),
            ("10ms", "5ms", "`__scrape_interval__` must be a second or more"),
            ("5s", "6s", "`__scrape_timeout__` must not be longer than `__scrape_interval__`"),
        ] {
            let (specs, problems) = targets(job(interval, timeout));
            assert!(specs.is_empty(), "{interval}");
            assert!(problems[0].contains(problem), "{problems:?}");
        }
    }
}

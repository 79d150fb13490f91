//! A job whose settings are checked, and the targets that come out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use barograph_fetch::TlsSettings;
use barograph_model::Labels;
use barograph_wire::relabel::{LabelMap, Rule, relabel};
use hyper::Uri;
use serde::Deserialize;

use super::asking::Asking;
use super::sign_in::SignIn;
use crate::page::Reading;

/// What is scraped alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub(crate) name: String,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
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

/// One address to be scraped. Equal ones are the same target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Spec {
    pub(crate) url: String,
    /// What every series of it gets.
    pub(crate) labels: Vec<(String, String)>,
    /// Before relabelling.
    pub(crate) discovered: Vec<(String, String)>,
}

impl Job {
    /// The targets of groups, each once, and what is wrong with those that cannot be.
    pub(crate) fn targets(&self, groups: &[Group]) -> (Vec<Spec>, Vec<Spec>, Vec<String>) {
        let (mut specs, mut dropped, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (group, address) in
            groups.iter().flat_map(|group| group.targets.iter().map(move |one| (group, one)))
        {
            match self.target(group, address) {
                Ok(Ok(spec)) if specs.contains(&spec) => {}
                Ok(Ok(_)) if specs.len() >= self.max_targets => {
                    problems.push(format!("more than {} targets", self.max_targets));
                    break;
                }
                Ok(Ok(spec)) => specs.push(spec),
                Ok(Err(spec)) => dropped.push(spec),
                Err(problem) => problems.push(problem),
            }
        }
        (specs, dropped, problems)
    }

    /// One target, or what is known of it if a rule drops it.
    fn target(&self, group: &Group, address: &str) -> Result<Result<Spec, Spec>, String> {
        let mut labels: LabelMap = group.labels.clone();
        let text = |duration: Duration| format!("{}ms", duration.as_millis());
        for (name, value) in [
            ("job", self.name.clone()),
            ("__address__", address.to_owned()),
            ("__scheme__", self.scheme.clone()),
            ("__metrics_path__", self.path.clone()),
            ("__scrape_interval__", text(self.interval)),
            ("__scrape_timeout__", text(self.timeout)),
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
            return Ok(Err(Spec { url, labels: Vec::new(), discovered }));
        };
        let url = self
            .url(&labels)
            .ok_or_else(|| format!("target `{address}` is no address of the form `host:port`"))?;
        let mut kept: LabelMap =
            labels.iter().filter(|(name, _)| !name.starts_with("__")).map(own).collect();
        let address = labels.get("__address__").cloned().unwrap_or_default();
        kept.entry("instance".to_owned()).or_insert(address);
        Labels::new(&kept).map_err(|error| format!("target `{url}`: {error}"))?;
        Ok(Ok(Spec { url, labels: kept.into_iter().collect(), discovered }))
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

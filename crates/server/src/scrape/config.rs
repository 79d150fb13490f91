//! What is scraped, as it is configured: `[[scrape]]` of `barograph.toml`, or `scrape_configs` of
//! Prometheus' YAML. The names are Prometheus'; the short ones are ours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use barograph_fetch::TlsSettings;
use barograph_promql::parse_duration;
use barograph_wire::relabel::{RelabelConfig, Rule};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::asking::Asking;
use super::job::{Group, Job, Pace};
use super::sign_in::{Authorization, BasicAuth, HeaderValues, SignIn};
use crate::page::{PageLimits, Reading};

/// One job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScrapeConfig {
    #[serde(alias = "job_name")]
    pub(super) job: String,
    #[serde(alias = "scrape_interval")]
    pub(super) interval: Option<String>,
    #[serde(alias = "scrape_timeout")]
    pub(super) timeout: Option<String>,
    #[serde(alias = "metrics_path")]
    pub(super) path: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) params: BTreeMap<String, OneOrMany>,
    pub(super) honor_labels: bool,
    pub(super) honor_timestamps: Option<bool>,
    pub(super) track_timestamps_staleness: bool,
    pub(super) basic_auth: Option<BasicAuth>,
    pub(super) authorization: Option<Authorization>,
    pub(super) bearer_token: Option<String>,
    pub(super) bearer_token_file: Option<PathBuf>,
    pub(super) http_headers: BTreeMap<String, HeaderValues>,
    #[serde(alias = "tls_config")]
    pub(super) tls: TlsSettings,
    pub(super) targets: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) static_configs: Vec<Group>,
    #[serde(alias = "files")]
    pub(super) target_files: Vec<PathBuf>,
    pub(super) file_sd_configs: Vec<FileSd>,
    pub(super) relabel_configs: Vec<RelabelConfig>,
    pub(super) metric_relabel_configs: Vec<RelabelConfig>,
    pub(super) body_size_limit: Option<Number>,
    pub(super) sample_limit: usize,
    pub(super) label_limit: usize,
    pub(super) label_name_length_limit: usize,
    pub(super) label_value_length_limit: usize,
    pub(super) target_limit: usize,
    pub(super) metric_name_validation_scheme: Option<String>,
    pub(super) metric_name_escaping_scheme: Option<String>,
    pub(super) scrape_protocols: Vec<String>,
    pub(super) extra_scrape_metrics: Option<bool>,
    pub(super) fallback_scrape_protocol: Option<String>,
    // What Prometheus can be told and what makes no difference here; the guide says why.
    #[serde(rename = "follow_redirects")]
    pub(super) _follow_redirects: IgnoredAny,
    #[serde(rename = "enable_http2")]
    pub(super) _enable_http2: IgnoredAny,
    #[serde(rename = "enable_compression")]
    pub(super) _enable_compression: IgnoredAny,
    #[serde(rename = "scrape_native_histograms")]
    pub(super) _scrape_native_histograms: IgnoredAny,
    #[serde(rename = "always_scrape_classic_histograms", alias = "scrape_classic_histograms")]
    pub(super) _always_scrape_classic_histograms: IgnoredAny,
    #[serde(rename = "convert_classic_histograms_to_nhcb")]
    pub(super) _convert_classic_histograms_to_nhcb: IgnoredAny,
    #[serde(rename = "native_histogram_bucket_limit")]
    pub(super) _native_histogram_bucket_limit: IgnoredAny,
    #[serde(rename = "native_histogram_min_bucket_factor")]
    pub(super) _native_histogram_min_bucket_factor: IgnoredAny,
    #[serde(rename = "keep_dropped_targets")]
    pub(super) _keep_dropped_targets: IgnoredAny,
    #[serde(rename = "scrape_failure_log_file")]
    pub(super) _scrape_failure_log_file: IgnoredAny,
}

/// A text, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A number, or one with a unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Plain(u64),
    Text(String),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileSd {
    files: Vec<PathBuf>,
    #[serde(rename = "refresh_interval")]
    _refresh_interval: IgnoredAny,
}

impl ScrapeConfig {
    const DEFAULT_INTERVAL: Duration = Duration::from_secs(15);
    const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// # Errors
    /// The first key that cannot be, with what is allowed.
    pub fn into_job(self) -> Result<Job, String> {
        if self.job.is_empty() {
            return Err("a scrape needs a name: `job = \"…\"`".to_owned());
        }
        let name = self.job.clone();
        self.checked().map_err(|error| format!("scrape `{name}`: {error}"))
    }

    fn checked(self) -> Result<Job, String> {
        /// Without `target_limit`.
        const MAX_TARGETS: usize = 5000;
        let interval = duration("interval", self.interval.as_deref(), Self::DEFAULT_INTERVAL)?;
        let default_timeout = Self::DEFAULT_TIMEOUT.min(interval);
        let timeout = duration("timeout", self.timeout.as_deref(), default_timeout)?;
        let pace = Pace::new(["interval", "timeout"], interval, timeout)?;
        let scheme = self.scheme.clone().unwrap_or_else(|| "http".to_owned());
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(format!("`scheme` is `{scheme}`, but must be `http` or `https`"));
        }
        let rules = |key: &str, configs: &[RelabelConfig]| {
            let rule = |(index, config): (usize, &RelabelConfig)| {
                Rule::new(config).map_err(|error| {
                    format!("`{key}` number {}: {}", index + 1, barograph_model::chain(&error))
                })
            };
            configs.iter().enumerate().map(rule).collect::<Result<Vec<_>, _>>()
        };
        let target_rules = rules("relabel_configs", &self.relabel_configs)?;
        let metric_rules = rules("metric_relabel_configs", &self.metric_relabel_configs)?;
        self.tls.check().map_err(|error| format!("`tls`: {error}"))?;
        let sign_in = self.sign_in()?;
        let asking = Asking::new(
            self.metric_name_validation_scheme.as_deref(),
            self.metric_name_escaping_scheme.as_deref(),
            &self.scrape_protocols,
            self.fallback_scrape_protocol.as_deref(),
        )?;
        let limits = self.limits()?;
        let mut groups = self.static_configs;
        if !self.targets.is_empty() {
            groups.push(Group { targets: self.targets, labels: self.labels });
        }
        let mut files = self.target_files;
        files.extend(self.file_sd_configs.into_iter().flat_map(|one| one.files));
        if groups.is_empty() && files.is_empty() {
            return Err("there is nothing to scrape: give `targets` or `target_files`".to_owned());
        }
        let many = |(name, values)| match values {
            OneOrMany::One(value) => (name, vec![value]),
            OneOrMany::Many(values) => (name, values),
        };
        Ok(Job {
            name: self.job,
            pace,
            path: self.path.unwrap_or_else(|| "/metrics".to_owned()),
            scheme,
            params: self.params.into_iter().map(many).collect(),
            sign_in,
            asking,
            tells_more: self.extra_scrape_metrics.unwrap_or_default(),
            tls: self.tls,
            groups,
            files,
            target_rules,
            max_targets: if self.target_limit == 0 { MAX_TARGETS } else { self.target_limit },
            reading: Reading {
                honor_labels: self.honor_labels,
                honor_timestamps: self.honor_timestamps.unwrap_or(true),
                track_timestamps: self.track_timestamps_staleness,
                rules: metric_rules,
                limits,
            },
        })
    }

    fn limits(&self) -> Result<PageLimits, String> {
        let or = |limit: usize, default: usize| if limit == 0 { default } else { limit };
        let most = PageLimits::default();
        let body_bytes = match &self.body_size_limit {
            None | Some(Number::Plain(0)) => most.body_bytes,
            Some(Number::Plain(bytes)) => usize::try_from(*bytes).unwrap_or(usize::MAX),
            Some(Number::Text(text)) => size(text).ok_or_else(|| {
                format!("`body_size_limit` is `{text}`, but must be a size such as `10MB`")
            })?,
        };
        Ok(PageLimits {
            body_bytes,
            samples: or(self.sample_limit, most.samples),
            labels: or(self.label_limit, most.labels),
            label_name_bytes: or(self.label_name_length_limit, most.label_name_bytes),
            label_value_bytes: or(self.label_value_length_limit, most.label_value_bytes),
        })
    }

    fn sign_in(&self) -> Result<SignIn, String> {
        let authorization = self.authorization.clone().or_else(|| {
            Authorization::of(self.bearer_token.clone(), self.bearer_token_file.clone())
        });
        SignIn::new(self.basic_auth.clone(), authorization)?.with_headers(self.http_headers.clone())
    }
}

/// As Prometheus writes it: `1m30s`, `500ms`.
pub(crate) fn duration(
    key: &str,
    text: Option<&str>,
    default: Duration,
) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(default) };
    let ms = parse_duration(text).ok().and_then(|ms| u64::try_from(ms).ok());
    ms.filter(|ms| *ms > 0).map(Duration::from_millis).ok_or_else(|| {
        format!("`{key}` is `{text}`, but must be a duration such as `15s` or `1m30s`")
    })
}

/// `10MB`, `64MiB`: units are powers of 1024, as in Prometheus.
pub(crate) fn size(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KB" | "KiB" => 10,
        "MB" | "MiB" => 20,
        "GB" | "GiB" => 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

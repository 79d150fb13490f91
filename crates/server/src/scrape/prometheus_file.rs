//! The part of Prometheus' configuration file that is ours: `scrape_configs`, with what `global`
//! says for all of them.

use std::fmt::Display;
use std::path::Path;

use serde::Deserialize;

use super::config::{Number, ScrapeConfig};
use super::job::Job;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PrometheusFile {
    global: Global,
    scrape_configs: Vec<ScrapeConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Global {
    scrape_interval: Option<String>,
    scrape_timeout: Option<String>,
    metric_name_validation_scheme: Option<String>,
    metric_name_escaping_scheme: Option<String>,
    scrape_protocols: Vec<String>,
    extra_scrape_metrics: Option<bool>,
    body_size_limit: Option<Number>,
    sample_limit: usize,
    label_limit: usize,
    label_name_length_limit: usize,
    label_value_length_limit: usize,
    target_limit: usize,
}

impl Global {
    /// What a job does not say itself.
    fn complete(&self, config: &mut ScrapeConfig) {
        fn or<T: Clone>(own: &mut Option<T>, global: Option<&T>) {
            *own = own.take().or_else(|| global.cloned());
        }
        or(&mut config.interval, self.scrape_interval.as_ref());
        or(&mut config.timeout, self.scrape_timeout.as_ref());
        let scheme = self.metric_name_validation_scheme.as_ref();
        or(&mut config.metric_name_validation_scheme, scheme);
        or(&mut config.metric_name_escaping_scheme, self.metric_name_escaping_scheme.as_ref());
        or(&mut config.extra_scrape_metrics, self.extra_scrape_metrics.as_ref());
        or(&mut config.body_size_limit, self.body_size_limit.as_ref());
        if config.scrape_protocols.is_empty() {
            config.scrape_protocols.clone_from(&self.scrape_protocols);
        }
        for (own, global) in [
            (&mut config.sample_limit, self.sample_limit),
            (&mut config.label_limit, self.label_limit),
            (&mut config.label_name_length_limit, self.label_name_length_limit),
            (&mut config.label_value_length_limit, self.label_value_length_limit),
            (&mut config.target_limit, self.target_limit),
        ] {
            if *own == 0 {
                *own = global;
            }
        }
    }
}

/// The jobs of a file as Prometheus reads it; its other parts are left alone.
///
/// # Errors
/// What is wrong, and where.
pub fn prometheus_jobs(path: &Path) -> Result<Vec<Job>, String> {
    const MAX_BYTES: u64 = 4 * 1024 * 1024;
    let about = |error: &dyn Display| format!("{}: {error}", path.display());
    let bytes = std::fs::metadata(path).map_err(|error| about(&error))?.len();
    if bytes > MAX_BYTES {
        return Err(about(&format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| about(&error))?;
    let file: PrometheusFile = serde_saphyr::from_str(&text).map_err(|error| about(&error))?;
    let job = |mut config: ScrapeConfig| {
        file.global.complete(&mut config);
        config.into_job().map_err(|error| about(&error))
    };
    file.scrape_configs.into_iter().map(job).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn jobs(text: &str) -> Result<Vec<Job>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prometheus.yml");
        std::fs::write(&path, text).unwrap();
        prometheus_jobs(&path)
    }

    /// Every key that Prometheus 3 has beside discovery, signing in by OAuth, and proxies.
    const WHOLE: &str = "
global:
  scrape_interval: 30s
  evaluation_interval: 1m
  scrape_native_histograms: true
  metric_name_escaping_scheme: dots
  scrape_protocols: [PrometheusText0.0.4]
  sample_limit: 1000
  external_labels: {site: a}
rule_files: [rules.yml]
storage: {tsdb: {out_of_order_time_window: 30m}}
otlp: {promote_resource_attributes: [a]}
scrape_configs:
- job_name: whole
  scrape_timeout: 5s
  scrape_protocols: [OpenMetricsText1.0.0]
  fallback_scrape_protocol: PrometheusText0.0.4
  scrape_native_histograms: true
  always_scrape_classic_histograms: true
  convert_classic_histograms_to_nhcb: false
  extra_scrape_metrics: true
  native_histogram_bucket_limit: 10
  native_histogram_min_bucket_factor: 1.1
  keep_dropped_targets: 5
  scrape_failure_log_file: /var/log/failed
  honor_labels: true
  honor_timestamps: true
  track_timestamps_staleness: true
  metric_name_validation_scheme: utf8
  metrics_path: /m
  scheme: https
  params: {a: [b]}
  enable_compression: false
  enable_http2: true
  follow_redirects: true
  body_size_limit: 1MB
  label_limit: 30
  label_name_length_limit: 100
  label_value_length_limit: 100
  target_limit: 3
  basic_auth: {username: a, password: b}
  tls_config: {insecure_skip_verify: true, min_version: TLS12, max_version: TLS13}
  http_headers: {X-Scope-OrgID: {values: [a]}}
  static_configs: [{targets: ['h:1']}]
- job_name: short
  sample_limit: 7
  static_configs: [{targets: ['h:1']}]
";

    #[test]
    fn every_key_of_prometheus_3_is_taken_and_global_ones_count_where_a_job_is_silent() {
        let jobs = jobs(WHOLE).unwrap();
        let [whole, short] = &jobs[..] else { panic!("{jobs:?}") };
        assert!(whole.reading.honor_labels && whole.reading.track_timestamps);
        assert_eq!(
            (whole.pace.interval, whole.pace.timeout.as_secs()),
            (Duration::from_secs(30), 5)
        );
        assert_eq!((whole.reading.limits.samples, short.reading.limits.samples), (1000, 7));
        assert_eq!(short.asking.fallback, None);
        assert!(whole.asking.accept.contains("escaping=dots"), "{}", whole.asking.accept);
        assert_eq!(short.asking.accept, "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
        assert!(whole.tells_more && !short.tells_more);
    }

    #[test]
    fn what_is_not_done_is_refused_by_key_and_line() {
        for (from, to, said) in [
            ("honor_labels", "honour_labels", "honour_labels"),
            ("basic_auth", "oauth2", "oauth2"),
            ("min_version: TLS12", "min_version: TLS9", "TLS9"),
            ("min_version: TLS12", "minimum_version: TLS12", "minimum_version"),
        ] {
            let error = jobs(&WHOLE.replace(from, to)).unwrap_err();
            let line = WHOLE.lines().position(|line| line.contains(from)).unwrap() + 1;
            let place = format!("line {line}");
            assert!(error.contains(said) && error.contains(&place), "{line}: {error}");
        }
        for (from, to, said) in [
            (
                "PrometheusText0.0.4",
                "PrometheusProto",
                "`fallback_scrape_protocol` is `PrometheusProto`, but must be one of \
                 `PrometheusText0.0.4`, `PrometheusText1.0.0`, `OpenMetricsText0.0.1`, \
                 `OpenMetricsText1.0.0`",
            ),
            (
                "min_version: TLS12, max_version: TLS13",
                "max_version: TLS11",
                "`max_version` is older than TLS 1.2",
            ),
            (
                "min_version: TLS12, max_version: TLS13",
                "min_version: TLS13, max_version: TLS12",
                "`min_version` is newer than `max_version`",
            ),
            ("escaping_scheme: dots", "escaping_scheme: dot", "`metric_name_escaping_scheme`"),
            ("scheme: utf8", "scheme: utf16", "`metric_name_validation_scheme` is `utf16`"),
            ("X-Scope-OrgID", "Host", "`http_headers`: `Host` cannot be set by hand"),
        ] {
            let error = jobs(&WHOLE.replace(from, to)).unwrap_err();
            assert!(error.contains("scrape `") && error.contains(said), "{error}");
        }
    }
}

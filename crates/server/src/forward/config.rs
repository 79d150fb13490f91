//! Where samples are sent on to, as it is configured: `[[remote_write]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph_fetch::{Client, Credentials, TlsSettings};
use barograph_model::Labels;
use barograph_wire::relabel::{RelabelConfig, Rule};
use hyper::Uri;
use serde::Deserialize;

use crate::scrape::{Authorization, BasicAuth, SignIn, duration, size};

/// One receiver. The names are those of Prometheus' `remote_write` where it has them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteWriteConfig {
    name: String,
    url: String,
    basic_auth: Option<BasicAuth>,
    authorization: Option<Authorization>,
    #[serde(alias = "tls_config")]
    tls: TlsSettings,
    external_labels: BTreeMap<String, String>,
    write_relabel_configs: Vec<RelabelConfig>,
    #[serde(alias = "remote_timeout")]
    timeout: Option<String>,
    shards: Option<usize>,
    max_samples_per_send: Option<u64>,
    queue_size: Option<String>,
    queue_age: Option<String>,
    resend_window: Option<String>,
}

/// A receiver whose settings are sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub(crate) name: String,
    pub(crate) url: Uri,
    pub(crate) sign_in: SignIn,
    pub(crate) tls: TlsSettings,
    /// Set where a series has no such label.
    pub(crate) external_labels: BTreeMap<String, String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) timeout: Duration,
    pub(crate) shards: usize,
    pub(crate) max_samples: u64,
    pub(crate) queue_bytes: u64,
    pub(crate) queue_age: Duration,
    /// What was taken within it is sent again when the receiver started anew.
    pub(crate) resend_window: Duration,
}

impl Destination {
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl RemoteWriteConfig {
    /// # Errors
    /// The first key that cannot be, with what is allowed.
    pub fn into_destination(self) -> Result<Destination, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(is_plain) {
            return Err("`name` must be letters, digits, `-` and `_`: it names the queue's folder"
                .to_owned());
        }
        let name = self.name.clone();
        self.checked().map_err(|error| format!("remote_write `{name}`: {error}"))
    }

    fn checked(self) -> Result<Destination, String> {
        const MAX_SHARDS: usize = 16;
        let url: Uri =
            self.url.parse().map_err(|_| format!("`url` is `{}`, no address", self.url))?;
        let sign_in = SignIn::new(self.basic_auth, self.authorization)?;
        Client::new(&url, &Credentials::None, &self.tls)
            .map_err(|error| format!("`url`: {}", barograph_model::chain(&error)))?;
        let rule = |(index, config): (usize, &RelabelConfig)| {
            Rule::new(config).map_err(|error| {
                let error = barograph_model::chain(&error);
                format!("`write_relabel_configs` number {}: {error}", index + 1)
            })
        };
        let rules = self.write_relabel_configs.iter().enumerate().map(rule);
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        Labels::new(&self.external_labels)
            .map_err(|error| format!("`external_labels`: {error}"))?;
        let shards = self.shards.unwrap_or(1);
        if !(1..=MAX_SHARDS).contains(&shards) {
            return Err(format!("`shards` is {shards}, but must be 1 to {MAX_SHARDS}"));
        }
        let queue_size = self.queue_size.as_deref().unwrap_or("512MB");
        let queue_bytes = size(queue_size)
            .filter(|bytes| *bytes >= 16 << 20)
            .ok_or_else(|| format!("`queue_size` is `{queue_size}`, but must be `16MB` or more"))?;
        let time = |key, text: &Option<String>, seconds| {
            duration(key, text.as_deref(), Duration::from_secs(seconds))
        };
        Ok(Destination {
            timeout: time("timeout", &self.timeout, 30)?,
            queue_age: time("queue_age", &self.queue_age, 24 * 60 * 60)?,
            resend_window: time("resend_window", &self.resend_window, 60)?,
            name: self.name,
            url,
            sign_in,
            tls: self.tls,
            external_labels: self.external_labels,
            rules,
            shards,
            max_samples: self.max_samples_per_send.unwrap_or(5000).clamp(1, 100_000),
            queue_bytes: queue_bytes as u64 / shards as u64,
        })
    }
}

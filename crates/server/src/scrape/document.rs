//! A job of scraping as a document. It names no files of the server: whoever may write documents is
//! not to read those.

use std::collections::BTreeMap;

use barograph_alerts::document::{self, Path, Problem};
use barograph_fetch::TlsSettings;
use barograph_wire::relabel::RelabelConfig;
use serde::Deserialize;

use super::config::{OneOrMany, ScrapeConfig};
use super::job::Job;
use super::sign_in::{Authorization, BasicAuth};

/// The names are those of `[[scrape]]`, but for how the exporter knows us.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScrapeDocument {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
    interval: Option<String>,
    timeout: Option<String>,
    path: Option<String>,
    scheme: Option<String>,
    params: BTreeMap<String, OneOrMany>,
    user: Option<String>,
    password: Option<Confidential>,
    token: Option<Confidential>,
    tls: TlsSettings,
    honor_labels: bool,
    honor_timestamps: Option<bool>,
    relabel_configs: Vec<RelabelConfig>,
    metric_relabel_configs: Vec<RelabelConfig>,
    sample_limit: usize,
    target_limit: usize,
}

/// A secret, itself or by its name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Confidential {
    Text(String),
    Named { secret: String },
}

/// Opens a secret by its name; else why it cannot be.
pub(crate) type OpenSecret<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl ScrapeDocument {
    /// Reads a document's text, with its mistakes.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn check(name: &str, text: &str) -> Result<(), Problem> {
        let document: Self = document::read(text)?;
        let any_secret = |_: &str| Ok("secret".to_owned());
        document.into_job(name, &any_secret).map(|_| ()).map_err(|message| {
            let prefix = format!("scrape `{name}`: ");
            let message = message.strip_prefix(&prefix).unwrap_or(&message);
            // The message names its field first.
            match message.split('`').nth(1) {
                Some(field) => Problem::at(text, &Path::root().field(field), message),
                None => Problem::at(text, &Path::root(), message),
            }
        })
    }

    /// The job that a document describes; it is called as the document is.
    ///
    /// # Errors
    /// What cannot be, with what is allowed.
    pub(crate) fn job(name: &str, text: &str, open: OpenSecret<'_>) -> Result<Job, String> {
        let document: Self = document::read(text).map_err(|problem| problem.to_string())?;
        document.into_job(name, open)
    }

    fn into_job(self, name: &str, open: OpenSecret<'_>) -> Result<Job, String> {
        let opened = |secret: Confidential| match secret {
            Confidential::Text(text) => Ok(text),
            Confidential::Named { secret } => {
                open(&secret).map_err(|error| format!("the secret `{secret}`: {error}"))
            }
        };
        let password = self.password.map(opened).transpose()?;
        let token = self.token.map(opened).transpose()?;
        if self.user.is_some() != password.is_some() {
            return Err("`user` and `password` are given together or not at all".to_owned());
        }
        if password.is_some() && token.is_some() {
            return Err("`token` goes without `user` and `password`".to_owned());
        }
        if self.targets.is_empty() {
            return Err("`targets` is empty: there is nothing to scrape".to_owned());
        }
        ScrapeConfig {
            job: name.to_owned(),
            interval: self.interval,
            timeout: self.timeout,
            path: self.path,
            scheme: self.scheme,
            params: self.params,
            basic_auth: self
                .user
                .zip(password)
                .map(|(user, password)| BasicAuth::new(user, password)),
            authorization: token.map(Authorization::bearer),
            tls: self.tls,
            targets: self.targets,
            labels: self.labels,
            honor_labels: self.honor_labels,
            honor_timestamps: self.honor_timestamps,
            relabel_configs: self.relabel_configs,
            metric_relabel_configs: self.metric_relabel_configs,
            sample_limit: self.sample_limit,
            target_limit: self.target_limit,
            ..ScrapeConfig::default()
        }
        .into_job()
    }
}

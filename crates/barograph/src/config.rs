//! `barograph.toml`: what the program needs to start.
//!
//! All mistakes are reported at once, each with its line. Flags and environment variables of the
//! command line go before the file.

mod problem;
mod settings;
mod store;
mod value;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use barograph_collect::process::Watch;
use barograph_collect::service::WatchedServices;
use barograph_collect::{FileSystems, UserCounters};
use barograph_server::{
    AlertingSettings, Check, Destination, IngestSettings, Job, Network, OwnLimits, StatsdSettings,
    TextfileSettings,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use problem::line_at;
use settings::{Found, find, full_key, unknown};

pub(crate) use problem::{ConfigError, Problem};
pub(crate) use value::parse_duration;

use crate::service;

/// The settings, after the file was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Where the history is.
    pub(crate) data: PathBuf,
    /// The value of the label `host`; without it the machine's own name.
    pub(crate) host: Option<String>,
    /// Time between two readings of the machine.
    pub(crate) interval: Duration,
    /// File systems that are drives beside the local, fixed ones.
    pub(crate) file_systems: FileSystems,
    /// Processes that become series, by name.
    pub(crate) watch: Watch,
    /// Services that become series, by name, beside those that should run.
    pub(crate) watch_services: WatchedServices,
    /// Counters by path, beyond those that are collected anyway.
    pub(crate) counters: UserCounters,
    /// How long the history is kept, and what it may take.
    pub(crate) store: store::StoreConfig,
    /// What bounds questions in PromQL.
    pub(crate) query: barograph_promql::Settings,
    /// What this program may take.
    pub(crate) limits: OwnLimits,
    /// How much others may send.
    pub(crate) ingest: IngestSettings,
    /// Which rules are evaluated, and how.
    pub(crate) alerting: AlertingSettings,
    /// Internal addresses that channels may connect to.
    pub(crate) internal_networks: Vec<Network>,
    /// Programs that channels may run, by name.
    pub(crate) notify_commands: BTreeMap<String, Vec<String>>,
    /// Where the syslog of the system takes datagrams.
    pub(crate) syslog_socket: PathBuf,
    /// Where StatsD's datagrams come in, if they do.
    pub(crate) statsd_listen: Option<SocketAddr>,
    pub(crate) statsd_socket: Option<PathBuf>,
    pub(crate) statsd: StatsdSettings,
    /// What is scraped.
    pub(crate) scrape: Vec<Job>,
    /// Programs that are run by schedule.
    pub(crate) check: Vec<Check>,
    /// Where scripts leave their metrics.
    pub(crate) textfile: TextfileSettings,
    /// Who else gets every sample.
    pub(crate) remote_write: Vec<Destination>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7575)),
            data: PathBuf::from("barograph-data"),
            host: None,
            interval: Duration::from_secs(1),
            file_systems: FileSystems::default(),
            watch: Watch::default(),
            watch_services: WatchedServices::default(),
            counters: UserCounters::default(),
            store: store::StoreConfig::default(),
            query: barograph_promql::Settings::default(),
            limits: OwnLimits::default(),
            ingest: IngestSettings::default(),
            alerting: AlertingSettings::default(),
            internal_networks: Vec::new(),
            notify_commands: BTreeMap::new(),
            syslog_socket: PathBuf::from(service::SYSLOG_SOCKET),
            statsd_listen: None,
            statsd_socket: None,
            statsd: StatsdSettings::default(),
            scrape: Vec::new(),
            check: Vec::new(),
            textfile: TextfileSettings::default(),
            remote_write: Vec::new(),
        }
    }
}

impl Config {
    pub(crate) const DEFAULT_FILE: &str = "barograph.toml";
    const MAX_BYTES: u64 = 1024 * 1024;

    /// Reads the named file, or `barograph.toml` in the current folder if it is there. Also gives
    /// the file that was read.
    ///
    /// # Errors
    /// A file that cannot be read, or all mistakes in it.
    pub(crate) fn load(named: Option<&Path>) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let default = Path::new(Self::DEFAULT_FILE);
        let path = match named {
            Some(path) => path,
            None if default.exists() => default,
            None => return Ok((Self::default(), None)),
        };
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        if fs::metadata(path).map_err(unreadable)?.len() > Self::MAX_BYTES {
            return Err(ConfigError::TooLarge { path: path.to_owned() });
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        match Self::parse(&text) {
            Ok(config) => Ok((config, Some(path.to_owned()))),
            Err(problems) => Err(ConfigError::Problems { path: path.to_owned(), problems }),
        }
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// All mistakes, in the order of their lines.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut config = Self::default();
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = errors
            .iter()
            .map(|error| Problem {
                line: line_at(text, error.span().map_or(0, |span| span.start)),
                message: error.message().to_owned(),
            })
            .collect();
        if problems.is_empty() {
            config.apply("", table.get_ref(), text, &mut problems);
        }
        problems.sort_by_key(|problem| problem.line);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    fn apply(
        &mut self,
        section: &str,
        table: &DeTable<'_>,
        text: &str,
        problems: &mut Vec<Problem>,
    ) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let result = match find(section, name) {
                Some(Found::Setting(setting)) => (setting.set)(self, value.get_ref()),
                Some(Found::Section) => match value.get_ref() {
                    DeValue::Table(inner) => {
                        self.apply(name, inner, text, problems);
                        Ok(())
                    }
                    _ => Err("is a section: write it as `[section]`".into()),
                },
                None => Err(unknown(section)),
            };
            if let Err(message) = result {
                let line = line_at(text, span_start(key, value));
                let path = full_key(section, name);
                problems.push(Problem { line, message: format!("`{path}` {message}") });
            }
        }
    }
}

fn span_start<K, V>(key: &Spanned<K>, value: &Spanned<V>) -> usize {
    key.span().start.min(value.span().start)
}

#[cfg(test)]
mod tests;

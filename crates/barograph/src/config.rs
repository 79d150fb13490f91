//! `barograph.toml`: what the program needs to start.
//!
//! All mistakes are reported at once, each with its line. Flags and environment variables of the
//! command line go before the file.

mod problem;
mod store;
mod value;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_collect::UserCounters;
use barograph_collect::process::Watch;
use barograph_collect::service::WatchedServices;
use barograph_server::{
    AlertingSettings, Check, Destination, IngestSettings, Job, Network, StatsdSettings,
    TextfileSettings,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use problem::line_at;

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

/// A setting: its key, what it does to the settings, and what it allows, in words.
struct Setting {
    section: &'static str,
    key: &'static str,
    set: fn(&mut Config, &DeValue<'_>) -> Result<(), String>,
}

/// Every setting there is.
static SETTINGS: &[Setting] = &[
    Setting {
        section: "",
        key: "listen",
        set: |config, value| value::address(value).map(|address| config.listen = address),
    },
    Setting {
        section: "",
        key: "data",
        set: |config, value| value::path(value).map(|path| config.data = path),
    },
    Setting {
        section: "",
        key: "host",
        set: |config, value| value::host_name(value).map(|name| config.host = Some(name)),
    },
    Setting {
        section: "actions",
        key: "file",
        set: |config, value| {
            value::actions(value).map(|actions| config.alerting.actions = Arc::new(actions))
        },
    },
    Setting {
        section: "",
        key: "external_url",
        set: |config, value| value::url(value).map(|url| config.alerting.external_url = url),
    },
    Setting {
        section: "collect",
        key: "interval",
        set: |config, value| value::interval(value).map(|interval| config.interval = interval),
    },
    Setting {
        section: "counters",
        key: "paths",
        set: |config, value| value::counter_paths(value).map(|paths| config.counters = paths),
    },
    Setting {
        section: "ingest",
        key: "future_window",
        set: |config, value| {
            value::duration(value).map(|window| config.ingest.future_window = window)
        },
    },
    Setting {
        section: "ingest",
        key: "max_new_series_per_day",
        set: |config, value| {
            value::count(value).map(|max| config.ingest.max_new_series_per_day = max)
        },
    },
    Setting {
        section: "ingest",
        key: "max_series_per_source",
        set: |config, value| value::count(value).map(|max| config.ingest.max_series = max),
    },
    Setting {
        section: "notify",
        key: "commands",
        set: |config, value| value::commands(value).map(|it| config.notify_commands = it),
    },
    Setting {
        section: "notify",
        key: "internal_networks",
        set: |config, value| {
            value::networks(value).map(|networks| config.internal_networks = networks)
        },
    },
    Setting {
        section: "notify",
        key: "syslog_socket",
        set: |config, value| value::path(value).map(|path| config.syslog_socket = path),
    },
    Setting {
        section: "query",
        key: "lookback",
        set: |config, value| {
            value::duration(value).map(|lookback| config.query.lookback = lookback)
        },
    },
    Setting {
        section: "query",
        key: "max_points",
        set: |config, value| value::count(value).map(|max| config.query.max_points = max),
    },
    Setting {
        section: "query",
        key: "max_samples",
        set: |config, value| value::large_count(value).map(|max| config.query.max_samples = max),
    },
    Setting {
        section: "query",
        key: "max_series",
        set: |config, value| value::count(value).map(|max| config.query.max_series = max),
    },
    Setting {
        section: "query",
        key: "timeout",
        set: |config, value| value::duration(value).map(|timeout| config.query.timeout = timeout),
    },
    Setting {
        section: "rules",
        key: "defaults",
        set: |config, value| value::yes(value).map(|yes| config.alerting.defaults = yes),
    },
    Setting {
        section: "rules",
        key: "files",
        set: |config, value| value::paths(value).map(|files| config.alerting.files = files),
    },
    Setting {
        section: "rules",
        key: "interval",
        set: |config, value| {
            value::duration(value).map(|interval| config.alerting.interval = interval)
        },
    },
    Setting {
        section: "statsd",
        key: "buckets",
        set: |config, value| value::ascending(value).map(|buckets| config.statsd.buckets = buckets),
    },
    Setting {
        section: "statsd",
        key: "expiry",
        set: |config, value| value::duration(value).map(|expiry| config.statsd.expiry = expiry),
    },
    Setting {
        section: "statsd",
        key: "flush_interval",
        set: |config, value| {
            value::duration(value).map(|interval| config.statsd.flush_interval = interval)
        },
    },
    Setting {
        section: "statsd",
        key: "listen",
        set: |config, value| {
            value::address(value).map(|address| config.statsd_listen = Some(address))
        },
    },
    Setting {
        section: "statsd",
        key: "quantiles",
        set: |config, value| value::quantiles(value).map(|list| config.statsd.quantiles = list),
    },
    Setting {
        section: "statsd",
        key: "socket",
        set: |config, value| value::path(value).map(|path| config.statsd_socket = Some(path)),
    },
    Setting {
        section: "store",
        key: "keep_events",
        set: |config, value| store::record_age(value).map(|age| config.store.events.keep = age),
    },
    Setting {
        section: "store",
        key: "keep_processes",
        set: |config, value| store::record_age(value).map(|age| config.store.processes.keep = age),
    },
    Setting {
        section: "store",
        key: "keep_raw",
        set: |config, value| store::age(value).map(|age| config.store.retention.raw.age = age),
    },
    Setting {
        section: "store",
        key: "keep_minutes",
        set: |config, value| store::age(value).map(|age| config.store.retention.minutes.age = age),
    },
    Setting {
        section: "store",
        key: "keep_hours",
        set: |config, value| store::age(value).map(|age| config.store.retention.hours.age = age),
    },
    Setting {
        section: "store",
        key: "max_raw",
        set: |config, value| {
            store::size(value).map(|bytes| config.store.retention.raw.bytes = Some(bytes))
        },
    },
    Setting {
        section: "store",
        key: "max_minutes",
        set: |config, value| {
            store::size(value).map(|bytes| config.store.retention.minutes.bytes = Some(bytes))
        },
    },
    Setting {
        section: "store",
        key: "max_hours",
        set: |config, value| {
            store::size(value).map(|bytes| config.store.retention.hours.bytes = Some(bytes))
        },
    },
    Setting {
        section: "store",
        key: "max_events",
        set: |config, value| store::size(value).map(|bytes| config.store.events.max_bytes = bytes),
    },
    Setting {
        section: "store",
        key: "max_processes",
        set: |config, value| {
            store::size(value).map(|bytes| config.store.processes.max_bytes = bytes)
        },
    },
    Setting {
        section: "store",
        key: "keep",
        set: |config, value| store::rules(value).map(|rules| config.store.retention.rules = rules),
    },
    Setting {
        section: "store",
        key: "late_window",
        set: |config, value| store::age(value).map(|window| config.store.late_window = window),
    },
    Setting {
        section: "store",
        key: "memory",
        set: |config, value| store::memory(value).map(|memory| config.store.memory = memory),
    },
    Setting {
        section: "store",
        key: "cache",
        set: |config, value| store::cache(value).map(|cache| config.store.cache = cache),
    },
    Setting {
        section: "",
        key: "check",
        set: |config, value| value::checks(value).map(|checks| config.check = checks),
    },
    Setting {
        section: "",
        key: "remote_write",
        set: |config, value| value::receivers(value).map(|list| config.remote_write = list),
    },
    Setting {
        section: "textfile",
        key: "folder",
        set: |config, value| value::path(value).map(|path| config.textfile.folder = Some(path)),
    },
    Setting {
        section: "textfile",
        key: "interval",
        set: |config, value| {
            value::interval(value).map(|interval| config.textfile.interval = interval)
        },
    },
    Setting {
        section: "",
        key: "scrape",
        set: |config, value| value::scrapes(value).map(|jobs| config.scrape.extend(jobs)),
    },
    Setting {
        section: "",
        key: "scrape_config_files",
        set: |config, value| value::scrape_files(value).map(|jobs| config.scrape.extend(jobs)),
    },
    Setting {
        section: "watch",
        key: "processes",
        set: |config, value| value::process_names(value).map(|watch| config.watch = watch),
    },
    Setting {
        section: "watch",
        key: "services",
        set: |config, value| value::service_names(value).map(|watch| config.watch_services = watch),
    },
];

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7575)),
            data: PathBuf::from("barograph-data"),
            host: None,
            interval: Duration::from_secs(1),
            watch: Watch::default(),
            watch_services: WatchedServices::default(),
            counters: UserCounters::default(),
            store: store::StoreConfig::default(),
            query: barograph_promql::Settings::default(),
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

enum Found {
    Setting(&'static Setting),
    Section,
}

fn find(section: &str, name: &str) -> Option<Found> {
    let setting = SETTINGS.iter().find(|one| one.section == section && one.key == name);
    if let Some(setting) = setting {
        return Some(Found::Setting(setting));
    }
    (section.is_empty() && SETTINGS.iter().any(|one| one.section == name)).then_some(Found::Section)
}

fn unknown(section: &str) -> String {
    let mut allowed: Vec<String> = SETTINGS
        .iter()
        .filter(|one| one.section == section || section.is_empty())
        .map(|one| format!("`{}`", full_key(one.section, one.key)))
        .collect();
    allowed.sort();
    format!("is not a setting; allowed here: {}", allowed.join(", "))
}

fn full_key(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn span_start<K, V>(key: &Spanned<K>, value: &Spanned<V>) -> usize {
    key.span().start.min(value.span().start)
}

#[cfg(test)]
mod tests;

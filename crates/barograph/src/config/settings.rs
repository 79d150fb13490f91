//! Every setting there is.

use std::sync::Arc;

use toml::de::DeValue;

use super::{Config, store, value};

/// A setting: where it stands, and what reads its value into the settings. What is wrong with a
/// value is told in words that go on from the key.
pub(super) struct Setting {
    section: &'static str,
    key: &'static str,
    pub(super) set: Read,
}

type Read = fn(&mut Config, &DeValue<'_>) -> Result<(), String>;

/// In the order of their sections. Those without one stand at the top of the file.
static SETTINGS: &[Setting] = &[
    setting("", "listen", |c, v| put(&mut c.listen, value::address(v))),
    setting("", "data", |c, v| put(&mut c.data, value::path(v))),
    setting("", "host", |c, v| put(&mut c.host, value::host_name(v).map(Some))),
    setting("", "external_url", |c, v| put(&mut c.alerting.external_url, value::url(v))),
    setting("", "check", |c, v| put(&mut c.check, value::checks(v))),
    setting("", "remote_write", |c, v| put(&mut c.remote_write, value::receivers(v))),
    setting("", "scrape", |c, v| value::scrapes(v).map(|jobs| c.scrape.extend(jobs))),
    setting("", "scrape_config_files", |c, v| {
        value::scrape_files(v).map(|jobs| c.scrape.extend(jobs))
    }),
    setting("actions", "file", |c, v| {
        put(&mut c.alerting.actions, value::actions(v).map(Arc::new))
    }),
    setting("collect", "file_systems", |c, v| put(&mut c.file_systems, value::file_systems(v))),
    setting("collect", "interval", |c, v| put(&mut c.interval, value::interval(v))),
    setting("counters", "paths", |c, v| put(&mut c.counters, value::counter_paths(v))),
    setting("ingest", "future_window", |c, v| put(&mut c.ingest.future_window, value::duration(v))),
    setting("ingest", "max_new_series_per_day", |c, v| {
        put(&mut c.ingest.max_new_series_per_day, value::count(v))
    }),
    setting("ingest", "max_series_per_source", |c, v| {
        put(&mut c.ingest.max_series, value::count(v))
    }),
    setting("ingest", "otlp_promote_resource_attributes", |c, v| {
        put(&mut c.ingest.promote_resource_attributes, value::attributes(v))
    }),
    setting("limits", "handles", |c, v| {
        put(&mut c.limits.handles, value::count(v).map(|count| count as u64))
    }),
    setting("limits", "memory", |c, v| put(&mut c.limits.memory_bytes, store::memory(v).map(Some))),
    setting("notify", "commands", |c, v| put(&mut c.notify_commands, value::commands(v))),
    setting("notify", "internal_networks", |c, v| {
        put(&mut c.internal_networks, value::networks(v))
    }),
    setting("notify", "syslog_socket", |c, v| put(&mut c.syslog_socket, value::path(v))),
    setting("query", "lookback", |c, v| put(&mut c.query.lookback, value::duration(v))),
    setting("query", "max_points", |c, v| put(&mut c.query.max_points, value::count(v))),
    setting("query", "max_samples", |c, v| put(&mut c.query.max_samples, value::large_count(v))),
    setting("query", "max_series", |c, v| put(&mut c.query.max_series, value::count(v))),
    setting("query", "timeout", |c, v| put(&mut c.query.timeout, value::duration(v))),
    setting("rules", "defaults", |c, v| put(&mut c.alerting.defaults, value::yes(v))),
    setting("rules", "files", |c, v| put(&mut c.alerting.files, value::paths(v))),
    setting("rules", "interval", |c, v| put(&mut c.alerting.interval, value::duration(v))),
    setting("statsd", "buckets", |c, v| put(&mut c.statsd.buckets, value::ascending(v))),
    setting("statsd", "expiry", |c, v| put(&mut c.statsd.expiry, value::duration(v))),
    setting("statsd", "flush_interval", |c, v| {
        put(&mut c.statsd.flush_interval, value::duration(v))
    }),
    setting("statsd", "listen", |c, v| put(&mut c.statsd_listen, value::address(v).map(Some))),
    setting("statsd", "quantiles", |c, v| put(&mut c.statsd.quantiles, value::quantiles(v))),
    setting("statsd", "socket", |c, v| put(&mut c.statsd_socket, value::path(v).map(Some))),
    setting("store", "keep_events", |c, v| put(&mut c.store.events.keep, store::record_age(v))),
    setting("store", "keep_processes", |c, v| {
        put(&mut c.store.processes.keep, store::record_age(v))
    }),
    setting("store", "keep_raw", |c, v| put(&mut c.store.retention.raw.age, store::age(v))),
    setting("store", "keep_minutes", |c, v| put(&mut c.store.retention.minutes.age, store::age(v))),
    setting("store", "keep_hours", |c, v| put(&mut c.store.retention.hours.age, store::age(v))),
    setting("store", "max_raw", |c, v| {
        put(&mut c.store.retention.raw.bytes, store::size(v).map(Some))
    }),
    setting("store", "max_minutes", |c, v| {
        put(&mut c.store.retention.minutes.bytes, store::size(v).map(Some))
    }),
    setting("store", "max_hours", |c, v| {
        put(&mut c.store.retention.hours.bytes, store::size(v).map(Some))
    }),
    setting("store", "max_events", |c, v| put(&mut c.store.events.max_bytes, store::size(v))),
    setting("store", "max_processes", |c, v| put(&mut c.store.processes.max_bytes, store::size(v))),
    setting("store", "keep", |c, v| put(&mut c.store.retention.rules, store::rules(v))),
    setting("store", "late_window", |c, v| put(&mut c.store.late_window, store::age(v))),
    setting("store", "max_series", |c, v| put(&mut c.store.max_series, value::count(v))),
    setting("store", "memory", |c, v| put(&mut c.store.memory, store::memory(v))),
    setting("store", "cache", |c, v| put(&mut c.store.cache, store::cache(v))),
    setting("textfile", "folder", |c, v| put(&mut c.textfile.folder, value::path(v).map(Some))),
    setting("textfile", "interval", |c, v| put(&mut c.textfile.interval, value::interval(v))),
    setting("watch", "processes", |c, v| put(&mut c.watch, value::process_names(v))),
    setting("watch", "services", |c, v| put(&mut c.watch_services, value::service_names(v))),
];

const fn setting(section: &'static str, key: &'static str, set: Read) -> Setting {
    Setting { section, key, set }
}

fn put<T>(place: &mut T, read: Result<T, String>) -> Result<(), String> {
    *place = read?;
    Ok(())
}

/// What a key names.
pub(super) enum Found {
    Setting(&'static Setting),
    Section,
}

pub(super) fn find(section: &str, name: &str) -> Option<Found> {
    let setting = SETTINGS.iter().find(|one| one.section == section && one.key == name);
    if let Some(setting) = setting {
        return Some(Found::Setting(setting));
    }
    (section.is_empty() && SETTINGS.iter().any(|one| one.section == name)).then_some(Found::Section)
}

/// What is wrong with any other key.
pub(super) fn unknown(section: &str) -> String {
    let mut allowed: Vec<String> = SETTINGS
        .iter()
        .filter(|one| one.section == section || section.is_empty())
        .map(|one| format!("`{}`", full_key(one.section, one.key)))
        .collect();
    allowed.sort();
    format!("is not a setting; allowed here: {}", allowed.join(", "))
}

pub(super) fn full_key(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/reference/settings.md");

    /// The rows of the page: a setting and its default.
    fn rows() -> Vec<(&'static str, Option<&'static str>)> {
        let row = |line: &'static str| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.strip_suffix('`')?;
            let default = cells.next()?.strip_prefix('`').and_then(|it| it.strip_suffix('`'));
            Some((name, default))
        };
        PAGE.lines().filter_map(row).collect()
    }

    #[test]
    fn the_page_describes_every_setting_once() {
        let mut described: Vec<String> =
            rows().iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut known: Vec<String> =
            SETTINGS.iter().map(|it| full_key(it.section, it.key)).collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
    }

    #[test]
    fn the_page_tells_the_defaults() {
        let given =
            |(name, default): (&str, Option<&str>)| Some(format!("{name} = {}\n", default?));
        let text: String = rows().into_iter().filter_map(given).collect();
        assert_eq!(Config::parse(&text), Ok(Config::default()), "{text}");
    }
}

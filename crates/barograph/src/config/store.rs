//! `[store]`: how long the history is kept, and what it may take.

use std::time::Duration;

use barograph_promql::parse_selector;
use barograph_server::{EventLog, ProcessSettings};
use barograph_store::{KeepRule, RecordSettings, Retention, Settings};
use serde::Deserialize;
use toml::de::DeValue;

use super::value::{tables, text};

/// The settings of the section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoreConfig {
    pub(crate) retention: Retention,
    /// `None`: samples of any age are taken, as long as their time is kept.
    pub(crate) late_window: Option<Duration>,
    /// Series that are written to at the same time.
    pub(crate) max_series: usize,
    /// What samples in memory may take, in bytes.
    pub(crate) memory: u64,
    /// What samples that were asked for lately may take, decoded, in bytes.
    pub(crate) cache: u64,
    /// Of lists of processes.
    pub(crate) processes: RecordSettings,
    pub(crate) events: RecordSettings,
}

impl Default for StoreConfig {
    fn default() -> Self {
        let Settings { late_window, max_series, max_head_bytes, decoded_bytes, .. } =
            Settings::new("");
        Self {
            retention: Retention::usual(),
            late_window,
            max_series,
            memory: max_head_bytes,
            cache: decoded_bytes as u64,
            processes: ProcessSettings::default().kept,
            events: EventLog::KEPT,
        }
    }
}

impl StoreConfig {
    /// Less could not hold a few minutes of one machine.
    const MIN_MEMORY: u64 = 16 * 1024 * 1024;
    const MIN_BYTES: u64 = 1_000_000;

    /// What the store is opened with.
    pub(crate) fn settings(&self, folder: &std::path::Path) -> Settings {
        Settings {
            retention: self.retention.clone(),
            late_window: self.late_window,
            max_series: self.max_series,
            max_head_bytes: self.memory,
            decoded_bytes: usize::try_from(self.cache).unwrap_or(usize::MAX),
            ..Settings::new(folder)
        }
    }
}

/// A time, or `forever`.
pub(super) fn age(value: &DeValue<'_>) -> Result<Option<Duration>, String> {
    parse_age(text(value)?)
}

/// As [`age`], of records.
pub(super) fn record_age(value: &DeValue<'_>) -> Result<Duration, String> {
    age(value).map(|age| age.unwrap_or(Duration::MAX))
}

fn parse_age(text: &str) -> Result<Option<Duration>, String> {
    if text == "forever" {
        return Ok(None);
    }
    let (number, unit) = split(text);
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        "y" => 365 * 24,
        _ => 0,
    };
    let seconds = number.and_then(|number| number.checked_mul(hours * 3600));
    // A thousand years: more is a slip, and `forever` is shorter.
    seconds
        .filter(|seconds| (1..=1000 * 365 * 86_400).contains(seconds))
        .map(|seconds| Some(Duration::from_secs(seconds)))
        .ok_or_else(|| {
            format!(
                "is `{text}`, but must be `forever` or a time such as `12h`, `30d`, `8w`, `10y`"
            )
        })
}

/// A size in bytes.
pub(super) fn size(value: &DeValue<'_>) -> Result<u64, String> {
    at_least(value, StoreConfig::MIN_BYTES, "1MB")
}

pub(super) fn memory(value: &DeValue<'_>) -> Result<u64, String> {
    at_least(value, StoreConfig::MIN_MEMORY, "16MiB")
}

/// Nothing is a size, too.
pub(super) fn cache(value: &DeValue<'_>) -> Result<u64, String> {
    at_least(value, 0, "0MB")
}

fn at_least(value: &DeValue<'_>, min: u64, at_least: &str) -> Result<u64, String> {
    let text = text(value)?;
    let (number, unit) = split(text);
    let factor = match unit {
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => 0,
    };
    let bytes = number.and_then(|number| number.checked_mul(factor));
    bytes.filter(|bytes| *bytes >= min).ok_or_else(|| {
        format!(
            "is `{text}`, but must be a size of at least {at_least}, such as `500MB` or `20GiB`"
        )
    })
}

fn split(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or_default();
    (number.parse().ok(), unit)
}

/// `[[store.keep]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleConfig {
    #[serde(rename = "match")]
    selector: String,
    raw: Option<String>,
    minutes: Option<String>,
    hours: Option<String>,
}

/// Rules: `[[store.keep]]`.
pub(super) fn rules(value: &DeValue<'_>) -> Result<Vec<KeepRule>, String> {
    tables::<RuleConfig, _>(value, "[[store.keep]]", RuleConfig::into_rule)
}

impl RuleConfig {
    fn into_rule(self) -> Result<KeepRule, String> {
        let Self { selector, raw, minutes, hours } = self;
        let matchers =
            parse_selector(&selector).map_err(|error| format!("`match` is not usable: {error}"))?;
        if raw.is_none() && minutes.is_none() && hours.is_none() {
            return Err("needs one of `raw`, `minutes`, `hours`".to_owned());
        }
        let age = |name: &str, text: Option<String>| match text.as_deref().map(parse_age) {
            None => Ok(None),
            Some(Ok(age)) => Ok(Some(age.unwrap_or(Duration::MAX))),
            Some(Err(problem)) => Err(format!("`{name}` {problem}")),
        };
        Ok(KeepRule {
            matchers,
            raw: age("raw", raw)?,
            minutes: age("minutes", minutes)?,
            hours: age("hours", hours)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::Matcher;
    use barograph_store::Keep;

    use super::*;
    use crate::config::Config;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn what_is_kept_can_be_told_for_each_tier_and_metric() {
        let text = "[store]\nkeep_raw = '8w'\nkeep_minutes = '2y'\nkeep_hours = 'forever'\n\
                    max_raw = '20GiB'\nlate_window = 'forever'\nmemory = '64MiB'\n\
                    max_series = 5000000\n\
                    cache = '0MB'\n\
                    [[store.keep]]\nmatch = 'debug_total'\nraw = '36h'\n\
                    [[store.keep]]\nmatch = '{job=\"billing\"}'\nhours = 'forever'\nraw = '1y'\n";
        let store = Config::parse(text).unwrap().store;
        let rule = |label: &str, value: &str, raw, hours| KeepRule {
            matchers: vec![Matcher::equal(label, value)],
            raw: Some(raw),
            minutes: None,
            hours,
        };
        assert_eq!(
            store,
            StoreConfig {
                retention: Retention {
                    raw: Keep { age: Some(56 * DAY), bytes: Some(20 << 30) },
                    minutes: Keep { age: Some(730 * DAY), bytes: None },
                    hours: Keep::default(),
                    rules: vec![
                        rule("__name__", "debug_total", DAY * 3 / 2, None),
                        rule("job", "billing", 365 * DAY, Some(Duration::MAX)),
                    ],
                },
                late_window: None,
                max_series: 5_000_000,
                memory: 64 << 20,
                cache: 0,
                ..StoreConfig::default()
            }
        );
        assert_eq!(Config::default().store.retention, Retention::usual());
    }

    #[test]
    fn what_is_kept_of_processes_and_events_can_be_told() {
        const MIB: u64 = 1 << 20;
        let kept = |text: &str| {
            let StoreConfig { processes, events, .. } = Config::parse(text).unwrap().store;
            [(processes.keep, processes.max_bytes), (events.keep, events.max_bytes)]
        };
        assert_eq!(kept(""), [(30 * DAY, 1024 * MIB), (366 * DAY, 256 * MIB)]);
        let text = "[store]\nkeep_processes = '12h'\nmax_processes = '5MiB'\n\
                    keep_events = 'forever'\nmax_events = '2GiB'\n";
        assert_eq!(kept(text), [(DAY / 2, 5 * MIB), (Duration::MAX, 2048 * MIB)]);
    }

    #[test]
    fn mistakes_say_what_is_allowed() {
        let text = "[store]\nkeep_raw = '30'\nmax_hours = '5kB'\nmemory = '1MiB'\n\
                    [[store.keep]]\nmatch = 'a{'\nraw = '1d'\n";
        let problems = Config::parse(text).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said[..3],
            [
                "line 2: `store.keep_raw` is `30`, but must be `forever` or a time such as `12h`, `30d`, `8w`, `10y`",
                "line 3: `store.max_hours` is `5kB`, but must be a size of at least 1MB, such as `500MB` or `20GiB`",
                "line 4: `store.memory` is `1MiB`, but must be a size of at least 16MiB, such as `500MB` or `20GiB`",
            ]
        );
        assert!(said[3].contains("`store.keep` number 1: `match` is not usable"), "{said:?}");
        let bad = |line: &str| {
            let text = format!("[[store.keep]]\nmatch = 'a'\n{line}\n");
            Config::parse(&text).unwrap_err()[0].message.clone()
        };
        assert!(bad("").ends_with("number 1: needs one of `raw`, `minutes`, `hours`"));
        assert!(bad("raw = '1m'").contains("`raw` is `1m`, but must be"));
        assert!(bad("days = 1").contains("unknown field `days`"));
    }
}

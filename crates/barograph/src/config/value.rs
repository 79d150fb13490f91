//! The kinds of values that settings have. Messages go on from the setting's name.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use barograph_alerts::remediation::Actions;
use barograph_collect::process::Watch;
use barograph_collect::service::WatchedServices;
use barograph_collect::{FileSystems, UserCounters};
use barograph_server::{
    Check, CheckConfig, Destination, Job, Network, RemoteWriteConfig, ScrapeConfig, prometheus_jobs,
};
use serde::de::DeserializeOwned;
use toml::de::DeValue;

use crate::service::trust;

pub(super) fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    match value {
        DeValue::String(text) => Ok(text),
        _ => Err("must be a text in quotes".into()),
    }
}

pub(super) fn address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!("is `{text}`, but must be an address with a port, such as `127.0.0.1:7575`")
    })
}

pub(super) fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    match text(value)? {
        "" => Err("must name a folder".into()),
        path => Ok(PathBuf::from(path)),
    }
}

pub(super) fn host_name(value: &DeValue<'_>) -> Result<String, String> {
    const MAX_BYTES: usize = 255;
    let name = text(value)?;
    if name.is_empty() || name.len() > MAX_BYTES || name.chars().any(char::is_control) {
        return Err(format!("must be a name of 1 to {MAX_BYTES} bytes without control characters"));
    }
    Ok(name.to_owned())
}

pub(super) fn interval(value: &DeValue<'_>) -> Result<Duration, String> {
    let text = text(value)?;
    let interval = parse_duration(text).map_err(|allowed| format!("is `{text}`, but {allowed}"))?;
    let whole_seconds = interval.subsec_nanos() == 0;
    if whole_seconds && (1..=60).contains(&interval.as_secs()) {
        Ok(interval)
    } else {
        Err(format!("is `{text}`, but must be whole seconds from `1s` to `60s`"))
    }
}

/// A time of at least one second.
pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    let text = text(value)?;
    match parse_duration(text) {
        Ok(duration) if duration >= Duration::from_secs(1) => Ok(duration),
        Ok(_) => Err(format!("is `{text}`, but must be at least `1s`")),
        Err(allowed) => Err(format!("is `{text}`, but {allowed}")),
    }
}

pub(super) fn yes(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(yes) => Ok(*yes),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn paths(value: &DeValue<'_>) -> Result<Vec<PathBuf>, String> {
    const EXAMPLE: &str = "must be a list of paths in quotes, such as `['rules.yml']`";
    let paths = names(value).map_err(|_| EXAMPLE.to_owned())?;
    Ok(paths.into_iter().map(PathBuf::from).collect())
}

/// The file of what may be done about alerts.
pub(super) fn actions(value: &DeValue<'_>) -> Result<Actions, String> {
    let path = path(value)?;
    let shown = path.display();
    let failed = |error: std::io::Error| format!("is `{shown}`: {error}");
    let file = File::open(&path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.len() > Actions::MAX_FILE_BYTES as u64 {
        let (length, most) = (metadata.len(), Actions::MAX_FILE_BYTES);
        return Err(format!("is `{shown}`, which has {length} bytes; at most {most} are allowed"));
    }
    trust::check(&path, &metadata)
        .map_err(|why| format!("is `{shown}`, which is not to be trusted: {why}"))?;
    let text =
        std::io::read_to_string(file.take(Actions::MAX_FILE_BYTES as u64)).map_err(failed)?;
    Actions::read(&text).map_err(|error| format!("is `{shown}`, which has a mistake: {error}"))
}

/// Where people reach the server.
pub(super) fn url(value: &DeValue<'_>) -> Result<String, String> {
    const MAX_BYTES: usize = 300;
    let text = text(value)?.trim_end_matches('/');
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let sound = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '@');
    if rest.is_some_and(|it| !it.is_empty() && it.chars().all(sound)) && text.len() <= MAX_BYTES {
        Ok(text.to_owned())
    } else {
        Err(format!("is `{text}`, but must be an address such as `https://monitor.example.com`"))
    }
}

pub(super) fn networks(value: &DeValue<'_>) -> Result<Vec<Network>, String> {
    const EXAMPLE: &str = "must be a list of networks, such as `['10.0.0.0/8', '127.0.0.1']`";
    let texts = names(value).map_err(|_| EXAMPLE.to_owned())?;
    texts.iter().map(|it| it.parse().map_err(|error| format!("has a mistake: {error}"))).collect()
}

/// Programs with their arguments, by name: `[notify.commands]`.
pub(super) fn commands(value: &DeValue<'_>) -> Result<BTreeMap<String, Vec<String>>, String> {
    const EXAMPLE: &str =
        "must be programs with their arguments, such as `page = ['/usr/local/bin/page', '--now']`";
    let DeValue::Table(commands) = value else { return Err(EXAMPLE.into()) };
    let mut read = BTreeMap::new();
    for (name, argv) in commands {
        let argv = names(argv.get_ref()).map_err(|_| EXAMPLE.to_owned())?;
        if argv.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(format!("has no program for `{}`", name.get_ref()));
        }
        read.insert(name.get_ref().to_string(), argv);
    }
    Ok(read)
}

/// Numbers, each larger than the one before.
pub(super) fn ascending(value: &DeValue<'_>) -> Result<Vec<f64>, String> {
    const MAX: usize = 100;
    let numbers = numbers(value)?;
    if numbers.len() <= MAX && numbers.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(numbers)
    } else {
        Err(format!("must be at most {MAX} numbers, each larger than the one before"))
    }
}

/// Numbers from 0 to 1.
pub(super) fn quantiles(value: &DeValue<'_>) -> Result<Vec<f64>, String> {
    const MAX: usize = 20;
    let numbers = numbers(value)?;
    if numbers.len() <= MAX && numbers.iter().all(|number| (0.0..=1.0).contains(number)) {
        Ok(numbers)
    } else {
        Err(format!("must be at most {MAX} numbers from 0 to 1"))
    }
}

fn numbers(value: &DeValue<'_>) -> Result<Vec<f64>, String> {
    const EXAMPLE: &str = "must be a list of numbers, such as `[0.5, 1, 10]`";
    let DeValue::Array(numbers) = value else { return Err(EXAMPLE.into()) };
    let number = |value: &toml::Spanned<DeValue<'_>>| {
        let number: Option<f64> = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| EXAMPLE.to_owned())
    };
    numbers.iter().map(number).collect()
}

/// How many of something there may be.
pub(super) fn count(value: &DeValue<'_>) -> Result<usize, String> {
    count_up_to(value, 10_000_000)
}

/// How many of something small there may be.
pub(super) fn large_count(value: &DeValue<'_>) -> Result<usize, String> {
    count_up_to(value, 10_000_000_000)
}

fn count_up_to(value: &DeValue<'_>, max: usize) -> Result<usize, String> {
    let DeValue::Integer(number) = value else {
        return Err("must be a whole number without quotes".into());
    };
    let parsed = usize::from_str_radix(number.as_str(), number.radix()).ok();
    parsed
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| format!("is {number}, but must be from 1 to {max}"))
}

/// A list of names or patterns.
pub(super) fn process_names(value: &DeValue<'_>) -> Result<Watch, String> {
    Watch::new(names(value)?).map_err(|error| format!("is not usable: {error}"))
}

/// A list of types, or patterns of them.
pub(super) fn file_systems(value: &DeValue<'_>) -> Result<FileSystems, String> {
    const EXAMPLE: &str = "must be a list of types in quotes, such as `[\"nfs*\", \"tmpfs\"]`";
    let types = texts(value).ok_or(EXAMPLE)?;
    FileSystems::new(types).map_err(|error| format!("is not usable: {error}"))
}

/// A list of names or patterns.
pub(super) fn service_names(value: &DeValue<'_>) -> Result<WatchedServices, String> {
    WatchedServices::new(names(value)?).map_err(|error| format!("is not usable: {error}"))
}

fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    const EXAMPLE: &str = "must be a list of names in quotes, such as `[\"nginx\", \"postgres*\"]`";
    texts(value).ok_or_else(|| EXAMPLE.to_owned())
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    let DeValue::Array(texts) = value else { return None };
    texts.iter().map(|value| text(value.get_ref()).ok().map(str::to_owned)).collect()
}

/// Attributes of OpenTelemetry.
pub(super) fn attributes(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    /// Each takes one of a series' labels.
    const MAX_COUNT: usize = 32;
    const EXAMPLE: &str =
        "must be a list of attributes in quotes, such as `[\"deployment.environment.name\"]`";
    let found = names(value).map_err(|_| EXAMPLE.to_owned())?;
    if found.iter().any(String::is_empty) {
        return Err(EXAMPLE.to_owned());
    }
    if found.len() > MAX_COUNT {
        return Err(format!("has {} attributes, at most {MAX_COUNT} are allowed", found.len()));
    }
    Ok(found)
}

/// A list of counter paths, all mistakes in them at once.
pub(super) fn counter_paths(value: &DeValue<'_>) -> Result<UserCounters, String> {
    const EXAMPLE: &str = r"must be a list of counter paths in single quotes, such as `['\Web Service(*)\Bytes Total/sec']`";
    let DeValue::Array(paths) = value else { return Err(EXAMPLE.into()) };
    let path = |value: &toml::Spanned<DeValue<'_>>| text(value.get_ref()).map(str::to_owned);
    let paths: Result<Vec<String>, String> = paths.iter().map(path).collect();
    let paths = paths.map_err(|_| EXAMPLE.to_owned())?;
    UserCounters::new(&paths).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        format!("is not usable: {}", errors.join("; "))
    })
}

/// Jobs: `[[scrape]]`.
pub(super) fn scrapes(value: &DeValue<'_>) -> Result<Vec<Job>, String> {
    tables::<ScrapeConfig, _>(value, "[[scrape]]", ScrapeConfig::into_job)
}

/// Programs: `[[check]]`, each name once.
pub(super) fn checks(value: &DeValue<'_>) -> Result<Vec<Check>, String> {
    let checks = tables::<CheckConfig, _>(value, "[[check]]", CheckConfig::into_check)?;
    each_once(checks.iter().map(Check::name)).map(|()| checks)
}

/// Who samples are sent on to: `[[remote_write]]`, each name once.
pub(super) fn receivers(value: &DeValue<'_>) -> Result<Vec<Destination>, String> {
    let check = RemoteWriteConfig::into_destination;
    let receivers = tables::<RemoteWriteConfig, _>(value, "[[remote_write]]", check)?;
    each_once(receivers.iter().map(Destination::name)).map(|()| receivers)
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("has the name `{name}` twice"));
        }
    }
    Ok(())
}

/// Files with `scrape_configs` as Prometheus reads them.
pub(super) fn scrape_files(value: &DeValue<'_>) -> Result<Vec<Job>, String> {
    let mut jobs = Vec::new();
    for path in names(value)? {
        jobs.extend(prometheus_jobs(path.as_ref())?);
    }
    Ok(jobs)
}

/// A list of tables, each read by serde and then checked.
pub(super) fn tables<C: DeserializeOwned, T>(
    value: &DeValue<'_>,
    written: &str,
    check: fn(C) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let DeValue::Array(tables) = value else {
        return Err(format!("must be a list of tables: write each as `{written}`"));
    };
    let table = |(index, table): (usize, &toml::Spanned<DeValue<'_>>)| {
        serde_json::from_value(json(table.get_ref()))
            .map_err(|error| error.to_string())
            .and_then(check)
            .map_err(|error| format!("number {}: {error}", index + 1))
    };
    tables.iter().enumerate().map(table).collect()
}

/// The same value, as serde's derived readers take it.
fn json(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value;
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        DeValue::Float(number) => {
            let parsed: Result<f64, _> = number.as_str().parse();
            parsed.map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())))
            .collect(),
    }
}

/// A number with a unit: `500ms`, `1s`, `5m`, `2h`, `30d`, `2w`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or_default();
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 24 * 3_600_000,
        "w" => 7 * 24 * 3_600_000,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms))
        .filter(|ms| *ms > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            "must be a number above zero with a unit: `500ms`, `1s`, `5m`, `2h`, `30d` or `2w`"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(parse_duration("2w"), Ok(Duration::from_secs(1_209_600)));
        for bad in [
            "",
            "5",
            "s",
            "0s",
            "-1s",
            "1y",
            "1 s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}

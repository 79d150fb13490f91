//! A notification in words, before a channel escapes them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::notification::{Alert, Event, Notification};

/// At most so many characters; what was cut off is marked.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// At most so many bytes.
pub(crate) fn cut_bytes(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mark = '…';
    let fits = text.char_indices().take_while(|(i, c)| i + c.len_utf8() + mark.len_utf8() <= max);
    fits.map(|(_, c)| c).chain([mark]).collect()
}

/// One line: what stands in a subject or a header.
pub(crate) fn line(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() || is_break(c) { ' ' } else { c });
    clean.collect::<String>().trim().to_owned()
}

fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}')
}

/// Such as `[FIRING] Disk C: is nearly full`.
pub(crate) fn headline(it: &Notification) -> String {
    let title = cut(&line(&it.title), 200);
    match it.event {
        Event::Firing | Event::Worsened | Event::Escalated | Event::Repeated => {
            format!("[{} {}] {title}", it.event.word(), it.severity.word())
        }
        _ => format!("[{}] {title}", it.event.word()),
    }
}

/// A value as people write it: four digits, and the unit.
pub(crate) fn value(value: f64, unit: &str) -> String {
    let size = value.abs();
    let (scaled, prefix) = match unit {
        "bytes" | "B" | "B/s" | "bytes/s" if size >= 1024.0 => scale(value, 1024.0),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        it if it >= 1000.0 || it == 0.0 => 0,
        it if it >= 100.0 => 1,
        it if it >= 1.0 => 2,
        _ => 4,
    };
    let number = format!("{scaled:.digits$}");
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    let unit = unit.replace("bytes", "B");
    match (prefix, &*unit) {
        ("", "") => number.to_owned(),
        ("", "%") => format!("{number} %"),
        _ => format!("{number} {prefix}{unit}"),
    }
}

fn scale(value: f64, base: f64) -> (f64, &'static str) {
    let mut scaled = value;
    let mut prefix = "";
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] {
        if scaled.abs() < base {
            break;
        }
        (scaled, prefix) = (scaled / base, next);
    }
    (scaled, prefix)
}

/// Such as `26 Nov 03:12 CET`.
pub(crate) fn time(ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%-d %b %H:%M %Z").to_string(),
        Err(_) => "an impossible time".to_owned(),
    }
}

/// As RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .or_else(|_| Timestamp::UNIX_EPOCH.checked_add(0.seconds()))
        .map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

/// Such as `2 h 5 min`.
pub(crate) fn length(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// What is known of the incident, as pairs of a word and what it is.
pub(crate) fn facts(it: &Notification, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(host) = &it.host {
        facts.push(("Host", line(host)));
    }
    facts.push(("Severity", it.severity.word().to_owned()));
    if let [alert] = &it.alerts[..]
        && let Some(measured) = measured(alert)
    {
        facts.push(("Value", measured));
    }
    match it.ended_ms {
        Some(ended_ms) => {
            let lasted = length(ended_ms - it.since_ms);
            let times = format!("{} to {}", time(it.since_ms, zone), time(ended_ms, zone));
            facts.push(("Time", format!("{times} ({lasted})")));
        }
        None => facts.push(("Since", time(it.since_ms, zone))),
    }
    if let Some(act) = &it.act {
        let reason = line(&act.reason);
        let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
        let until = act.until_ms.map(|ms| format!(", until {}", time(ms, zone)));
        let by = line(&act.by);
        facts.push(("By", format!("{by}{}{reason}", until.unwrap_or_default())));
    }
    if let Some(number) = it.incident {
        facts.push(("Incident", format!("#{number}")));
    }
    facts
}

/// The value, and what it is compared with.
pub(crate) fn measured(alert: &Alert) -> Option<String> {
    let measured = value(alert.value?, &alert.unit);
    Some(match alert.threshold {
        Some(threshold) => {
            format!("{measured} (threshold {})", value(threshold, &alert.unit))
        }
        None => measured,
    })
}

/// What an alert says of itself, on one line.
pub(crate) fn alert_line(alert: &Alert) -> String {
    let said = ["summary", "description", "message"]
        .into_iter()
        .find_map(|name| alert.annotations.get(name).filter(|it| !it.trim().is_empty()));
    let mut text = said.map_or_else(|| alert.name.clone(), |said| line(said));
    if let Some(measured) = measured(alert) {
        text = format!("{text}: {measured}");
    }
    cut(&text, 300)
}

/// Such as `chrome (pid 4711, anna): 93 % of a core, 1.2 GiB`.
pub(crate) fn processes(it: &Notification, max: usize) -> Vec<String> {
    let busiest = it.evidence.processes.iter().take(max);
    let lines = busiest.map(|process| {
        let user = line(&process.user);
        let user = if user.is_empty() { user } else { format!(", {user}") };
        let cpu = value(process.cpu_percent, "%");
        let memory = value(process.memory_bytes, "bytes");
        let io = process.io_bytes_per_second;
        let io = if io > 0.0 { format!(", {} I/O", value(io, "B/s")) } else { String::new() };
        let name = cut(&line(&process.name), 60);
        format!("{name} (pid {}{user}): {cpu} CPU, {memory}{io}", process.pid)
    });
    lines.collect()
}

/// Such as `03:11 service Spooler stopped`.
pub(crate) fn events(it: &Notification, zone: &TimeZone, max: usize) -> Vec<String> {
    let newest = it.evidence.events.iter().take(max);
    newest.map(|e| format!("{} {}", time(e.at_ms, zone), cut(&line(&e.text), 200))).collect()
}

/// The links that there are, with what they are called.
pub(crate) fn links(it: &Notification) -> Vec<(&'static str, &str)> {
    let runbook = it.alerts.iter().find_map(|alert| alert.runbook.as_ref());
    let links = &it.links;
    let all = [
        ("Open", links.page.as_ref().or(links.server.as_ref())),
        ("Acknowledge", links.acknowledge.as_ref().filter(|_| it.event.is_open())),
        ("Silence", links.silence.as_ref().filter(|_| it.event.is_open())),
        ("Runbook", links.runbook.as_ref().or(runbook)),
    ];
    all.into_iter()
        .filter_map(|(name, url)| Some((name, url.filter(|it| is_link(it))?.as_str())))
        .collect()
}

/// Whether an address may be offered to be clicked on.
fn is_link(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"`".contains(c))
}

/// What a digest tells, one line each.
pub(crate) fn told_briefs(it: &Notification, zone: &TimeZone) -> Vec<String> {
    let lines = it.told.iter().map(|told| {
        let host = told.host.as_ref().map(|host| format!(", {}", line(host)));
        let title = cut(&line(&told.title), 200);
        let (event, since) = (told.event.word(), time(told.since_ms, zone));
        let severity = told.severity.word();
        format!("{event} {severity}: {title}{} ({since})", host.unwrap_or_default())
    });
    lines.collect()
}

/// Everything but the links, as plain text of several lines.
pub(crate) fn told(it: &Notification, zone: &TimeZone) -> String {
    let mut lines: Vec<String> = Vec::new();
    if it.event == Event::Test {
        lines.push("This is a test: nothing is wrong.".to_owned());
        lines.push(String::new());
    }
    lines.extend(told_briefs(it, zone));
    if it.event == Event::Digest {
        return lines.join("\n");
    }
    lines.extend(facts(it, zone).into_iter().map(|(name, text)| format!("{name}: {text}")));
    section(&mut lines, "Alerts", it.alerts.iter().take(20).map(alert_line).collect());
    let more = it.more_alerts + it.alerts.len().saturating_sub(20);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    section(&mut lines, "Busiest processes", processes(it, 10));
    section(&mut lines, "Before it", events(it, zone, 10));
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, items: Vec<String>) {
    if !items.is_empty() {
        lines.push(String::new());
        lines.push(format!("{title}:"));
        lines.extend(items.into_iter().map(|item| format!("  {item}")));
    }
}

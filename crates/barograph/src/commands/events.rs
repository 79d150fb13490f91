//! `barograph events`: what happened on the host, as a running server has stored it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use barograph_model::{Clock as _, SystemClock};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::client::{Client, ServerArgs};
use crate::moment::moment;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// From then on: a time with its zone, such as 2026-11-22T03:12:00Z, milliseconds since 1970,
    /// or how long ago, such as 10m [default: 1h ago].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<i64>,
    /// Up to then [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "follow")]
    to: Option<i64>,
    /// Only events of this kind, such as `process_started`; can be given several times.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<String>,
    /// How many to show, the newest.
    #[arg(long, value_name = "N", default_value = "1000",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
    /// Go on, and show what happens until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Print JSON, one object per event and line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// The part of the server's answer that is shown.
#[derive(Debug, Deserialize)]
struct Answer {
    events: Vec<Event>,
    more: bool,
    damaged: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
struct Event {
    time_ms: i64,
    timestamp: String,
    kind: String,
    subject: String,
    fields: BTreeMap<String, Field>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(untagged)]
enum Field {
    Integer(i64),
    Text(String),
}

fn kind(text: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(sound) {
        Ok(text.to_owned())
    } else {
        Err("a kind is made of a-z, 0-9 and _, such as `process_started`".to_owned())
    }
}

pub(crate) fn run(args: &EventsArgs) -> anyhow::Result<()> {
    const AN_HOUR_MS: i64 = 3_600_000;
    let client = Client::new(&args.server)?;
    let now_ms = SystemClock::new().now_ms();
    let from_ms = args.from.unwrap_or_else(|| now_ms.saturating_sub(AN_HOUR_MS));
    let answer = ask(&client, args, from_ms)?;
    if answer.more {
        output::note(&format!("only the newest {} are shown", answer.events.len()))?;
    }
    if answer.damaged > 0 {
        output::note(&format!("{} stored events cannot be read", answer.damaged))?;
    }
    for event in &answer.events {
        print(event, args.json)?;
    }
    if args.follow { follow(&client, args, from_ms, answer.events) } else { Ok(()) }
}

/// Asks again each second, and shows what was not there before. A server that does not answer
/// may be starting again.
fn follow(
    client: &Client,
    args: &EventsArgs,
    from_ms: i64,
    seen: Vec<Event>,
) -> anyhow::Result<()> {
    const EVERY: Duration = Duration::from_secs(1);
    /// An event found by comparing two lists comes this much after it happened.
    const LATE_MS: i64 = 120_000;
    let mut newest_ms = seen.last().map_or(from_ms, |event| event.time_ms);
    let mut seen: HashSet<Event> = seen.into_iter().collect();
    let mut is_gone = false;
    loop {
        std::thread::sleep(EVERY);
        let since_ms = newest_ms.saturating_sub(LATE_MS).max(from_ms);
        seen.retain(|event| event.time_ms >= since_ms);
        let answer = match ask(client, args, since_ms) {
            Ok(answer) => answer,
            Err(error) => {
                if !std::mem::replace(&mut is_gone, true) {
                    output::note(&format!("{error:#}; it is asked again every second"))?;
                }
                continue;
            }
        };
        if std::mem::take(&mut is_gone) {
            output::note("the server answers again")?;
        }
        for event in answer.events {
            newest_ms = newest_ms.max(event.time_ms);
            if !seen.contains(&event) {
                print(&event, args.json)?;
                seen.insert(event);
            }
        }
    }
}

fn ask(client: &Client, args: &EventsArgs, from_ms: i64) -> anyhow::Result<Answer> {
    let mut asked = vec![format!("from={from_ms}"), format!("limit={}", args.limit)];
    asked.extend(args.kind.iter().map(|kind| format!("kind={kind}")));
    asked.extend(args.to.map(|to_ms| format!("to={to_ms}")));
    client.get(&format!("/api/events?{}", asked.join("&")))
}

fn print(event: &Event, as_json: bool) -> anyhow::Result<()> {
    if as_json { output::json(event) } else { output::line(&text(event)) }
}

fn text(event: &Event) -> String {
    // The subject says these already.
    let is_new = |name: &&String| !matches!(name.as_str(), "pid" | "name");
    let fields: String = event
        .fields
        .iter()
        .filter(|(name, _)| is_new(name))
        .map(|(name, value)| match value {
            Field::Integer(number) => format!("  {name}={number}"),
            Field::Text(text) => format!("  {name}={}", output::plain(text)),
        })
        .collect();
    format!("{}  {}  {}{fields}", event.timestamp, event.kind, output::plain(&event.subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let fields = [
            ("pid".to_owned(), Field::Integer(7)),
            ("exit_code".to_owned(), Field::Integer(1)),
            ("command_line".to_owned(), Field::Text("a\nb".into())),
        ];
        let event = Event {
            time_ms: 0,
            timestamp: "1970-01-01T00:00:00.000Z".into(),
            kind: "process_ended".into(),
            subject: "a (7)".into(),
            fields: fields.into(),
        };
        assert_eq!(
            text(&event),
            "1970-01-01T00:00:00.000Z  process_ended  a (7)  command_line=a�b  exit_code=1"
        );
    }

    #[test]
    fn kinds_are_checked() {
        assert!(kind("process_started").is_ok());
        assert!(kind("a&from=0").unwrap_err().contains("a-z"));
    }
}

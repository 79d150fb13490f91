//! `barograph rules backtest`: what rules would have done.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use barograph_alerts::incident::shown;
use barograph_alerts::machine::Texts;
use barograph_model::{Clock as _, SystemClock};
use barograph_promql::{format_duration, parse_duration};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::asking::Asking;
use crate::client::Client;
use crate::commands::documents::encoded;
use crate::output;

/// Long histories of many series take their time; Ctrl-C ends the evaluation, too.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Firings of one rule that are listed for people.
const MAX_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// A rule file.
    file: PathBuf,
    /// How far back, such as 6h or 30d.
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = length)]
    last: Duration,
    /// Time between two evaluations; without it as fits the range, 10s or more.
    #[arg(long, value_name = "DURATION", value_parser = crate::config::parse_duration)]
    step: Option<Duration>,
    /// Only the rules of this name.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Deserialize)]
struct Answer {
    from_ms: i64,
    to_ms: i64,
    step_ms: i64,
    rules: Vec<Tested>,
}

#[derive(Debug, Deserialize)]
struct Tested {
    rule: String,
    expr: String,
    fired: u64,
    firing_seconds: i64,
    dropped: u64,
    firings: Vec<Firing>,
    recorded: Vec<String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Firing {
    labels: Texts,
    from_ms: i64,
    to_ms: Option<i64>,
    max: Option<f64>,
    min: Option<f64>,
}

pub(super) fn run(args: &BacktestArgs) -> anyhow::Result<()> {
    let shown = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let client = Client::patient(&args.asking.server, PATIENCE)?;
    let ms = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let from_ms = SystemClock::new().now_ms().saturating_sub(ms(args.last));
    let mut path = format!("/api/rules/backtest?from={from_ms}");
    if let Some(step) = args.step {
        path.extend(["&step=", &ms(step).to_string()]);
    }
    if let Some(rule) = &args.rule {
        path.extend(["&rule=", &encoded(rule)]);
    }
    let found: Value = client.send_text("POST", &path, &text)?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    output::line(&output::plain_lines(&report(&serde_json::from_value(found)?)))
}

/// A length of time in Prometheus' words, which know days and weeks.
fn length(text: &str) -> Result<Duration, String> {
    let ms = parse_duration(text).map_err(|error| format!("{error}; such as 6h or 30d"))?;
    u64::try_from(ms).map(Duration::from_millis).map_err(|error| error.to_string())
}

fn report(answer: &Answer) -> String {
    let Answer { from_ms, to_ms, step_ms, rules } = answer;
    let mut lines = vec![format!(
        "{} to {}, evaluated every {}",
        output::timestamp(*from_ms),
        output::timestamp(*to_ms),
        format_duration(*step_ms)
    )];
    for it in rules {
        lines.push(String::new());
        lines.push(format!("{}: {}", it.rule, it.expr));
        if let Some(error) = &it.error {
            lines.push(format!("  could not be evaluated: {error}"));
            continue;
        }
        if !it.recorded.is_empty() {
            lines.push(format!("  as this file records {}", it.recorded.join(", ")));
        }
        lines.push(format!(
            "  would have fired {} times, {} in all; {} times it was pending only",
            it.fired,
            format_duration(it.firing_seconds * 1000),
            it.dropped
        ));
        lines.extend(it.firings.iter().take(MAX_SHOWN).map(firing));
        if it.firings.len() > MAX_SHOWN {
            lines.push(format!("  and {} more", it.firings.len() - MAX_SHOWN));
        }
    }
    lines.join("\n")
}

fn firing(it: &Firing) -> String {
    let length = it.to_ms.map_or_else(
        || "until the end".to_owned(),
        |to_ms| format!("for {}", format_duration(to_ms - it.from_ms)),
    );
    let range = match (it.min, it.max) {
        (Some(min), Some(max)) => format!(", {min} to {max}"),
        _ => String::new(),
    };
    format!("  {} {length}, {}{range}", output::timestamp(it.from_ms), shown(&it.labels))
}

//! `barograph query`: asks a running server in PromQL, and shows the answer as a table, a chart,
//! CSV or JSON.

mod answer;
mod caret;
mod chart;
mod csv;
mod scale;
mod table;

use std::io::IsTerminal as _;

use barograph_model::{Clock as _, SystemClock};
use clap::Args;

use crate::client::{Client, ServerArgs};
use crate::failure::Failure;
use crate::moment::moment;
use crate::output;

use answer::{Answer, Result as Found};

/// Columns and rows where the terminal does not tell.
const SIZE: (usize, usize) = (80, 24);
/// Points of a range unless `--step` says otherwise.
const POINTS: i64 = 240;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    /// A PromQL expression, or a counter path such as '\Memory\Available Bytes'.
    #[arg(value_name = "EXPR")]
    expr: String,
    /// Ask for this much time up to now (or up to --at), and draw a chart: 30m, 1h, 7d.
    #[arg(long, value_name = "DURATION", value_parser = length)]
    range: Option<i64>,
    /// Time between two points of a range [default: a fitting one].
    #[arg(long, value_name = "DURATION", value_parser = length, requires = "range")]
    step: Option<i64>,
    /// The moment that is asked for: how long ago, such as 10m, or a time with its zone.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<i64>,
    /// Print the server's answer as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV: a column for each series.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = r"Examples:
  barograph query 'topk(3, rate(process_group_cpu_seconds_total[5m]))'
  barograph query '\PhysicalDisk(*)\Disk Reads/sec' --range 1h
  barograph query cpu_usage --range 7d --step 1h --csv > cpu.csv";

/// Milliseconds from a duration as PromQL writes it.
fn length(text: &str) -> Result<i64, String> {
    barograph_promql::parse_duration(text)
        .ok()
        .filter(|ms| *ms > 0)
        .ok_or_else(|| "must be a duration above zero, such as `30m`, `1h30m` or `7d`".to_owned())
}

pub(crate) fn run(args: &QueryArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let to_ms = args.at.unwrap_or_else(|| SystemClock::new().now_ms());
    let body = match args.range {
        None => client.ask("/api/v1/query", &[("query", &args.expr), ("time", &seconds(to_ms))]),
        Some(range_ms) => {
            let step_ms = args.step.unwrap_or_else(|| fitting_step(range_ms));
            // Steps are counted from the epoch, so that the same question has the same points.
            let (from_ms, to_ms) = (aligned(to_ms - range_ms, step_ms), aligned(to_ms, step_ms));
            let form = [
                ("query", args.expr.as_str()),
                ("start", &seconds(from_ms)),
                ("end", &seconds(to_ms)),
                ("step", &seconds(step_ms)),
            ];
            client.ask("/api/v1/query_range", &form)
        }
    }?;
    let answer = Answer::read(&body)
        .map_err(|refusal| Failure::Input(caret::pointed(&args.expr, &refusal)))?;
    if args.json {
        return output::line(String::from_utf8_lossy(&body).trim());
    }
    for warning in answer.warnings.iter().chain(&answer.infos) {
        output::note(&format!("barograph: {}", output::plain(warning)))?;
    }
    if args.csv {
        return output::line(&csv::csv(&answer.found));
    }
    show(&answer.found)
}

fn show(found: &Found) -> anyhow::Result<()> {
    let is_terminal = std::io::stdout().is_terminal();
    let has_colours = is_terminal && std::env::var_os("NO_COLOR").is_none();
    let size = if is_terminal { crossterm::terminal::size().ok() } else { None };
    let (width, height) =
        size.map_or(SIZE, |(width, height)| (usize::from(width), usize::from(height)));
    match found {
        Found::Matrix(series) if series.is_empty() => output::line("no series in this range"),
        Found::Vector(samples) if samples.is_empty() => output::line("no series at this moment"),
        Found::Matrix(series) => {
            output::line(&chart::chart(series, chart::Size { width, height }, has_colours))
        }
        Found::Vector(samples) => output::line(&table::table(samples)),
        Found::Scalar(value) => output::line(&barograph_promql::plain_number(*value)),
        Found::Text(text) => output::line(&output::plain(text)),
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

fn aligned(ms: i64, step_ms: i64) -> i64 {
    ms.div_euclid(step_ms) * step_ms
}

/// Whole seconds that give about as many points as a chart can show.
fn fitting_step(range_ms: i64) -> i64 {
    let second = 1000;
    (range_ms / POINTS).div_euclid(second).max(1) * second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fit_the_range() {
        assert_eq!(fitting_step(60_000), 1000);
        assert_eq!(fitting_step(3_600_000), 15_000);
        assert_eq!(aligned(-1500, 1000), -2000);
        assert_eq!(seconds(-500), "-1.500");
        assert_eq!(seconds(1_500), "1.500");
    }
}

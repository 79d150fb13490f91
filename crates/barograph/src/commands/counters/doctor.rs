//! `barograph counters doctor`: what keeps this machine from telling its counters.

use std::fmt::Write as _;
use std::sync::Arc;

use barograph_collect::Roots;
use barograph_collect::doctor::{Facts, Finding, Outcome, Severity, SourceFact, check, gather};
use barograph_model::{Clock, SystemClock};
use serde::Serialize;

use crate::cli::CountersDoctorArgs;
use crate::output;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    findings: Vec<FindingAnswer<'a>>,
    sources: Vec<SourceAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct FindingAnswer<'a> {
    severity: &'static str,
    code: &'static str,
    what: &'a str,
    why: &'a str,
    repair: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct SourceAnswer<'a> {
    name: &'static str,
    outcome: &'static str,
    samples: usize,
    milliseconds: f64,
    why: Option<&'a str>,
}

pub(crate) fn doctor(args: &CountersDoctorArgs) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let facts = gather(&Roots::default(), &clock);
    let findings = check(&facts);
    if args.json {
        output::pretty_json(&answer(&facts, &findings))?;
    } else {
        output::line(&text(&facts, &findings))?;
    }
    match count(&findings, Severity::Error) {
        0 => Ok(()),
        1 => anyhow::bail!("1 grave finding"),
        count => anyhow::bail!("{count} grave findings"),
    }
}

fn answer<'a>(facts: &'a Facts, findings: &'a [Finding]) -> Answer<'a> {
    let of_finding = |finding: &'a Finding| FindingAnswer {
        severity: finding.severity.as_str(),
        code: finding.code,
        what: &finding.what,
        why: finding.why,
        repair: finding.repair.as_deref(),
    };
    Answer {
        findings: findings.iter().map(of_finding).collect(),
        sources: facts.sources.iter().map(of_source).collect(),
    }
}

fn of_source(source: &SourceFact) -> SourceAnswer<'_> {
    let (outcome, samples, why) = match &source.outcome {
        Outcome::Told(samples) => ("told", *samples, None),
        Outcome::Absent(why) => ("absent", 0, Some(why.as_str())),
        Outcome::Failed(why) => ("failed", 0, Some(why.as_str())),
        Outcome::Hung => ("hung", 0, None),
    };
    let milliseconds = (source.seconds * 1e6).round() / 1e3;
    SourceAnswer { name: source.name, outcome, samples, milliseconds, why }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn text(facts: &Facts, findings: &[Finding]) -> String {
    let mut rows = vec![["source", "", "samples", "time"].map(str::to_owned).to_vec()];
    rows.extend(facts.sources.iter().map(of_source).map(|source| {
        let time = match source.outcome {
            "absent" => "–".to_owned(),
            _ => format!("{:.2} ms", source.milliseconds),
        };
        vec![format!("  {}", source.name), source.outcome.into(), source.samples.to_string(), time]
    }));
    let mut text = output::table(&rows);
    text.push('\n');
    for finding in findings {
        let Finding { severity, code, what, why, repair } = finding;
        // Writing to a string cannot fail.
        write!(text, "\n{} {code}: {what}\n    {why}", severity.as_str()).unwrap_or_default();
        if let Some(repair) = repair {
            write!(text, "\n    to repair it: {repair}").unwrap_or_default();
        }
    }
    let counts = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ]
    .map(|(severity, one, many)| match count(findings, severity) {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    });
    let end = if findings.is_empty() { "" } else { "\n" };
    text + end + "\n" + &counts.join(", ")
}

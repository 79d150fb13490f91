//! `barograph notify pagers`: whether people can be reached, as their tests say.

use std::collections::BTreeMap;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::asking::Asking;
use crate::client::Client;
use crate::commands::documents::encoded;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct PagersArgs {
    /// Test this person's pager now.
    #[arg(long, value_name = "PERSON")]
    now: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Deserialize)]
struct Pagers {
    people: Vec<Pager>,
}

#[derive(Debug, Deserialize)]
struct Pager {
    person: String,
    next_ms: Option<i64>,
    tests: Vec<Test>,
}

#[derive(Debug, Deserialize)]
struct Test {
    sent_ms: i64,
    state: String,
    ways: BTreeMap<String, Way>,
}

#[derive(Debug, Deserialize)]
struct Way {
    state: String,
    problem: Option<String>,
}

pub(super) fn run(args: &PagersArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let answer: Value = match &args.now {
        Some(person) => {
            let address = format!("/api/pager_tests/{}", encoded(person));
            json!({"people": [client.post::<Value>(&address, &json!({}))?]})
        }
        None => client.get("/api/pager_tests")?,
    };
    if args.asking.json {
        return output::pretty_json(&answer);
    }
    let Pagers { people } = serde_json::from_value(answer)?;
    output::line(&table(&people))
}

fn table(people: &[Pager]) -> String {
    if people.is_empty() {
        return "There is nobody among people.".to_owned();
    }
    let heads = ["person", "next test", "last test", "answer", "answered", "by"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for it in people {
        let none = || "-".to_owned();
        let last = it.tests.first();
        let counts = |test: &&Test| matches!(test.state.as_str(), "answered" | "late");
        let answered = it.tests.iter().filter(counts).count();
        let ways = last.map_or_else(String::new, |test| {
            let ways = test.ways.iter().map(|(name, way)| match &way.problem {
                Some(problem) => format!("{name} ({}: {problem})", way.state),
                None => format!("{name} ({})", way.state),
            });
            ways.collect::<Vec<_>>().join(", ")
        });
        rows.push(vec![
            it.person.clone(),
            it.next_ms.map_or_else(none, output::timestamp),
            last.map_or_else(none, |test| output::timestamp(test.sent_ms)),
            last.map_or_else(none, |test| test.state.clone()),
            format!("{answered} of {}", it.tests.len()),
            ways,
        ]);
    }
    // Names and texts come from others.
    let row = |row: Vec<String>| row.iter().map(|cell| output::plain(cell)).collect();
    output::table(&rows.into_iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_who_did_not_answer_and_why() {
        let people: Vec<Pager> = serde_json::from_value(json!([
            {"person": "anna", "next_ms": 0, "tests": [
                {"sent_ms": 0, "state": "missed", "ways": {
                    "mail": {"state": "delivered"},
                    "sms": {"state": "failed", "problem": "no credit"}}},
                {"sent_ms": 0, "state": "late", "ways": {}}]},
            {"person": "ben", "next_ms": null, "tests": []}
        ]))
        .unwrap();
        let text = table(&people);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("missed") && lines[1].contains("1 of 2"), "{text}");
        assert!(lines[1].ends_with("mail (delivered), sms (failed: no credit)"), "{text}");
        assert!(lines[2].starts_with("ben") && lines[2].contains("0 of 0"), "{text}");
    }
}

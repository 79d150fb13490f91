//! `barograph counters list --system`: what the system offers beyond the catalog.

use barograph_collect::{Search, SystemObject, SystemObjects};
use barograph_model::Pattern;
use serde::Serialize;

use crate::cli::CountersListArgs;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Serialize)]
struct ObjectAnswer<'a> {
    object: &'a str,
    counters: Vec<CounterAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct CounterAnswer<'a> {
    path: &'a str,
    counter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// As Windows' header files number it.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'a str,
}

/// Kinds and explanations are asked for when one object is named: for all of them every program
/// that offers counters would be loaded.
pub(super) fn list(args: &CountersListArgs) -> anyhow::Result<()> {
    let search = Search {
        object: args.object.as_deref().map(Pattern::new),
        text: args.search.clone().unwrap_or_default(),
        explained: args.object.is_some(),
    };
    let mut objects = SystemObjects::open()
        .map_err(|error| Failure::Input(format!("--system: {}", barograph_model::chain(&error))))?;
    let found = objects.find(&search)?;
    if args.json {
        let answers: Vec<_> = found.iter().map(|object| answer(object, args.instances)).collect();
        return output::pretty_json(&answers);
    }
    output::line(&text(&found, args.instances))
}

fn answer(object: &SystemObject, with_instances: bool) -> ObjectAnswer<'_> {
    let SystemObject { name, counters, instances, failure } = object;
    let counters = counters.iter().map(|counter| CounterAnswer {
        path: &counter.path,
        counter: &counter.name,
        kind: counter.kind,
        r#type: counter.code.map(|code| format!("0x{code:08X}")),
        help: &counter.explanation,
    });
    ObjectAnswer {
        object: name,
        counters: counters.collect(),
        instances: instances.as_deref().filter(|_| with_instances),
        failure: failure.as_deref(),
    }
}

/// A table, with the instances of each object above it.
fn text(found: &[SystemObject], with_instances: bool) -> String {
    if found.is_empty() {
        return "the system offers no such counter".to_owned();
    }
    let mut lines = Vec::new();
    for SystemObject { name, counters, instances, failure } in found {
        match (failure, instances.as_deref().filter(|_| with_instances)) {
            (Some(why), _) => lines.push(format!("{name}: not told ({why})")),
            (None, Some([])) => lines.push(format!("{name}: no instances now")),
            (None, Some(names)) => lines.push(format!("{name}: {}", names.join(" | "))),
            (None, None) => {}
        }
        let row = |counter: &barograph_collect::SystemCounter| {
            let kind = counter.kind.unwrap_or_default();
            vec![format!("  {}", counter.path), kind.to_owned(), one_line(&counter.explanation)]
        };
        let rows: Vec<_> = counters.iter().map(row).collect();
        if !rows.is_empty() {
            lines.push(output::table(&rows));
        }
    }
    lines.join("\n")
}

/// Explanations come with line ends, as they please.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use barograph_collect::SystemCounter;

    use super::*;

    fn found() -> Vec<SystemObject> {
        let counter = SystemCounter {
            name: "Rate".into(),
            path: r"\Web Service(*)\Rate".into(),
            code: Some(0x1041_0500),
            kind: Some("rate"),
            explanation: "How many\r\n a second".into(),
        };
        let web = SystemObject {
            name: "Web Service".into(),
            counters: vec![counter],
            instances: Some(vec!["_Total".into(), "site".into()]),
            failure: None,
        };
        let silent = SystemObject {
            name: "Silent".into(),
            counters: Vec::new(),
            instances: None,
            failure: Some("no data".into()),
        };
        vec![web, silent]
    }

    #[test]
    fn a_table_has_explanations_in_one_line_and_says_what_is_not_told() {
        let all = text(&found(), true);
        let lines: Vec<_> = all.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "Web Service: _Total | site");
        assert!(lines[1].starts_with(r"  \Web Service(*)\Rate"), "{all}");
        assert!(lines[1].ends_with("rate  How many a second"), "{all}");
        assert_eq!(lines[2], "Silent: not told (no data)");
        assert_eq!(text(&found(), false).lines().count(), 2);
        assert_eq!(text(&[], true), "the system offers no such counter");
    }

    #[test]
    fn programs_get_the_number_of_the_kind() {
        let found = found();
        let answers: Vec<_> = found.iter().map(|object| answer(object, false)).collect();
        let json = serde_json::to_value(answers).unwrap();
        assert_eq!(json[0]["counters"][0]["type"], "0x10410500");
        assert!(json[0].get("instances").is_none());
        assert_eq!(json[1]["failure"], "no data");
    }
}

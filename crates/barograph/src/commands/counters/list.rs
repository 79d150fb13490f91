//! `barograph counters list`: objects, counters and instances, searched and explained.

use std::sync::Arc;

use barograph_collect::Roots;
use barograph_collect::catalog::{self, Offer, Row};
use barograph_model::{Pattern, SystemClock};
use serde::Serialize;

use crate::cli::CountersListArgs;
use crate::output;

#[derive(Debug, Serialize)]
struct CounterAnswer {
    path: String,
    object: &'static str,
    counter: &'static str,
    kind: &'static str,
    /// The constant of Windows' header files.
    r#type: &'static str,
    unit: &'static str,
    help: &'static str,
    /// Whether this system has what the counter is made of.
    served: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Vec<String>>,
}

pub(crate) fn list(args: &CountersListArgs) -> anyhow::Result<()> {
    if args.system {
        return super::system::list(args);
    }
    let wanted = args.search.as_deref().unwrap_or_default().to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&wanted);
    let object = args.object.as_deref().map(Pattern::new);
    let is_wanted = |row: &&Row| {
        object.as_ref().is_none_or(|object| object.matches(row.object))
            && (holds(&row.path()) || holds(row.help))
    };
    let rows: Vec<&'static Row> = catalog::rows().filter(|row| is_wanted(row)).collect();
    let counters: Vec<_> = catalog::offers(&Roots::default(), Arc::new(SystemClock::new()), &rows)
        .into_iter()
        .map(|offer| answer(offer, args.instances))
        .filter(|counter| args.all || counter.served)
        .collect();
    if args.json {
        return output::pretty_json(&counters);
    }
    if counters.is_empty() {
        return output::line(&nothing(args));
    }
    output::line(&text(&counters))
}

fn answer(offer: Offer, with_instances: bool) -> CounterAnswer {
    let Offer { row, instances, why_not } = offer;
    let has_instances = row.instances.are_named();
    CounterAnswer {
        path: row.path(),
        object: row.object,
        counter: row.counter,
        kind: row.kind().as_str(),
        r#type: row.pdh_type.name(),
        unit: row.unit.as_str(),
        help: row.help,
        served: why_not.is_none(),
        why_not,
        instances: (with_instances && has_instances).then_some(instances),
    }
}

fn nothing(args: &CountersListArgs) -> String {
    let object = args.object.iter().map(|name| format!(" of an object `{name}`"));
    let search = args.search.iter().map(|text| format!(" has `{text}` in its path or explanation"));
    let hint = if args.all { "" } else { " that this system serves; --all shows the others" };
    ["no counter".to_owned()]
        .into_iter()
        .chain(object)
        .chain(search)
        .chain([hint.to_owned()])
        .collect()
}

/// A table, with the instances of a counter below it.
fn text(counters: &[CounterAnswer]) -> String {
    let rows: Vec<Vec<String>> = counters
        .iter()
        .map(|counter| {
            let why = counter.why_not.as_ref().map(|why| format!(" (not on this system: {why})"));
            let help = format!("{}{}", counter.help, why.unwrap_or_default());
            vec![counter.path.clone(), counter.kind.into(), counter.unit.into(), help]
        })
        .collect();
    let table = output::table(&rows);
    let with_instances =
        table.lines().zip(counters).map(|(line, counter)| match counter.instances.as_deref() {
            None => line.to_owned(),
            Some([]) => format!("{line}\n    no instances now"),
            Some(names) => format!("{line}\n    {}", names.join(" | ")),
        });
    with_instances.collect::<Vec<_>>().join("\n")
}

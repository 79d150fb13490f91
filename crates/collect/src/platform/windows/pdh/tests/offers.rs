//! Counters of the catalog that only the system serves.

use barograph_model::Unit;

use super::*;
use crate::catalog::offer::offers_asking;
use crate::catalog::{Formula, Instances, Offer, PdhType, Row, Snapshot, Total};

const fn row(counter: &'static str, instances: Instances) -> Row {
    Row {
        object: "Double",
        counter,
        pdh_type: PdhType::RawCount,
        unit: Unit::Count,
        help: "A counter of the double.",
        instances,
        formula: Formula::only_windows("nobody else counts it"),
    }
}

const EACH: Instances = Instances::Each { label: "instance", total: Total::Absent };
static ROWS: [Row; 4] = [
    row("Rate", EACH),
    row("Twins", EACH),
    row("Share", Instances::None),
    row("Nothing of the kind", EACH),
];

#[test]
fn what_only_windows_tells_is_offered_with_its_instances_and_what_it_lacks_is_not() {
    let rows: Vec<&'static Row> = ROWS.iter().collect();
    let open = || Ok(SystemCounters::over(source(), 0));
    let found = offers_asking(&rows, &Snapshot::default(), open);
    let short = |offer: &Offer| (offer.instances.join(" "), offer.why_not.clone());
    let expected = [
        ("slow fast", None),
        ("Code Code#1 Code#2", None),
        ("", None),
        ("", Some("nobody else counts it")),
    ];
    let expected = expected.map(|(names, why)| (names.to_owned(), why.map(str::to_owned)));
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), expected);
}

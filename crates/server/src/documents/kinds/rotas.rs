//! Who is on call when.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::{Rota, RotaProblem};

use super::{Draft, PEOPLE, Reading, Use};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let rota: Rota = draft.read()?;
    let problems = rota.check().err().unwrap_or_default();
    if !problems.is_empty() {
        return Err(problems.iter().map(|it| draft.problem(&place(it), it)).collect());
    }
    let mut uses = Vec::new();
    let layers = Path::root().field("layers");
    for (number, layer) in rota.layers.iter().enumerate() {
        let people = layers.item(number).field("people");
        let named = layer.people.iter().enumerate();
        uses.extend(named.map(|(place, name)| Use::needed(people.item(place), PEOPLE, name)));
    }
    let overrides = Path::root().field("overrides");
    for (number, it) in rota.overrides.iter().enumerate() {
        uses.push(Use::needed(overrides.item(number).field("person"), PEOPLE, &it.person));
    }
    Ok(Reading { uses, warnings: Vec::new() })
}

fn place(problem: &RotaProblem) -> Path {
    let layers = Path::root().field("layers");
    let layer = |number: &usize| layers.item(number.saturating_sub(1));
    match problem {
        RotaProblem::Zone(_) => Path::root().field("time_zone"),
        RotaProblem::NoLayers => layers,
        RotaProblem::NoPeople(number) => layer(number).field("people"),
        RotaProblem::Starts(number, _) => layer(number).field("starts"),
        RotaProblem::Turn(number, _) => layer(number).field("turn_days"),
        RotaProblem::Override(number) => {
            Path::root().field("overrides").item(number.saturating_sub(1))
        }
    }
}

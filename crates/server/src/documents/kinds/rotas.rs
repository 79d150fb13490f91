//! Who is on call when. Times at which nobody is are shown before they come.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::{Rota, RotaProblem};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Draft, PEOPLE, Reading, Use, unless};

/// How far is looked for gaps, and how many are told.
const LOOKED_DAYS: i64 = 35;
const MAX_GAPS: usize = 5;

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
    let warnings = gaps(&rota, draft.now_ms).into_iter().map(|it| draft.problem(&layers, it));
    let warnings = warnings.collect();
    unless(Vec::new(), Reading { warnings, uses })
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

/// The next times at which nobody is on call, in words.
fn gaps(rota: &Rota, now_ms: i64) -> Vec<String> {
    let Ok(zone) = TimeZone::get(&rota.time_zone) else { return Vec::new() };
    let local = |ms: i64| match Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => ms.to_string(),
    };
    let timeline = rota.timeline(now_ms, now_ms.saturating_add(LOOKED_DAYS * 86_400_000));
    let gaps: Vec<_> = timeline.into_iter().filter(|it| it.person.is_none()).collect();
    let told = gaps.iter().take(MAX_GAPS).map(|gap| {
        format!("nobody is on call from {} to {}", local(gap.from_ms), local(gap.to_ms))
    });
    let mut told: Vec<String> = told.collect();
    if gaps.len() > MAX_GAPS {
        let more = gaps.len() - MAX_GAPS;
        told.push(format!("and {more} more gaps within {LOOKED_DAYS} days"));
    }
    told
}

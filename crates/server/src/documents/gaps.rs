//! Times at which nobody would be told, shown before the documents that leave them count.

use std::collections::BTreeMap;

use barograph_alerts::document::{self, Path, Problem};
use barograph_alerts::escalation::{Gap, Person, Policy, Rota, Staff};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

use super::apply::{Wanted, World};
use super::kinds::{PEOPLE, POLICIES, ROTAS};
use super::{DocumentProblem, ProblemSeverity};

/// How far is looked for gaps, and how many are told of one document.
const LOOKED_DAYS: i64 = 35;
const MAX_GAPS: usize = 5;
/// Documents that are looked at; each costs milliseconds.
const MAX_LOOKED: usize = 100;

/// What people decide about who is told, as it would be.
struct Plan {
    people: BTreeMap<String, Person>,
    rotas: BTreeMap<String, Rota>,
    policies: BTreeMap<String, Policy>,
    from_ms: i64,
}

/// Warnings of the documents that change.
pub(super) fn warnings(world: &World, wanted: &[Wanted], now_ms: i64) -> Vec<DocumentProblem> {
    let changes = |kind: &str| wanted.iter().any(|it| it.kind == kind && it.text.is_some());
    if ![PEOPLE, POLICIES, ROTAS].into_iter().any(changes) {
        return Vec::new();
    }
    let plan = Plan {
        people: read(world, wanted, PEOPLE),
        rotas: read(world, wanted, ROTAS),
        policies: read(world, wanted, POLICIES),
        from_ms: now_ms,
    };
    let mut problems = Vec::new();
    for it in wanted.iter().take(MAX_LOOKED) {
        let Some(text) = &it.text else { continue };
        let (field, found) = plan.of(&it.kind, &it.name);
        for message in found {
            let problem = Problem::at(text, &Path::root().field(field), message);
            let place = (it.kind.as_str(), it.name.as_str());
            problems.push(DocumentProblem::new(place, ProblemSeverity::Warning, problem));
        }
    }
    problems
}

/// The documents of a kind that are understood; mistakes are told elsewhere.
fn read<T: DeserializeOwned>(world: &World, wanted: &[Wanted], kind: &str) -> BTreeMap<String, T> {
    let others = world.others.iter().filter(|(it, _)| it.name == kind);
    let others = others.map(|(_, it)| (&it.name, &it.text));
    let changed = wanted.iter().filter(|it| it.kind == kind);
    let changed = changed.filter_map(|it| Some((&it.name, it.text.as_ref()?)));
    let all = others.chain(changed);
    all.filter_map(|(name, text)| Some((name.clone(), document::read(text).ok()?))).collect()
}

impl Plan {
    /// The part of a document that leaves gaps, and the gaps in words.
    fn of(&self, kind: &str, name: &str) -> (&'static str, Vec<String>) {
        match kind {
            ROTAS => {
                let gaps = self.rotas.get(name).map(|it| self.of_rota(it)).unwrap_or_default();
                ("layers", listed(gaps.iter().map(|it| format!("nobody is on call {it}"))))
            }
            POLICIES => {
                let gaps = self.policies.get(name).map(|it| self.of_policy(it));
                let gaps = gaps.unwrap_or_default();
                ("steps", listed(gaps.iter().map(|it| format!("it reaches nobody {it}"))))
            }
            PEOPLE => ("hours", self.of_person(name)),
            _ => ("", Vec::new()),
        }
    }

    fn of_rota(&self, rota: &Rota) -> Vec<String> {
        let zone = TimeZone::get(&rota.time_zone).unwrap_or(TimeZone::UTC);
        let gaps = self.staff().gaps_of_rota(rota, self.from_ms, self.to_ms());
        words(&gaps, &zone)
    }

    fn of_policy(&self, policy: &Policy) -> Vec<String> {
        let gaps = self.staff().gaps_of_policy(policy, self.from_ms, self.to_ms());
        words(&gaps, &self.staff().zone_of(policy))
    }

    /// The first gap of each rota and policy that counts on somebody with working hours.
    fn of_person(&self, name: &str) -> Vec<String> {
        if self.people.get(name).is_none_or(|it| it.hours.is_empty()) {
            return Vec::new();
        }
        let rotas = self.rotas.iter().filter(|(_, it)| it.people().contains(&name));
        let rotas = rotas.filter_map(|(rota, it)| {
            let gap = self.of_rota(it).into_iter().next()?;
            Some(format!("nobody is on call in the rota `{rota}` {gap}"))
        });
        let counts_on = |policy: &Policy| {
            policy.targets().any(|target| self.staff().named(target).contains(&name))
        };
        let policies = self.policies.iter().filter(|(_, it)| counts_on(it));
        let policies = policies.filter_map(|(policy, it)| {
            let gap = self.of_policy(it).into_iter().next()?;
            Some(format!("the policy `{policy}` reaches nobody {gap}"))
        });
        listed(rotas.take(MAX_LOOKED).chain(policies.take(MAX_LOOKED)))
    }

    fn staff(&self) -> Staff<'_> {
        Staff { people: &self.people, rotas: &self.rotas }
    }

    fn to_ms(&self) -> i64 {
        self.from_ms.saturating_add(LOOKED_DAYS * 86_400_000)
    }
}

fn words(gaps: &[Gap], zone: &TimeZone) -> Vec<String> {
    gaps.iter().map(|it| it.words(zone)).collect()
}

/// The first ones, and how many more there are.
fn listed(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut told: Vec<String> = all.collect();
    let more = told.len().saturating_sub(MAX_GAPS);
    if more > 0 {
        told.truncate(MAX_GAPS);
        told.push(format!("and {more} more gaps within {LOOKED_DAYS} days"));
    }
    told
}

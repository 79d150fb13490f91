//! Everybody who can be told, and the way from an incident to them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{Address, Person, Policy, Rota, Route, Staff, Step, Target};
use crate::incident::Level;

/// Routes, policies, people, rotas and channels, each by the name of its document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    pub route: Route,
    pub policies: BTreeMap<String, Policy>,
    pub people: BTreeMap<String, Person>,
    pub rotas: BTreeMap<String, Rota>,
    pub channels: BTreeSet<String>,
    /// What is told where nothing else is said.
    pub fallback: Option<Policy>,
}

impl Directory {
    /// How far ahead gaps of rotas are looked for.
    const GAPS_AHEAD_MS: i64 = 14 * 86_400_000;

    /// Without routes, or where they lead to nothing that is there, every channel is told once.
    #[must_use]
    pub fn with_fallback(mut self) -> Self {
        let notify: Vec<Target> = self.channels.iter().cloned().map(Target::Channel).collect();
        let step = Step { after: 0, notify, repeat: None };
        self.fallback = (!self.channels.is_empty()).then(|| Policy {
            steps: vec![step],
            fall_through: Vec::new(),
            rounds: 1,
        });
        self
    }

    /// The policy of this name; the fallback where there is none. `None`: nobody can be told.
    pub fn policy(&self, name: Option<&str>) -> Option<&Policy> {
        name.and_then(|name| self.policies.get(name)).or(self.fallback.as_ref())
    }

    /// Where to tell these targets of something at a time; each place once.
    pub fn addresses(
        &self,
        targets: &[Target],
        severity: Option<Level>,
        at_ms: i64,
    ) -> Vec<Address> {
        let person = |name: &str| -> Vec<Address> {
            let Some(person) = self.people.get(name) else { return Vec::new() };
            let contacts = person.contacts_at(severity, at_ms).into_iter();
            let addresses = contacts.map(|it| Address {
                channel: it.channel.clone(),
                to: it.to.clone(),
                person: Some(name.to_owned()),
            });
            addresses.collect()
        };
        let mut addresses: Vec<Address> = Vec::new();
        for target in targets {
            let found = match target {
                Target::Channel(name) => {
                    vec![Address { channel: name.clone(), to: None, person: None }]
                }
                Target::Person(name) => person(name),
                Target::Rota(name) => {
                    let rota = self.rotas.get(name);
                    let can_be_told = |name: &str| !person(name).is_empty();
                    let on_call = rota.and_then(|it| it.on_call_of(at_ms, &can_be_told));
                    on_call.map_or_else(Vec::new, person)
                }
            };
            for address in found.into_iter().filter(|it| self.channels.contains(&it.channel)) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        addresses
    }

    /// Everything by which somebody would be told too late or not at all, for people.
    pub fn problems(&self, now_ms: i64) -> Vec<String> {
        let mut problems = Vec::new();
        let named = self.route.policies().into_iter();
        for policy in named.filter(|it| !self.policies.contains_key(*it)) {
            problems.push(format!(
                "the routes lead to the policy `{policy}`, which is not there; every channel is \
                 told instead"
            ));
        }
        for (name, policy) in &self.policies {
            self.check_policy(name, policy, now_ms, &mut problems);
        }
        for (name, person) in &self.people {
            for contact in person.contacts.iter().filter(|it| !self.channels.contains(&it.channel))
            {
                let channel = &contact.channel;
                problems.push(format!(
                    "{name} is to be reached by the channel `{channel}`, which is not there"
                ));
            }
        }
        for (name, rota) in &self.rotas {
            self.check_rota(name, rota, now_ms, &mut problems);
        }
        problems
    }

    fn check_rota(&self, name: &str, rota: &Rota, now_ms: i64, problems: &mut Vec<String>) {
        let people: BTreeSet<&str> = rota.people().into_iter().collect();
        for person in people.into_iter().filter(|it| !self.people.contains_key(*it)) {
            problems.push(format!("{person} of the rota `{name}` is not there"));
        }
        let to_ms = now_ms.saturating_add(Self::GAPS_AHEAD_MS);
        let zone = TimeZone::get(&rota.time_zone).unwrap_or(TimeZone::UTC);
        if let Some(gap) = self.staff().gaps_of_rota(rota, now_ms, to_ms).first() {
            let when = gap.words(&zone);
            problems.push(format!("nobody is on call in the rota `{name}` {when}"));
        }
    }

    fn check_policy(&self, name: &str, policy: &Policy, now_ms: i64, problems: &mut Vec<String>) {
        let missing: BTreeSet<String> =
            policy.targets().filter(|it| !self.knows(it)).map(ToString::to_string).collect();
        for target in missing {
            problems.push(format!("the policy `{name}` tells {target}, which is not there"));
        }
        let to_ms = now_ms.saturating_add(Self::GAPS_AHEAD_MS);
        if let Some(gap) = self.staff().gaps_of_policy(policy, now_ms, to_ms).first() {
            let when = gap.words(&self.staff().zone_of(policy));
            problems.push(format!("the policy `{name}` reaches nobody {when}"));
        }
    }

    pub fn staff(&self) -> Staff<'_> {
        Staff { people: &self.people, rotas: &self.rotas }
    }

    fn knows(&self, target: &Target) -> bool {
        match target {
            Target::Channel(name) => self.channels.contains(name),
            Target::Person(name) => self.people.contains_key(name),
            Target::Rota(name) => self.rotas.contains_key(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let read = |text: &str| serde_saphyr::from_str::<Person>(text).unwrap();
        let anna = read(
            "{contacts: [{channel: mail, to: anna@example.com},
              {channel: sms, to: '+491', severity: critical}]}",
        );
        let ben = read("{contacts: [{channel: mail, to: ben@example.com}, {channel: gone}]}");
        let rota = "{time_zone: UTC, layers: [{people: [ben], starts: '1970-01-01T00:00',
            turn_days: 7, only: [{time_zone: UTC, from: '20:00', to: '08:00'}]}]}";
        let policy = "{steps: [{notify: [rota:night]}, {after: 5m, notify: [channel:chat]}]}";
        Directory {
            policies: BTreeMap::from([("ops".to_owned(), serde_saphyr::from_str(policy).unwrap())]),
            people: BTreeMap::from([("anna".to_owned(), anna), ("ben".to_owned(), ben)]),
            rotas: BTreeMap::from([("night".to_owned(), serde_saphyr::from_str(rota).unwrap())]),
            channels: ["chat", "mail", "sms"].map(str::to_owned).into(),
            ..Directory::default()
        }
        .with_fallback()
    }

    fn told(directory: &Directory, target: &str, level: Level, hour: i64) -> Vec<String> {
        let targets = [target.parse().unwrap()];
        let addresses = directory.addresses(&targets, Some(level), hour * 3_600_000);
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn people_are_reached_as_they_wish() {
        let all = directory();
        assert_eq!(told(&all, "person:anna", Level::Warning, 3), ["anna by mail"]);
        let both = ["anna by mail", "anna by sms"];
        assert_eq!(told(&all, "person:anna", Level::Critical, 3), both);
        assert_eq!(told(&all, "person:ben", Level::Critical, 3), ["ben by mail"]);
    }

    #[test]
    fn who_is_on_call_is_told() {
        let all = directory();
        assert_eq!(told(&all, "rota:night", Level::Warning, 23), ["ben by mail"]);
        assert_eq!(told(&all, "rota:night", Level::Warning, 12), [""; 0]);
    }

    #[test]
    fn without_routes_every_channel_is_told() {
        let all = directory();
        let policy = all.policy(Some("gone")).unwrap();
        assert_eq!(policy.steps[0].notify.len(), 3);
        assert_eq!(Directory::default().with_fallback().policy(None), None);
    }

    #[test]
    fn what_leads_to_nobody_is_told() {
        let mut all = directory();
        all.route = serde_saphyr::from_str("{policy: nobody}").unwrap();
        all.channels.remove("chat");
        let problems = all.problems(0).join("\n");
        for part in ["`nobody`, which is not", "tells channel:chat", "`gone`", "`night` from 1970"]
        {
            assert!(problems.contains(part), "{part} in {problems}");
        }
    }
}

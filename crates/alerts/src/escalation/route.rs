//! From an alert to its policy, as Alertmanager's tree does it: the first child that matches takes
//! over, and with `continue` the ones after it are looked at as well.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::length;
use crate::machine::Texts;
use crate::matchers::Matchers;

/// A node of the tree. What a node does not say is as in the node above it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    #[serde(skip_serializing_if = "no_matchers")]
    pub matchers: Matchers,
    /// The name of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Alerts with the same values of these labels are one incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// How long an incident waits for more alerts before anybody is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Wait>,
    #[serde(rename = "continue", skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wait(#[serde(with = "length")] pub i64);

/// Where an alert goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// `None`: no route names a policy, so nobody is told.
    pub policy: Option<String>,
    /// The labels that make one incident, with this alert's values.
    pub group: Texts,
    pub group_wait_ms: i64,
}

fn no_matchers(matchers: &Matchers) -> bool {
    matchers.iter().next().is_none()
}

/// What is handed down the tree.
#[derive(Clone, Copy)]
struct Inherited<'a> {
    policy: Option<&'a str>,
    group_by: &'a [String],
    group_wait_ms: i64,
}

impl Route {
    /// How deep a tree may be.
    pub const MAX_DEPTH: usize = 20;

    /// Where an alert with these labels goes. The root takes what nobody else takes.
    pub fn decide(&self, labels: &Texts) -> Vec<Decision> {
        let default_group = ["alertname".to_owned(), "host".to_owned()];
        let inherited = Inherited { policy: None, group_by: &default_group, group_wait_ms: 0 };
        let mut decisions = BTreeSet::new();
        self.walk(labels, inherited, 0, &mut decisions);
        decisions.into_iter().collect()
    }

    fn walk<'a>(
        &'a self,
        labels: &Texts,
        above: Inherited<'a>,
        depth: usize,
        decisions: &mut BTreeSet<Decision>,
    ) {
        let here = Inherited {
            policy: self.policy.as_deref().or(above.policy),
            group_by: self.group_by.as_deref().unwrap_or(above.group_by),
            group_wait_ms: self.group_wait.map_or(above.group_wait_ms, |it| it.0),
        };
        let mut is_taken = false;
        if depth < Self::MAX_DEPTH {
            for route in self.routes.iter().filter(|it| it.matchers.matches(labels)) {
                route.walk(labels, here, depth + 1, decisions);
                is_taken = true;
                if !route.goes_on {
                    break;
                }
            }
        }
        if !is_taken {
            let group = here
                .group_by
                .iter()
                .filter_map(|name| Some((name.clone(), labels.get(name)?.clone())));
            decisions.insert(Decision {
                policy: here.policy.map(str::to_owned),
                group: group.collect(),
                group_wait_ms: here.group_wait_ms,
            });
        }
    }

    /// The policies that the tree names, and whether one is always found.
    pub fn policies(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.policy.as_deref().into_iter().collect();
        names.extend(self.routes.iter().flat_map(Self::policies));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "
policy: default
group_by: [alertname, host]
routes:
  - matchers: [severity=critical]
    policy: night
    group_wait: 30s
    routes:
      - matchers: [team=db]
        policy: dba
        group_by: [cluster]
  - matchers: ['severity=~warning|info']
    continue: true
    policy: chat
  - matchers: [severity=warning]
    policy: mail
";

    #[track_caller]
    fn check(labels: &[(&str, &str)], expected: &[(&str, &[(&str, &str)])]) {
        let route: Route = serde_saphyr::from_str(TREE).unwrap();
        let texts = |pairs: &[(&str, &str)]| -> Texts {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let decisions = route.decide(&texts(labels));
        let found: Vec<(String, Texts)> =
            decisions.into_iter().map(|it| (it.policy.unwrap(), it.group)).collect();
        let expected: Vec<(String, Texts)> =
            expected.iter().map(|(name, group)| ((*name).to_owned(), texts(group))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_match_takes_over_and_the_deepest_decides() {
        check(&[("severity", "critical"), ("host", "a")], &[("night", &[("host", "a")])]);
        check(
            &[("severity", "critical"), ("team", "db"), ("cluster", "x")],
            &[("dba", &[("cluster", "x")])],
        );
    }

    #[test]
    fn with_continue_the_next_ones_are_looked_at_too() {
        check(&[("severity", "warning")], &[("chat", &[]), ("mail", &[])]);
        check(&[("severity", "info")], &[("chat", &[])]);
    }

    #[test]
    fn what_nobody_takes_is_the_roots() {
        check(&[("severity", "odd"), ("alertname", "A")], &[("default", &[("alertname", "A")])]);
    }

    #[test]
    fn an_empty_tree_tells_nobody() {
        let decisions = Route::default().decide(&Texts::new());
        assert_eq!(decisions[0].policy, None);
    }
}

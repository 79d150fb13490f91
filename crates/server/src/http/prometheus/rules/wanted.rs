//! Which groups and rules are asked for, and how many groups at once.

use std::fmt::Write as _;

use barograph_alerts::rule::Rule;
use barograph_model::Matcher;
use ring::digest;

use super::super::error::{ErrorKind, Refused};
use super::super::params::Params;
use super::super::selectors::selectors;
use crate::alerting::{GroupReport, RuleReport};

/// What the parameters leave of the rules. Empty lists leave everything.
#[derive(Debug)]
pub(super) struct Wanted<'p> {
    alerting: bool,
    recording: bool,
    /// Whether alerts stand beside their rules.
    pub(super) alerts: bool,
    rules: Vec<&'p str>,
    groups: Vec<&'p str>,
    files: Vec<&'p str>,
    labels: Vec<Vec<Matcher>>,
    page: Option<Page<'p>>,
}

/// Some groups at a time.
#[derive(Debug)]
struct Page<'p> {
    limit: usize,
    /// The first group's, as the page before said.
    token: Option<&'p str>,
}

impl<'p> Wanted<'p> {
    pub(super) fn new(params: &'p Params) -> Result<Self, Refused> {
        let labels = selectors(params)
            .map_err(|problem| Refused::new(ErrorKind::BadData, problem.to_string()))?;
        let kind = params.get("type").unwrap_or_default().to_ascii_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            return Err(Refused::parameter("type", format!("not supported value {kind:?}")));
        }
        let all = |name| params.all(name).filter(|value| !value.is_empty()).collect();
        Ok(Self {
            alerting: kind != "record",
            recording: kind != "alert",
            alerts: !excludes_alerts(params)?,
            rules: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            labels,
            page: page(params)?,
        })
    }

    /// The groups that have something left, each with it; and where the next page begins.
    pub(super) fn choose<'g>(
        &self,
        all: &'g [impl AsRef<GroupReport>],
    ) -> Result<(Vec<Chosen<'g>>, Option<String>), Refused> {
        let mut all: Vec<&GroupReport> = all.iter().map(AsRef::as_ref).collect();
        if let Some(Page { token: Some(token), .. }) = self.page {
            let first = all.iter().position(|group| token_of(group) == token).ok_or_else(|| {
                let problem =
                    format!("invalid group_next_token '{token}'. were rule groups changed?");
                Refused::parameter("group_next_token", problem)
            })?;
            all.drain(..first);
        }
        let limit = self.page.as_ref().map_or(usize::MAX, |page| page.limit);
        let mut chosen = Vec::new();
        for group in all {
            let Some(rules) = self.left_of(group) else { continue };
            if chosen.len() == limit {
                return Ok((chosen, Some(token_of(group))));
            }
            chosen.push((group, rules));
        }
        Ok((chosen, None))
    }

    fn left_of<'g>(&self, group: &'g GroupReport) -> Option<Vec<&'g RuleReport>> {
        let among = |names: &[&str], name: &str| names.is_empty() || names.contains(&name);
        if !among(&self.groups, &group.name) || !among(&self.files, &group.file) {
            return None;
        }
        let rules: Vec<&RuleReport> = group
            .rules
            .iter()
            .filter(|report| match &report.rule {
                Rule::Alerting(rule) => {
                    let label = |name: &str| Some(rule.labels.get(name)?.text());
                    self.alerting && among(&self.rules, &rule.alert) && self.match_labels(label)
                }
                Rule::Recording(rule) => {
                    let label = |name: &str| rule.labels.get(name).map(String::as_str);
                    self.recording && among(&self.rules, &rule.record) && self.match_labels(label)
                }
            })
            .collect();
        // What is wrong with the text of a group is told, though it has no rule yet.
        let tells = group.rules.is_empty() && !self.is_narrow();
        (tells || !rules.is_empty()).then_some(rules)
    }

    fn is_narrow(&self) -> bool {
        !(self.alerting && self.recording && self.rules.is_empty() && self.labels.is_empty())
    }

    /// Labels as the rule has them: templates are not filled in.
    fn match_labels<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        let holds =
            |matcher: &Matcher| matcher.matches_value(label(matcher.label()).unwrap_or_default());
        self.labels.is_empty() || self.labels.iter().any(|all| all.iter().all(holds))
    }
}

/// A group and those of its rules that are shown.
pub(super) type Chosen<'g> = (&'g GroupReport, Vec<&'g RuleReport>);

fn excludes_alerts(params: &Params) -> Result<bool, Refused> {
    let text = params.get("exclude_alerts").unwrap_or("false");
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Refused::parameter(
            "exclude_alerts",
            format!(
                "error converting exclude_alerts: strconv.ParseBool: parsing {text:?}: invalid \
                 syntax"
            ),
        )),
    }
}

fn page(params: &Params) -> Result<Option<Page<'_>>, Refused> {
    let token = params.get("group_next_token");
    let Some(limit) = params.get("group_limit") else {
        if token.is_some() {
            let problem = "group_limit needs to be present in order to paginate over the groups";
            return Err(Refused::parameter("group_next_token", problem));
        }
        return Ok(None);
    };
    match limit.parse::<i32>().map(usize::try_from) {
        Ok(Ok(limit)) if limit > 0 => Ok(Some(Page { limit, token })),
        Ok(_) => Err(Refused::parameter("group_limit", "group_limit needs to be greater than 0")),
        Err(_) => {
            let problem = format!("group_limit needs to be a valid number: {limit:?} is none");
            Err(Refused::parameter("group_limit", problem))
        }
    }
}

/// What stands for a group; the same as long as file and name are.
fn token_of(group: &GroupReport) -> String {
    let text = format!("{};{}", group.file, group.name);
    let mut token = String::new();
    for byte in digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().take(16) {
        // Writing to a string cannot fail.
        write!(token, "{byte:02x}").unwrap_or_default();
    }
    token
}

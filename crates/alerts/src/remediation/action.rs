//! The file of actions: what may be done on this host, and within which bounds.

use std::collections::BTreeMap;

use barograph_promql::parse_duration;
use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::machine::Texts;

/// All actions of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions {
    actions: BTreeMap<String, Action>,
    /// Hosts on which actions may be under way at once.
    pub hosts_at_once: u32,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    what: What,
    parameters: BTreeMap<String, Parameter>,
    /// Who it runs as; without it as the server does.
    pub user: Option<String>,
    pub timeout_ms: i64,
    pub output_bytes: usize,
    /// Pause between two starts on a host.
    pub cool_down_ms: i64,
    /// People who have to want it.
    pub approvals: u32,
    /// After it helped so often in a row it is done without asking.
    pub automatic_after: Option<u32>,
    /// How long the alert has to end after it.
    pub verify_within_ms: i64,
    /// It is only told what would be done.
    pub dry_run: bool,
    /// People may ask for it without an alert.
    pub by_hand: bool,
}

/// What exactly is to be done, all parameters filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A program with its arguments; no shell reads them.
    Run(Vec<String>),
    RestartService(String),
    /// Ends processes of this name.
    EndProcess(String),
    /// Removes files of these folders that are older.
    FreeSpace {
        folders: Vec<String>,
        older_than_ms: i64,
    },
}

/// Why the file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ActionsError(String);

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Run(Vec<String>),
    RestartService(String),
    EndProcess(String),
    FreeSpace { folders: Vec<String>, older_than_ms: i64 },
}

/// A parameter: it comes from a label of the alert, and must look as it is said here.
#[derive(Debug, Clone)]
struct Parameter {
    label: String,
    pattern: Regex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    actions: BTreeMap<String, RawAction>,
    #[serde(default = "one")]
    hosts_at_once: u32,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    run: Option<Vec<String>>,
    restart_service: Option<String>,
    end_process: Option<String>,
    free_space: Option<RawSpace>,
    #[serde(default)]
    parameters: BTreeMap<String, RawParameter>,
    user: Option<String>,
    #[serde(default, deserialize_with = "length")]
    timeout: Option<i64>,
    output_bytes: Option<usize>,
    #[serde(default, deserialize_with = "length")]
    cool_down: Option<i64>,
    approvals: Option<u32>,
    automatic_after: Option<u32>,
    #[serde(default, deserialize_with = "length")]
    verify_within: Option<i64>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    by_hand: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpace {
    folders: Vec<String>,
    #[serde(deserialize_with = "length")]
    older_than: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParameter {
    label: Option<String>,
    matches: String,
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let length = parse_duration(&text);
    length.map(Some).map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
}

impl PartialEq for Parameter {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, self.pattern.as_str()) == (&other.label, other.pattern.as_str())
    }
}

impl Eq for Parameter {}

impl Actions {
    pub const MAX_FILE_BYTES: usize = 256 * 1024;
    const MAX_OUTPUT_BYTES: usize = 64 * 1024;

    /// Reads the file.
    ///
    /// # Errors
    /// The first mistake, with the name of the action.
    pub fn read(text: &str) -> Result<Self, ActionsError> {
        let raw: RawFile = serde_saphyr::from_str(text)
            .map_err(|error| ActionsError(error.without_snippet().to_string()))?;
        if raw.hosts_at_once == 0 {
            return Err(ActionsError("`hosts_at_once` is 0, allowed is 1 or more".to_owned()));
        }
        let mut actions = BTreeMap::new();
        for (name, raw) in raw.actions {
            let action =
                action(raw).map_err(|why| ActionsError(format!("action `{name}`: {why}")))?;
            actions.insert(name, action);
        }
        Ok(Self { actions, hosts_at_once: raw.hosts_at_once })
    }

    pub fn get(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.actions.keys().map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Action)> {
        self.actions.iter().map(|(name, action)| (name.as_str(), action))
    }
}

/// Whether a path is whole, by the rules of either system: a list is checked where it is written.
fn is_whole(path: &str) -> bool {
    path.starts_with('/') || std::path::Path::new(path).is_absolute()
}

fn action(raw: RawAction) -> Result<Action, String> {
    let mut whats = Vec::new();
    if let Some(argv) = raw.run {
        let is_absolute = argv.first().is_some_and(|it| is_whole(it));
        if !is_absolute {
            return Err(
                "`run` is a list: the program with its whole path, then each argument".into()
            );
        }
        if argv.first().is_some_and(|it| it.contains('{')) {
            return Err("the program of `run` has no parameters".into());
        }
        whats.push(What::Run(argv));
    }
    whats.extend(raw.restart_service.map(What::RestartService));
    whats.extend(raw.end_process.map(What::EndProcess));
    if let Some(space) = raw.free_space {
        let are_absolute = space.folders.iter().all(|it| is_whole(it));
        let older_than_ms = space.older_than.unwrap_or_default();
        if space.folders.is_empty() || !are_absolute || older_than_ms < 60_000 {
            return Err(
                "`free_space` names `folders` with their whole paths, and `older_than`, a \
                        minute or more"
                    .into(),
            );
        }
        whats.push(What::FreeSpace { folders: space.folders, older_than_ms });
    }
    let [what] = <[What; 1]>::try_from(whats).map_err(|found| {
        let found = found.len();
        format!(
            "it has {found} of `run`, `restart_service`, `end_process` and `free_space`, and needs \
             exactly one"
        )
    })?;
    let mut parameters = BTreeMap::new();
    for (name, raw) in raw.parameters {
        let pattern = Regex::new(&format!("^(?:{})$", raw.matches))
            .map_err(|error| format!("`matches` of the parameter `{name}`: {error}"))?;
        let label = raw.label.unwrap_or_else(|| name.clone());
        parameters.insert(name, Parameter { label, pattern });
    }
    let action = Action {
        what,
        parameters,
        user: raw.user,
        timeout_ms: raw.timeout.unwrap_or(60_000).clamp(1000, 3_600_000),
        output_bytes: raw.output_bytes.unwrap_or(16 * 1024).min(Actions::MAX_OUTPUT_BYTES),
        cool_down_ms: raw.cool_down.unwrap_or(15 * 60_000).max(0),
        approvals: raw.approvals.unwrap_or(2),
        automatic_after: raw.automatic_after,
        verify_within_ms: raw.verify_within.unwrap_or(5 * 60_000).max(1000),
        dry_run: raw.dry_run,
        by_hand: raw.by_hand,
    };
    if !(1..=10).contains(&action.approvals) {
        return Err(format!("`approvals` is {}, allowed are 1 to 10", action.approvals));
    }
    if action.automatic_after == Some(0) {
        return Err("`automatic_after` is 0, allowed is 1 or more: trust is earned".into());
    }
    action.check_names()?;
    Ok(action)
}

impl Action {
    fn texts(&self) -> Vec<&String> {
        match &self.what {
            What::Run(argv) => argv.iter().collect(),
            What::RestartService(name) | What::EndProcess(name) => vec![name],
            // Where files are removed is never a stranger's choice.
            What::FreeSpace { .. } => Vec::new(),
        }
    }

    fn check_names(&self) -> Result<(), String> {
        for text in self.texts() {
            let none = |_: &str| Some(String::new());
            let known = |name: &str| self.parameters.get(name).map(|_| String::new());
            if fill(text, &none).is_none() {
                return Err(format!("`{text}` has a brace that is not closed"));
            }
            if fill(text, &known).is_none() {
                return Err(format!("`{text}` names a parameter that is not listed"));
            }
        }
        Ok(())
    }

    /// Whether one of its parameters comes from this label.
    pub fn uses(&self, label: &str) -> bool {
        self.parameters.values().any(|it| it.label == label)
    }

    /// What is to be done for an alert with these labels.
    ///
    /// # Errors
    /// A label is missing or does not look as it must.
    pub fn order(&self, labels: &Texts) -> Result<Order, String> {
        const MAX_CHARS: usize = 256;
        let mut values = BTreeMap::new();
        for (name, parameter) in &self.parameters {
            let label = &parameter.label;
            let value = labels.get(label).ok_or_else(|| format!("there is no label `{label}`"))?;
            let is_plain = !value.chars().any(char::is_control) && !value.starts_with('-');
            if !is_plain || value.chars().count() > MAX_CHARS || !parameter.pattern.is_match(value)
            {
                return Err(format!("the label `{label}` is {value:?}, which is not allowed"));
            }
            values.insert(name.as_str(), value.clone());
        }
        let filled = |text: &String| {
            fill(text, &|name| values.get(name).cloned())
                .ok_or_else(|| format!("`{text}` cannot be filled in"))
        };
        Ok(match &self.what {
            What::Run(argv) => Order::Run(argv.iter().map(filled).collect::<Result<_, _>>()?),
            What::RestartService(name) => Order::RestartService(filled(name)?),
            What::EndProcess(name) => Order::EndProcess(filled(name)?),
            What::FreeSpace { folders, older_than_ms } => {
                Order::FreeSpace { folders: folders.clone(), older_than_ms: *older_than_ms }
            }
        })
    }
}

/// Puts values in the place of `{names}`; none when one is not known or a brace is not closed.
fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&value(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(argv) => write!(f, "run {argv:?}"),
            Self::RestartService(name) => write!(f, "restart the service {name}"),
            Self::EndProcess(name) => write!(f, "end the processes called {name}"),
            Self::FreeSpace { folders, older_than_ms } => {
                let age = barograph_promql::format_duration(*older_than_ms);
                write!(f, "remove what is older than {age} in {}", folders.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn parameters_come_from_labels_and_must_look_as_they_should() {
        let actions = Actions::read(
            "actions:
              restart: {restart_service: '{name}', parameters: {name: {label: service, matches: '[a-z0-9@.-]+'}}}
              tool: {run: [/opt/tool, '--drive={drive}'], parameters: {drive: {matches: '/[a-z]*'}}}",
        )
        .unwrap();
        let restart = actions.get("restart").unwrap();
        let order = |service: &str| restart.order(&labels(&[("service", service)]));
        assert_eq!(order("nginx"), Ok(Order::RestartService("nginx".to_owned())));
        for bad in ["nginx; rm -rf /", "", "--help", "a\nb", "NGINX"] {
            assert!(order(bad).unwrap_err().contains("not allowed"), "{bad:?}");
        }
        assert!(restart.order(&labels(&[])).unwrap_err().contains("no label `service`"));
        let tool = actions.get("tool").unwrap().order(&labels(&[("drive", "/srv")])).unwrap();
        assert_eq!(tool, Order::Run(vec!["/opt/tool".to_owned(), "--drive=/srv".to_owned()]));
    }

    #[test]
    fn mistakes_name_the_action() {
        for (text, part) in [
            ("{}", "exactly one"),
            ("{run: [tool]}", "whole path"),
            ("{run: ['/opt/{x}']}", "no parameters"),
            ("{run: [/opt/tool, '{x}']}", "not listed"),
            ("{end_process: '{x'}", "not closed"),
            ("{run: [/opt/tool], approvals: 0}", "1 to 10"),
            ("{run: [/opt/tool], automatic_after: 0}", "earned"),
            ("{free_space: {folders: [tmp], older_than: 1d}}", "whole paths"),
            ("{run: [/opt/tool], shell: yes}", "shell"),
        ] {
            let error = Actions::read(&format!("actions: {{a: {text}}}")).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}

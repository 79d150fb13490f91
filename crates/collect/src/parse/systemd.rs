//! What systemd says about services over D-Bus.

use std::collections::HashSet;

use super::dbus::Value;
use crate::readings::{ServiceState, ServiceStatus, StartMode};

/// One unit of `ListUnits`, as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `should_run` is not in the list and false.
    pub status: ServiceStatus,
    /// The object that tells more.
    pub path: String,
}

const SUFFIX: &str = ".service";

/// The services among the answer to `ListUnits`. Units that something refers to and that do not
/// exist are left out.
pub fn units(answer: &[Value]) -> Vec<Unit> {
    answer.first().map(Value::parts).unwrap_or_default().iter().filter_map(unit).collect()
}

fn unit(row: &Value) -> Option<Unit> {
    let [name, description, load, active, sub, _following, path, ..] = row.parts() else {
        return None;
    };
    let name = name.text()?.strip_suffix(SUFFIX)?;
    if load.text()? == "not-found" {
        return None;
    }
    let (active, sub) = (active.text()?, sub.text()?);
    Some(Unit {
        status: ServiceStatus {
            name: name.to_owned(),
            display_name: description.text()?.to_owned(),
            state: state(active, sub),
            native_state: format!("{active} ({sub})"),
            should_run: false,
            run: None,
            restarts: None,
        },
        path: path.text()?.to_owned(),
    })
}

/// The names of all units of the list that are active.
pub fn active(answer: &[Value]) -> HashSet<String> {
    let rows = answer.first().map(Value::parts).unwrap_or_default();
    let name = |row: &Value| {
        let [name, _, _, active, ..] = row.parts() else { return None };
        (active.text()? == "active").then(|| name.text().map(str::to_owned))?
    };
    rows.iter().filter_map(name).collect()
}

/// States that this version of systemd has and we do not know count as stopped.
fn state(active: &str, sub: &str) -> ServiceState {
    match active {
        "active" if sub == "exited" => ServiceState::Done,
        "active" | "reloading" | "refreshing" => ServiceState::Running,
        "activating" => ServiceState::Starting,
        "deactivating" => ServiceState::Stopping,
        "failed" => ServiceState::Failed,
        _ => ServiceState::Stopped,
    }
}

/// The services among the answer to `ListUnitFiles`: name and start mode. Templates, which are
/// no services but make them, are left out.
pub fn unit_files(answer: &[Value]) -> Vec<(String, Option<StartMode>)> {
    let rows = answer.first().map(Value::parts).unwrap_or_default();
    let file = |row: &Value| {
        let [path, state, ..] = row.parts() else { return None };
        let name = path.text()?.rsplit('/').next()?.strip_suffix(SUFFIX)?;
        if name.ends_with('@') || state.text()? == "alias" {
            return None;
        }
        Some((name.to_owned(), start_mode(state.text()?)))
    };
    rows.iter().filter_map(file).collect()
}

/// By the words of `systemctl list-unit-files`.
pub fn start_mode(state: &str) -> Option<StartMode> {
    Some(match state {
        "enabled" | "enabled-runtime" => StartMode::Automatic,
        // A linked file is known to systemd, and nothing wants it.
        "disabled" | "indirect" | "linked" | "linked-runtime" => StartMode::Manual,
        "masked" | "masked-runtime" => StartMode::Disabled,
        "static" => StartMode::Static,
        "generated" | "transient" => StartMode::Generated,
        _ => return None,
    })
}

/// Whether a service of this kind stays once it was started; others do something and end.
pub fn stays(kind: &str) -> bool {
    kind != "oneshot"
}

/// What systemd remembers of a service that is set to run and does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    /// Whether its conditions were met when it was last to be started; nothing if it never was
    /// since the machine started.
    pub conditions_met: Option<bool>,
    /// `success`, `exit-code`, `signal`, …
    pub result: String,
    /// How its main process ended, as `siginfo_t` has it; 0 if there was none.
    pub end_code: i64,
    /// When its main process ended, and when the service began to go down, by one clock; 0: never.
    pub ended_us: u64,
    pub left_us: u64,
    /// The units that pull it in.
    pub wanted_by: Vec<String>,
}

impl Rest {
    /// `CLD_EXITED`
    const EXITED: i64 = 1;

    /// Whether nothing is wrong: what it is for is not there, it has done its work, or what pulls
    /// it in was not reached. A service that somebody stopped, or whose program was killed, is
    /// missed.
    pub fn is_rightful(&self, active: &HashSet<String>) -> bool {
        match self.conditions_met {
            Some(false) => true,
            // What it depends on may have failed; then it would run otherwise.
            None => !self.wanted_by.iter().any(|unit| active.contains(unit)),
            // One that somebody stops goes down first, and its process ends then.
            Some(true) => {
                self.result == "success"
                    && self.end_code == Self::EXITED
                    && (1..=self.left_us).contains(&self.ended_us)
            }
        }
    }
}

/// Tells the runs of a unit apart, by its property `InvocationID`, which is random.
pub fn run(value: &Value) -> Option<u64> {
    Some(u64::from_ne_bytes(*value.bytes()?.first_chunk()?))
}

/// The command line of the property `ExecStart`: the first command, its words with blanks
/// between them.
pub fn command(value: &Value) -> Option<String> {
    let [_path, words, ..] = value.parts().first()?.parts() else { return None };
    let words: Vec<&str> = words.parts().iter().filter_map(Value::text).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A number that systemd gives as the largest one while it is not measured.
pub fn measured(value: &Value) -> Option<u64> {
    value.unsigned().filter(|number| *number != u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn answer(rows: &[&[&str]]) -> Vec<Value> {
        let row = |row: &&[&str]| Value::Struct(row.iter().map(|word| text(word)).collect());
        vec![Value::Array(rows.iter().map(row).collect())]
    }

    #[test]
    fn services_are_told_from_other_units() {
        let found = units(&answer(&[
            &["ssh.service", "Secure shell", "loaded", "active", "running", "", "/u/ssh"],
            &["a.mount", "A mount", "loaded", "active", "mounted", "", "/u/a"],
            &["gone.service", "gone.service", "not-found", "inactive", "dead", "", "/u/gone"],
            &["once.service", "Once", "loaded", "active", "exited", "", "/u/once"],
            &["bad.service", "Bad", "loaded", "failed", "failed", "", "/u/bad"],
            &["short.service"],
        ]));
        let brief: Vec<_> = found
            .iter()
            .map(|u| (u.status.name.as_str(), u.status.state, u.status.native_state.as_str()))
            .collect();
        let expect = [
            ("ssh", ServiceState::Running, "active (running)"),
            ("once", ServiceState::Done, "active (exited)"),
            ("bad", ServiceState::Failed, "failed (failed)"),
        ];
        assert_eq!(brief, expect);
        assert_eq!(units(&[]), []);
    }

    #[test]
    fn unit_files_tell_when_a_service_starts() {
        let found = unit_files(&answer(&[
            &["/lib/systemd/system/ssh.service", "enabled"],
            &["/lib/systemd/system/getty@.service", "enabled"],
            &["/lib/systemd/system/sshd.service", "alias"],
            &["/lib/systemd/system/x.service", "masked"],
            &["/lib/systemd/system/y.service", "bad"],
        ]));
        let expect = [
            ("ssh".to_owned(), Some(StartMode::Automatic)),
            ("x".to_owned(), Some(StartMode::Disabled)),
            ("y".to_owned(), None),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn a_service_rests_rightly_without_its_conditions_or_when_it_is_done() {
        let active = HashSet::from(["multi-user.target".to_owned()]);
        let done = Rest {
            conditions_met: Some(true),
            result: "success".into(),
            end_code: Rest::EXITED,
            ended_us: 5,
            left_us: 6,
            wanted_by: vec!["multi-user.target".into()],
        };
        assert!(done.is_rightful(&active));
        assert!(Rest { conditions_met: Some(false), ..done.clone() }.is_rightful(&active));
        let wrong = [
            ("stopped by somebody", Rest { ended_us: 7, ..done.clone() }),
            ("killed", Rest { end_code: 2, ..done.clone() }),
            ("no process known", Rest { ended_us: 0, end_code: 0, ..done.clone() }),
            ("failed", Rest { result: "exit-code".into(), ..done.clone() }),
            ("what it needs has failed", Rest { conditions_met: None, ..done.clone() }),
        ];
        for (why, rest) in wrong {
            assert!(!rest.is_rightful(&active), "{why}");
        }
        let by = |unit: &str| Rest { wanted_by: vec![unit.into()], ..Rest::default() };
        assert!(!by("multi-user.target").is_rightful(&active));
        assert!(by("bluetooth.target").is_rightful(&active));
    }

    #[test]
    fn active_units_are_told_from_others_and_runs_apart() {
        let found = active(&answer(&[
            &["a.target", "", "loaded", "active", "active", "", "/u/a"],
            &["b.service", "", "loaded", "activating", "start", "", "/u/b"],
        ]));
        assert_eq!(found, HashSet::from(["a.target".to_owned()]));
        let id = |byte| Value::Variant(Box::new(Value::Bytes(vec![byte; 16])));
        assert!(run(&id(1)).is_some() && run(&id(1)) != run(&id(2)));
        assert_eq!(run(&Value::Bytes(Vec::new())), None);
    }

    #[test]
    fn a_linked_service_is_not_enabled() {
        assert_eq!(start_mode("linked"), Some(StartMode::Manual));
        assert_eq!(start_mode("enabled-runtime"), Some(StartMode::Automatic));
    }

    #[test]
    fn a_command_is_its_words() {
        let one = Value::Struct(vec![
            text("/bin/sleep"),
            Value::Array(vec![text("/bin/sleep"), text("1000")]),
            Value::Bool(false),
        ]);
        let value = Value::Variant(Box::new(Value::Array(vec![one])));
        assert_eq!(command(&value).as_deref(), Some("/bin/sleep 1000"));
        assert_eq!(command(&Value::Array(Vec::new())), None);
        assert_eq!(measured(&Value::Unsigned(u64::MAX)), None);
    }

    /// Values within values, as a bus could send them.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(Value::Unsigned),
            any::<i64>().prop_map(Value::Signed),
            "(ssh|a@|)[.]service|.{0,5}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(3, 40, 9, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..9).prop_map(Value::Struct),
                prop::collection::vec(inner.clone(), 0..9).prop_map(Value::Array),
                inner.prop_map(|inner| Value::Variant(Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer in prop::collection::vec(value(), 0..3)) {
            units(&answer);
            unit_files(&answer);
            active(&answer);
            for value in &answer {
                command(value);
                measured(value);
                run(value);
            }
        }
    }
}

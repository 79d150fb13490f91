//! What systemd says about services over D-Bus.

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
        },
        path: path.text()?.to_owned(),
    })
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
        "enabled" | "enabled-runtime" | "linked" | "linked-runtime" => StartMode::Automatic,
        "disabled" | "indirect" => StartMode::Manual,
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
            for value in &answer {
                command(value);
                measured(value);
            }
        }
    }
}

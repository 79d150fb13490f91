//! Checks of Windows' performance counters.

use super::{CrossCheck, Finding, ObjectFact, ObjectState, Severity, WindowsFacts};

const SLOW_OBJECT_SECONDS: f64 = 0.5;
/// Two roads to one number, a moment apart.
const TOLERANCE: f64 = 0.2;

const REBUILD: &str = "as administrator run `lodctr /R` in C:\\Windows\\System32 and in \
    C:\\Windows\\SysWOW64, then `winmgmt /resyncperf`; the Application log names the culprit in the \
    events 1008, 1017 and 1023 of Perflib";

pub(super) fn check(windows: &WindowsFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = &windows.pdh_failure {
        findings.push(
            Finding::new(
                Severity::Error,
                "no-counters",
                format!("the performance counters cannot be asked: {why}"),
                "disk latency and every counter beyond the system's own calls are missing",
            )
            .repaired_by(REBUILD),
        );
    }
    findings.extend(windows.objects.iter().filter_map(|object| self::object(object, windows)));
    findings.extend(windows.disabled.iter().map(|service| {
        Finding::new(
            Severity::Warning,
            "disabled-provider",
            format!("the performance counters of `{service}` are switched off"),
            "Windows does so by itself when a provider fails too often; its counters are missing",
        )
        .repaired_by(format!(
            "as administrator run `lodctr /E:{service}`, which sets the registry value `Disable \
             Performance Counters` below HKLM\\SYSTEM\\CurrentControlSet\\Services\\{service}\\\
             Performance back to 0"
        ))
    }));
    findings.extend(windows.language.as_deref().and_then(language));
    findings.extend(windows.cross_checks.iter().filter_map(cross_check));
    findings
}

fn object(object: &ObjectFact, windows: &WindowsFacts) -> Option<Finding> {
    let path = object.path;
    match &object.state {
        ObjectState::Told(0) => Some(Finding::new(
            Severity::Warning,
            "empty-object",
            format!("`{path}` has no instances"),
            "its provider answers and has nothing to say",
        )),
        ObjectState::Told(_) if object.seconds > SLOW_OBJECT_SECONDS => Some(
            Finding::new(
                Severity::Warning,
                "slow-object",
                format!("`{path}` takes {:.0} ms", object.seconds * 1000.0),
                "each reading waits for its provider, and so do the counters read with it",
            )
            .repaired_by("read it more rarely, or look for the provider's update"),
        ),
        ObjectState::Told(_) => None,
        ObjectState::Missing(why) => {
            // Only newer versions of Windows have the second of the two.
            let other = match path {
                r"\Process V2(*)\Process ID" => r"\Process(*)\ID Process",
                r"\Process(*)\ID Process" => r"\Process V2(*)\Process ID",
                _ => "",
            };
            let has_other = windows
                .objects
                .iter()
                .any(|o| o.path == other && matches!(o.state, ObjectState::Told(_)));
            (!has_other).then(|| {
                Finding::new(
                    Severity::Error,
                    "missing-object",
                    format!("`{path}` is not registered: {why}"),
                    "every Windows has it; when it is missing the registry of counters is damaged",
                )
                .repaired_by(REBUILD)
            })
        }
        ObjectState::Failed(why) => Some(
            Finding::new(
                Severity::Error,
                "failed-object",
                format!("`{path}` does not answer: {why}"),
                "it is registered, but its provider fails",
            )
            .repaired_by(REBUILD),
        ),
    }
}

/// The low byte of a language's number is the language, the high one its country.
fn language(number: &str) -> Option<Finding> {
    let is_english = number.len() >= 2 && number.to_ascii_lowercase().ends_with("09");
    (!is_english).then(|| {
        Finding::new(
            Severity::Note,
            "localised-names",
            format!("Windows was installed in another language than English ({number})"),
            "perfmon and typeperf show and want translated names there; Barograph's are English \
             everywhere, and so a path copied out of perfmon is not found",
        )
        .repaired_by("use the English names: `barograph counters list --all`")
    })
}

fn cross_check(check: &CrossCheck) -> Option<Finding> {
    let CrossCheck { path, native, counter } = check;
    let difference = (native - counter).abs() / native.abs().max(1.0);
    (difference > TOLERANCE).then(|| {
        Finding::new(
            Severity::Warning,
            "numbers-differ",
            format!("`{path}` is {counter}, and the system's own call says {native}"),
            "one of the two roads is wrong, mostly that of the performance counters",
        )
        .repaired_by(REBUILD)
    })
}

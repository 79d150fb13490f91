//! Checks of Windows' performance counters.

use super::{CrossCheck, Finding, ObjectFact, ObjectState, OfferedFact, Severity, WindowsFacts};

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
    findings.extend(windows.lost_libraries.iter().map(lost_library));
    findings.extend(windows.names.and_then(names));
    findings.extend(windows.offered.iter().filter_map(offered));
    if windows.not_asked > 0 {
        findings.push(Finding::new(
            Severity::Note,
            "objects-not-asked",
            format!("{} objects were not asked, as others took too long", windows.not_asked),
            "what is wrong with them is not known",
        ));
    }
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

fn lost_library((service, library): &(String, String)) -> Finding {
    Finding::new(
        Severity::Warning,
        "lost-library",
        format!("the counters of `{service}` come from `{library}`, which is not there"),
        "every program that lists counters looks for it in vain, and its counters are missing; \
         mostly it was left over when a program was removed",
    )
    .repaired_by(format!("install the program again, or as administrator run `unlodctr {service}`"))
}

/// A table has every name twice over: as such, and for what the number behind it is there for.
fn names([english, local]: [usize; 2]) -> Option<Finding> {
    let what = if english == 0 {
        "the registry has no English names of counters".to_owned()
    } else if local < english / 2 {
        format!("the registry has {english} English names of counters and {local} translated ones")
    } else {
        return None;
    };
    Some(
        Finding::new(
            Severity::Error,
            "lost-names",
            what,
            "a counter is found by its name's number: without the names it cannot be added, \
             whatever its provider",
        )
        .repaired_by(REBUILD),
    )
}

fn offered(offered: &OfferedFact) -> Option<Finding> {
    let OfferedFact { object, seconds, failure } = offered;
    match failure {
        Some(why) => Some(
            Finding::new(
                Severity::Warning,
                "failed-provider",
                format!("`{object}` does not tell its counters: {why}"),
                "the program that offers it is broken, stopped or of another version",
            )
            .repaired_by(
                "start or update the program; if all of them fail, rebuild the registry of \
                 counters with `lodctr /R`",
            ),
        ),
        None if *seconds > SLOW_OBJECT_SECONDS => Some(
            Finding::new(
                Severity::Warning,
                "slow-provider",
                format!("`{object}` takes {:.0} ms to tell its counters", seconds * 1000.0),
                "a counter of it in the configuration makes the others that are named there late",
            )
            .repaired_by("look for the provider's update, or leave its counters out"),
        ),
        None => None,
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

//! What the doctor asks of Windows: its performance counters, one object at a time.
#![expect(unsafe_code, reason = "a call to kernel32")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::Clock;
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

use super::wide::narrow;
use super::{CounterNames, MemoryReader, SystemReader, registry};
use crate::chain;
use crate::doctor::{CrossCheck, ObjectFact, ObjectState, OfferedFact, SystemFacts, WindowsFacts};
use crate::parse::perf_names;
use crate::roots::Roots;
use crate::system_counters::SystemCounters;

/// A counter of each object that every Windows has. Of the two of processes one is enough.
const OBJECTS: [&str; 13] = [
    r"\Processor(*)\% Processor Time",
    r"\Processor Information(*)\% Processor Time",
    r"\Memory\Available Bytes",
    r"\Paging File(*)\% Usage",
    r"\PhysicalDisk(*)\Disk Reads/sec",
    r"\LogicalDisk(*)\% Free Space",
    r"\Network Interface(*)\Bytes Total/sec",
    r"\System\System Up Time",
    r"\Process(*)\ID Process",
    r"\Process V2(*)\Process ID",
    r"\TCPv4\Connections Established",
    r"\UDPv4\Datagrams/sec",
    r"\Objects\Processes",
];

/// For the lists of everything that is offered: one broken provider may take a minute.
const PATIENCE: Duration = Duration::from_secs(10);

const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";

pub(crate) fn doctor_facts(roots: &Roots, clock: &Arc<dyn Clock>) -> SystemFacts {
    let mut facts = WindowsFacts {
        pdh_failure: SystemCounters::open().err().map(|error| chain(&error)),
        disabled: disabled(),
        lost_libraries: lost_libraries(),
        language: registry::machine_text(
            r"SYSTEM\CurrentControlSet\Control\Nls\Language",
            "InstallLanguage",
        ),
        ..WindowsFacts::default()
    };
    if facts.pdh_failure.is_none() {
        facts.objects = OBJECTS.iter().map(|path| object(path, &**clock)).collect();
        facts.cross_checks = cross_checks(roots);
        facts.names = Some(registry::performance_text().map(|text| perf_names::names(&text).len()));
        (facts.offered, facts.not_asked) = offered(&**clock);
    }
    SystemFacts::Windows(facts)
}

/// Each object has a query of its own, so that one provider's time is not another's.
fn object(path: &'static str, clock: &dyn Clock) -> ObjectFact {
    let began = clock.monotonic();
    let asked = SystemCounters::open().and_then(|mut counters| {
        let number = counters.add(path)?;
        counters.collect()?;
        let mut values = Vec::new();
        counters.values(number, &mut values)?;
        Ok(values.len())
    });
    let state = match asked {
        Ok(count) => ObjectState::Told(count),
        Err(error) if error.is_absent() => ObjectState::Missing(chain(&error)),
        Err(error) => ObjectState::Failed(chain(&error)),
    };
    ObjectFact { path, state, seconds: clock.monotonic().saturating_sub(began).as_secs_f64() }
}

/// Everything that any program offers, each asked for its list; and how many were not asked.
fn offered(clock: &dyn Clock) -> (Vec<OfferedFact>, usize) {
    let Ok(mut names) = CounterNames::open() else { return (Vec::new(), 0) };
    let objects = names.objects().unwrap_or_default();
    let until = clock.monotonic() + PATIENCE;
    let mut offered = Vec::new();
    let mut not_asked = 0;
    for object in objects {
        let began = clock.monotonic();
        if began >= until {
            not_asked += 1;
            continue;
        }
        let failure = names.items(&object).err().map(|error| chain(&error));
        let seconds = clock.monotonic().saturating_sub(began).as_secs_f64();
        offered.push(OfferedFact { object, seconds, failure });
    }
    (offered, not_asked)
}

/// Services whose library of counters is gone. Switched off ones load none.
fn lost_libraries() -> Vec<(String, String)> {
    let folder = system_folder();
    let lost = |service: String| {
        let key = format!(r"{SERVICES}\{service}\Performance");
        let library = registry::machine_text(&key, "Library")?;
        let path = folder.join(&library);
        (!is_disabled(&service) && !path.exists()).then_some((service, library))
    };
    registry::machine_keys(SERVICES).into_iter().filter_map(lost).collect()
}

/// Where a library lies that is named without a folder.
fn system_folder() -> PathBuf {
    let mut folder = [0_u16; 261];
    // SAFETY: the call is told the buffer's length.
    unsafe { GetSystemDirectoryW(folder.as_mut_ptr(), 261) };
    narrow(&folder).into()
}

fn is_disabled(service: &str) -> bool {
    let key = format!(r"{SERVICES}\{service}\Performance");
    registry::machine_number(&key, "Disable Performance Counters").is_some_and(|n| n != 0)
}

/// Services with counters that Windows or somebody has switched off.
fn disabled() -> Vec<String> {
    registry::machine_keys(SERVICES).into_iter().filter(|service| is_disabled(service)).collect()
}

/// Levels that both a call and a counter tell.
fn cross_checks(roots: &Roots) -> Vec<CrossCheck> {
    let memory = MemoryReader::new(roots).read().ok().map(|memory| memory.available_bytes);
    let system = SystemReader::new(roots).read().ok().copied();
    let natives = [
        (r"\Memory\Available Bytes", memory),
        (r"\System\Processes", system.and_then(|system| system.processes)),
        (r"\System\Threads", system.and_then(|system| system.threads)),
    ];
    natives
        .into_iter()
        .filter_map(|(path, native)| {
            Some(CrossCheck { path, native: native? as f64, counter: level(path)? })
        })
        .collect()
}

fn level(path: &str) -> Option<f64> {
    let mut counters = SystemCounters::open().ok()?;
    let number = counters.add(path).ok()?;
    counters.collect().ok()?;
    let mut values = Vec::new();
    counters.values(number, &mut values).ok()?;
    values.first()?.value
}

#[cfg(test)]
mod tests {
    use barograph_model::SystemClock;

    use super::super::wine::under_wine;
    use super::*;

    #[test]
    fn every_object_is_asked_and_the_registry_read() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let SystemFacts::Windows(facts) = doctor_facts(&Roots::default(), &clock) else {
            unreachable!()
        };
        let told = |path: &str| {
            let fact = facts.objects.iter().find(|object| object.path == path);
            matches!(fact.map(|fact| &fact.state), Some(ObjectState::Told(_)))
        };
        match &facts.pdh_failure {
            // Those of Wine are not asked.
            Some(why) => assert!(under_wine() && why.contains("Wine"), "{why}"),
            None => assert!(told(r"\System\System Up Time"), "{facts:?}"),
        }
        assert!(facts.disabled.is_empty(), "{:?}", facts.disabled);
        assert!(facts.lost_libraries.is_empty(), "{:?}", facts.lost_libraries);
        assert!(system_folder().join("kernel32.dll").exists(), "{}", system_folder().display());
        assert!(!registry::machine_keys(SERVICES).is_empty());
    }
}

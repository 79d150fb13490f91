//! What the doctor asks of Windows: its performance counters, one object at a time.

use std::sync::Arc;

use barograph_model::Clock;

use super::{MemoryReader, SystemReader, registry};
use crate::chain;
use crate::doctor::{CrossCheck, ObjectFact, ObjectState, SystemFacts, WindowsFacts};
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

const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";

pub(crate) fn doctor_facts(roots: &Roots, clock: &Arc<dyn Clock>) -> SystemFacts {
    let mut facts = WindowsFacts {
        pdh_failure: SystemCounters::open().err().map(|error| chain(&error)),
        disabled: disabled(),
        language: registry::machine_text(
            r"SYSTEM\CurrentControlSet\Control\Nls\Language",
            "InstallLanguage",
        ),
        ..WindowsFacts::default()
    };
    if facts.pdh_failure.is_none() {
        facts.objects = OBJECTS.iter().map(|path| object(path, &**clock)).collect();
        facts.cross_checks = cross_checks(roots);
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

/// Services with counters that Windows or somebody has switched off.
fn disabled() -> Vec<String> {
    let is_disabled = |service: &String| {
        let key = format!(r"{SERVICES}\{service}\Performance");
        registry::machine_number(&key, "Disable Performance Counters").is_some_and(|n| n != 0)
    };
    registry::machine_keys(SERVICES).into_iter().filter(is_disabled).collect()
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
        assert!(!registry::machine_keys(SERVICES).is_empty());
    }
}

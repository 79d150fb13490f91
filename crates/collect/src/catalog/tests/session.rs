//! Counters of the live machine.

use std::sync::Arc;

use barograph_model::{CounterPath, SystemClock, Unit};

use crate::Roots;
use crate::catalog::{Session, SessionError};

fn session(path: &str) -> Result<Session, SessionError> {
    let paths = vec![CounterPath::parse(path).unwrap()];
    Session::new(&Roots::default(), Arc::new(SystemClock::new()), paths)
}

#[test]
fn another_computer_is_refused() {
    let error = session(r"\\nobody\System\Threads").unwrap_err();
    let host = crate::host_facts(&Roots::default()).host;
    assert_eq!(
        error.to_string(),
        format!(
            r"`\\nobody\System\Threads` names the computer `nobody`, and this one is `{host}`: only its own counters can be read"
        )
    );
    assert!(session(&format!(r"\\{host}\System\Threads")).is_ok());
    assert!(session(r"\\localhost\System\Threads").is_ok());
}

#[test]
fn a_path_that_names_nothing_is_quoted() {
    let error = session(r"\Memory\Availabel Bytes").unwrap_err();
    assert_eq!(
        crate::chain(&error),
        r"`\Memory\Availabel Bytes` names no counter: object `Memory` has no counter `Availabel Bytes`; near to it: `Available Bytes`, `Available MBytes`, `Cache Bytes`"
    );
}

#[test]
fn the_live_machine_has_been_up_for_some_time() {
    let mut session = session(r"\System\System Up Time").unwrap();
    assert!(!session.needs_two());
    let reading = &session.sample()[0];
    assert_eq!((reading.unit, reading.path.as_str()), (Unit::Seconds, r"\System\System Up Time"));
    assert!(reading.value.unwrap() > 0.0);
}

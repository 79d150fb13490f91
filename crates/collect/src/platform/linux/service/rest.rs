//! Services that are set to run, do not, and rightly so.

use std::collections::HashSet;

use super::super::dbus::{Answer, Connection};
use super::{SERVICE, UNIT, get, value};
use crate::Error;
use crate::parse::dbus::Value;
use crate::parse::systemd::{Rest, Unit};
use crate::readings::ServiceState;

const PROPERTIES: [(&str, &str); 8] = [
    (UNIT, "ConditionResult"),
    (UNIT, "ConditionTimestamp"),
    (SERVICE, "Result"),
    (SERVICE, "ExecMainCode"),
    (SERVICE, "ExecMainExitTimestampMonotonic"),
    (UNIT, "ActiveExitTimestampMonotonic"),
    (UNIT, "WantedBy"),
    (UNIT, "RequiredBy"),
];

/// Takes `should_run` from services that rest rightly. They are few, so each is asked for anew.
pub(super) fn spare(
    connection: &mut Connection,
    services: &mut [Unit],
    active: &HashSet<String>,
) -> Result<(), Error> {
    let rests = |unit: &&Unit| unit.status.should_run && unit.status.state == ServiceState::Stopped;
    let resting: Vec<&Unit> = services.iter().filter(rests).collect();
    let answers = get(connection, &resting, &PROPERTIES)?;
    let resting = services.iter_mut().filter(|unit| rests(&&**unit));
    for (unit, answers) in resting.zip(&answers) {
        unit.status.should_run = !rest(answers).is_rightful(active);
    }
    Ok(())
}

fn rest(answers: &[Answer]) -> Rest {
    let number = |index| value(answers, index).and_then(Value::unsigned).unwrap_or_default();
    let was_tried = number(1) > 0;
    let pulling = [6, 7].into_iter().filter_map(|index| value(answers, index));
    let wanted_by = pulling.flat_map(|units| units.parts().iter().filter_map(Value::text));
    Rest {
        conditions_met: value(answers, 0).and_then(Value::bool).filter(|_| was_tried),
        result: value(answers, 2).and_then(Value::text).unwrap_or_default().to_owned(),
        end_code: value(answers, 3).and_then(Value::signed).unwrap_or_default(),
        ended_us: number(4),
        left_us: number(5),
        wanted_by: wanted_by.map(str::to_owned).collect(),
    }
}

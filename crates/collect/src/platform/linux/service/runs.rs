//! Which run of a service this is, and how often systemd has started it again.

use std::collections::HashMap;

use super::super::dbus::Connection;
use super::{SERVICE, UNIT, get, value};
use crate::Error;
use crate::parse::dbus::Value;
use crate::parse::systemd::{self, Unit};
use crate::readings::{ServiceState, ServiceStatus};

/// The runs of the reading before, with their restarts, by the names of the services.
#[derive(Debug, Default)]
pub(super) struct Runs(HashMap<String, (u64, Option<u64>)>);

impl Runs {
    /// Tells the runs of the services that are asked for and are not down. The number of restarts
    /// costs a call more, and is asked for when the run is another one.
    pub(super) fn tell(
        &mut self,
        connection: &mut Connection,
        services: &mut [Unit],
        is_asked_for: impl Fn(&ServiceStatus) -> bool,
    ) -> Result<(), Error> {
        let is_down = |state| matches!(state, ServiceState::Stopped | ServiceState::Failed);
        let mut wanted: Vec<&mut Unit> = services
            .iter_mut()
            .filter(|unit| !is_down(unit.status.state) && is_asked_for(&unit.status))
            .collect();
        let units: Vec<&Unit> = wanted.iter().map(|unit| &**unit).collect();
        let answers = get(connection, &units, &[(UNIT, "InvocationID")])?;
        let runs: Vec<Option<u64>> =
            answers.iter().map(|one| value(one, 0).and_then(systemd::run)).collect();
        let before = std::mem::take(&mut self.0);
        let known = |name: &str, run| before.get(name).filter(|known| Some(known.0) == run);
        let other = units
            .iter()
            .zip(&runs)
            .filter(|(unit, run)| run.is_some() && known(&unit.status.name, **run).is_none());
        let other: Vec<&Unit> = other.map(|(unit, _)| *unit).collect();
        // Only systemd 235 and later count.
        let counts = get(connection, &other, &[(SERVICE, "NRestarts")])?;
        let mut counts = counts.iter().map(|one| value(one, 0).and_then(Value::unsigned));
        for (unit, run) in wanted.iter_mut().zip(runs) {
            let Some(run) = run else { continue };
            let status = &mut unit.status;
            let known = known(&status.name, Some(run)).map(|known| known.1);
            status.run = Some(run);
            status.restarts = known.unwrap_or_else(|| counts.next().flatten());
            self.0.insert(status.name.clone(), (run, status.restarts));
        }
        Ok(())
    }
}

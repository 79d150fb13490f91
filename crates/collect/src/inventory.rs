//! What the machine is made of, and what changed about it.

mod change;
mod kept;
mod parts;

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::counter;
use crate::event::EventSink;
use crate::platform;
use crate::readings::Inventory;
use crate::{Collector, Error, Roots, Setup, Sink};
use kept::Kept;
use parts::Parts;

pub(crate) static CHANGES: Desc = counter(
    "inventory_changes_total",
    Unit::Count,
    &[],
    "Changes of what the machine is made of, such as a disk added or an address changed, that were \
     found since Barograph started; also those since it ran last.",
);

static DESCS: [&Desc; 1] = [&CHANGES];
/// A look takes some milliseconds of a processor.
const EVERY: Duration = Duration::from_secs(60);

/// Reads what this machine is made of; its drives as [`Roots::file_systems`] says.
///
/// # Errors
/// [`Error::Absent`] if the system tells nothing at all. What it does not tell otherwise is named
/// in [`Inventory::missing`].
pub fn inventory(roots: &Roots) -> Result<Inventory, Error> {
    let inventory = platform::inventory(roots);
    if inventory.processors.is_empty() && inventory.adapters.is_empty() {
        let why = "neither processors nor network adapters are told".into();
        return Err(Error::Absent { what: "inventory", why });
    }
    Ok(inventory)
}

/// Reads the inventory now and then, and tells of changes, also of those since the last run.
#[derive(Debug)]
pub(crate) struct InventoryCollector {
    roots: Roots,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    kept: Option<Kept>,
    before: Before,
    changes: u64,
}

/// What the inventory is compared with.
#[derive(Debug)]
enum Before {
    /// Nothing was read yet, not even the file.
    Unknown,
    LastRun(Option<Parts>),
    LastLook(Parts),
}

impl InventoryCollector {
    /// While a machine starts, addresses and drives come in one after the other.
    const SETTLING_MS: i64 = 60_000;

    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            roots: setup.roots.clone(),
            clock: Arc::clone(&setup.clock),
            events: Arc::clone(&setup.events),
            kept: setup.inventory_file.clone().map(Kept::new),
            before: Before::Unknown,
            changes: 0,
        }
    }

    /// Tells what changed.
    fn compare(&mut self, now: &Inventory) {
        let now_ms = self.clock.now_ms();
        if matches!(self.before, Before::Unknown) {
            self.before = Before::LastRun(self.kept.as_ref().and_then(Kept::load));
        }
        let before = match &self.before {
            Before::LastLook(parts) => Some(parts),
            Before::LastRun(Some(parts)) => {
                let booted_ms = now.system.booted_ms;
                if booted_ms.is_some_and(|ms| (0..Self::SETTLING_MS).contains(&(now_ms - ms))) {
                    return;
                }
                Some(parts)
            }
            Before::LastRun(None) | Before::Unknown => None,
        };
        let parts = parts::told(now, before);
        for event in before.into_iter().flat_map(|old| change::changes(old, &parts, now_ms)) {
            self.changes += 1;
            self.events.happened(event);
        }
        if let Some(kept) = self.kept.as_ref().filter(|_| before != Some(&parts)) {
            kept.save(&parts);
        }
        self.before = Before::LastLook(parts);
    }
}

impl Collector for InventoryCollector {
    fn name(&self) -> &'static str {
        "inventory"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn interval(&self) -> Duration {
        EVERY
    }

    /// Devices and file systems are asked.
    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let now = inventory(&self.roots)?;
        self.compare(&now);
        out.push(&CHANGES, &[], self.changes as f64);
        Ok(())
    }
}

//! What the machine is made of, and what changed about it.

mod change;

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::counter;
use crate::event::EventSink;
use crate::platform;
use crate::readings::Inventory;
use crate::{Collector, Error, Roots, Setup, Sink};

pub(crate) static CHANGES: Desc = counter(
    "inventory_changes_total",
    Unit::Count,
    &[],
    "Changes of what the machine is made of, such as a disk added or an address changed, that were \
     found since Barograph started.",
);

static DESCS: [&Desc; 1] = [&CHANGES];

/// Reads what this machine is made of.
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

/// Reads the inventory now and then, and tells of changes.
#[derive(Debug)]
pub(crate) struct InventoryCollector {
    roots: Roots,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    before: Option<Inventory>,
    changes: u64,
}

impl InventoryCollector {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            roots: setup.roots.clone(),
            clock: Arc::clone(&setup.clock),
            events: Arc::clone(&setup.events),
            before: None,
            changes: 0,
        }
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
        Duration::from_secs(600)
    }

    /// Devices and file systems are asked.
    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let now = inventory(&self.roots)?;
        if let Some(before) = &self.before {
            for event in change::changes(before, &now, self.clock.now_ms()) {
                self.changes += 1;
                self.events.happened(event);
            }
        }
        self.before = Some(now);
        out.push(&CHANGES, &[], self.changes as f64);
        Ok(())
    }
}

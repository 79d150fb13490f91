//! What differs between two inventories.

use super::parts::{Facts, Part, Parts};
use crate::event::Event;

/// A machine that changes more than this at once is another one.
const MAX_CHANGES: usize = 100;

/// Empty where somebody without rights looks, or the firmware does not tell.
const NOT_ALWAYS_TOLD: [&str; 4] = ["serial", "part_number", "manufacturer", "model"];

/// One event for each part that came or went, and for each fact that is another one.
pub(super) fn changes(before: &Parts, now: &Parts, now_ms: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for (part, old) in before {
        let Some(new) = now.get(part) else {
            events.push(event(now_ms, "inventory_removed", part, &summary(old), ""));
            continue;
        };
        for (name, old) in old {
            let new = new.iter().find(|(known, _)| known == name);
            if let Some((_, new)) = new.filter(|(_, new)| differ(name, old, new)) {
                let event = event(now_ms, "inventory_changed", part, old, new);
                events.push(event.with("fact", Some(name.as_str())));
            }
        }
    }
    for (part, new) in now.iter().filter(|(part, _)| !before.contains_key(part)) {
        events.push(event(now_ms, "inventory_added", part, "", &summary(new)));
    }
    events.truncate(MAX_CHANGES);
    events
}

fn differ(fact: &str, old: &str, new: &str) -> bool {
    let is_told = |value: &str| match fact {
        // A drive that hangs has no size meanwhile.
        "size_bytes" => value != "0",
        name => !value.is_empty() || !NOT_ALWAYS_TOLD.contains(&name),
    };
    old != new && is_told(old) && is_told(new)
}

fn event(now_ms: i64, kind: &'static str, (class, name): &Part, from: &str, to: &str) -> Event {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Event::new(now_ms, kind, &format!("{} {name}", class.replace('_', " ")))
        .with("class", Some(class.as_str()))
        .with("name", Some(name.as_str()))
        .with("from", some(from).as_deref())
        .with("to", some(to).as_deref())
}

fn summary(facts: &Facts) -> String {
    let told = facts.iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::parts;
    use super::*;
    use crate::readings::{AdapterFacts, DiskFacts, DriveFacts, Inventory, MemoryModule};

    fn inventory() -> Inventory {
        let module = MemoryModule { capacity_bytes: 8 << 30, ..MemoryModule::default() };
        Inventory {
            memory_modules: vec![module.clone(), module],
            disks: vec![DiskFacts { name: "sda".into(), size_bytes: 5, ..DiskFacts::default() }],
            adapters: vec![AdapterFacts {
                name: "eth0".into(),
                addresses: vec![("10.0.0.1".parse().unwrap(), 24)],
                is_up: true,
                ..AdapterFacts::default()
            }],
            ..Inventory::default()
        }
    }

    fn changes_of(before: &Inventory, now: &Inventory) -> Vec<Event> {
        changes(&parts::told(before, None), &parts::told(now, None), 7)
    }

    fn told(before: &Inventory, now: &Inventory) -> Vec<(String, String, Option<String>)> {
        let of = |event: Event| {
            let to = event.get("to").map(ToString::to_string);
            (event.kind.into_owned(), event.subject, to)
        };
        changes_of(before, now).into_iter().map(of).collect()
    }

    #[test]
    fn nothing_is_told_of_what_stays_or_always_moves() {
        let before = inventory();
        let mut now = inventory();
        let drive = |free_bytes| DriveFacts { free_bytes, ..DriveFacts::default() };
        now.drives.push(drive(5));
        let before = Inventory { drives: vec![drive(6)], ..before };
        assert_eq!(told(&before, &now), []);
    }

    #[test]
    fn what_came_went_and_changed_is_told() {
        let before = inventory();
        let mut now = inventory();
        now.memory_modules.pop();
        now.disks.push(DiskFacts { name: "sdb".into(), size_bytes: 7, ..DiskFacts::default() });
        now.adapters[0].addresses[0].1 = 16;
        let expect = [
            ("inventory_changed", "adapter eth0", Some("10.0.0.1/16")),
            ("inventory_removed", "memory module  (2)", None),
            ("inventory_added", "disk sdb", Some("size_bytes 7")),
        ]
        .map(|(kind, subject, to)| (kind.to_owned(), subject.to_owned(), to.map(str::to_owned)));
        assert_eq!(told(&before, &now), expect);
    }

    #[test]
    fn a_serial_number_that_only_root_may_read_does_not_change() {
        let with = |serial: Option<&str>| {
            let serial = serial.map(str::to_owned);
            let disk = DiskFacts { name: "sda".into(), serial, ..DiskFacts::default() };
            Inventory { disks: vec![disk], ..Inventory::default() }
        };
        assert_eq!(told(&with(Some("A1")), &with(None)), []);
        assert_eq!(told(&with(None), &with(Some("A1"))), []);
        assert_eq!(told(&with(Some("A1")), &with(Some("B2"))).len(), 1);
    }

    #[test]
    fn a_machine_that_is_another_one_is_bounded() {
        let disk = |n: i32| DiskFacts { name: n.to_string(), ..DiskFacts::default() };
        let now = Inventory { disks: (0..1000).map(disk).collect(), ..Inventory::default() };
        assert_eq!(told(&Inventory::default(), &now).len(), MAX_CHANGES);
    }
}

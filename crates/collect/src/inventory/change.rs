//! What differs between two inventories.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::readings::Inventory;

/// A part of the machine: its class and what it is called.
type Part = (&'static str, String);
/// What is looked at; what always moves, such as free space, is not.
type Facts = Vec<(&'static str, String)>;

/// A machine that changes more than this at once is another one.
const MAX_CHANGES: usize = 100;

/// One event for each part that came or went, and for each fact that is another one.
pub(super) fn changes(before: &Inventory, now: &Inventory, now_ms: i64) -> Vec<Event> {
    let (before, now) = (parts(before), parts(now));
    let mut events = Vec::new();
    for (part, old) in &before {
        match now.get(part) {
            None => events.push(event(now_ms, "inventory_removed", part, &summary(old), "")),
            Some(new) => {
                for ((name, old), (_, new)) in old.iter().zip(new).filter(|(a, b)| differ(a, b)) {
                    let event = event(now_ms, "inventory_changed", part, old, new);
                    events.push(event.with("fact", Some(*name)));
                }
            }
        }
    }
    for (part, new) in now.iter().filter(|(part, _)| !before.contains_key(part)) {
        events.push(event(now_ms, "inventory_added", part, "", &summary(new)));
    }
    events.truncate(MAX_CHANGES);
    events
}

/// A drive that hangs has no size for now.
fn differ(old: &(&str, String), new: &(&str, String)) -> bool {
    let is_told = |fact: &(&str, String)| fact.0 != "size_bytes" || fact.1 != "0";
    old != new && is_told(old) && is_told(new)
}

fn event(now_ms: i64, kind: &'static str, (class, name): &Part, from: &str, to: &str) -> Event {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Event::new(now_ms, kind, &format!("{} {name}", class.replace('_', " ")))
        .with("class", Some(*class))
        .with("name", Some(name.as_str()))
        .with("from", some(from).as_deref())
        .with("to", some(to).as_deref())
}

fn summary(facts: &Facts) -> String {
    let told = facts.iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn parts(inventory: &Inventory) -> BTreeMap<Part, Facts> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<u64>| value.map(|n| n.to_string()).unwrap_or_default();
    let Inventory { computer, system, .. } = inventory;
    let mut parts = BTreeMap::new();
    let mut add = |class, name: &str, facts: Facts| {
        // Parts of one name, such as two modules in slots that are not named, are told apart.
        let twin = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
        let free = (1..10_000).map(twin).find(|name| !parts.contains_key(&(class, name.clone())));
        parts.insert((class, free.unwrap_or_default()), facts);
    };
    add(
        "computer",
        "",
        vec![
            ("name", computer.name.clone()),
            ("domain", text(&computer.domain)),
            ("manufacturer", text(&computer.manufacturer)),
            ("model", text(&computer.model)),
            ("memory_bytes", number(computer.memory_bytes)),
        ],
    );
    add(
        "operating_system",
        "",
        vec![("name", text(&system.name)), ("version", text(&system.version))],
    );
    for one in &inventory.processors {
        let facts = vec![
            ("name", text(&one.name)),
            ("cores", number(one.cores.map(u64::from))),
            ("logical", one.logical.to_string()),
        ];
        add("processor", &one.socket.to_string(), facts);
    }
    for one in &inventory.memory_modules {
        let facts = vec![
            ("capacity_bytes", one.capacity_bytes.to_string()),
            ("part_number", text(&one.part_number)),
            ("serial", text(&one.serial)),
        ];
        add("memory_module", &one.slot, facts);
    }
    for one in &inventory.disks {
        let facts = vec![
            ("model", text(&one.model)),
            ("serial", text(&one.serial)),
            ("size_bytes", one.size_bytes.to_string()),
        ];
        add("disk", &one.name, facts);
    }
    for one in &inventory.drives {
        let facts = vec![
            ("device", one.device.clone()),
            ("file_system", one.file_system.clone()),
            ("label", text(&one.label)),
            ("size_bytes", one.size_bytes.to_string()),
        ];
        add("drive", &one.mount_point, facts);
    }
    for one in &inventory.adapters {
        let addresses = one.addresses.iter().map(|(ip, bits)| format!("{ip}/{bits}"));
        let facts = vec![
            ("description", text(&one.description)),
            ("mac", text(&one.mac)),
            ("up", one.is_up.to_string()),
            ("speed_bits_per_second", number(one.speed_bits_per_second)),
            ("addresses", addresses.collect::<Vec<_>>().join(" ")),
        ];
        add("adapter", &one.name, facts);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readings::{AdapterFacts, DiskFacts, DriveFacts, MemoryModule};

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

    fn told(before: &Inventory, now: &Inventory) -> Vec<(String, String, Option<String>)> {
        let of = |event: Event| {
            let to = event.get("to").map(ToString::to_string);
            (event.kind.into_owned(), event.subject, to)
        };
        changes(before, now, 7).into_iter().map(of).collect()
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
    fn a_machine_that_is_another_one_is_bounded() {
        let disk = |n: i32| DiskFacts { name: n.to_string(), ..DiskFacts::default() };
        let now = Inventory { disks: (0..1000).map(disk).collect(), ..Inventory::default() };
        assert_eq!(told(&Inventory::default(), &now).len(), MAX_CHANGES);
    }
}

//! An inventory as parts with facts, which are compared and kept.

use std::collections::BTreeMap;

use crate::readings::{Computer, Inventory};

/// A part of the machine: its class and what it is called.
pub(super) type Part = (String, String);
/// What is looked at, by name; what always moves, such as free space, is not.
pub(super) type Facts = Vec<(String, String)>;
pub(super) type Parts = BTreeMap<Part, Facts>;

/// What the inventory tells. Of a class that cannot be read now, what was known before stays.
pub(super) fn told(inventory: &Inventory, before: Option<&Parts>) -> Parts {
    let mut parts = parts(inventory);
    for (part, facts) in before.into_iter().flatten() {
        let is_told = parts.keys().any(|known| known.0 == part.0);
        if !is_told && inventory.missing.iter().any(|why| is_about(why, &part.0)) {
            parts.insert(part.clone(), facts.clone());
        }
    }
    parts
}

/// Whether this tells why parts of a class are missing: `memory modules: …`.
fn is_about(why: &str, class: &str) -> bool {
    why.split_once(':').is_some_and(|(what, _)| what == format!("{}s", class.replace('_', " ")))
}

fn parts(inventory: &Inventory) -> Parts {
    let mut parts = Parts::new();
    let mut add = |class: &str, name: &str, facts: Vec<(&str, String)>| {
        let class = class.to_owned();
        // Parts of one name, such as two modules in slots that are not named, are told apart.
        let twin = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
        let free =
            (1..10_000).map(twin).find(|name| !parts.contains_key(&(class.clone(), name.clone())));
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        parts.insert((class, free.unwrap_or_default()), facts);
    };
    add("computer", "", computer_facts(&inventory.computer));
    let system = &inventory.system;
    let facts =
        vec![("name", text(system.name.as_ref())), ("version", text(system.version.as_ref()))];
    add("operating_system", "", facts);
    for one in &inventory.processors {
        let facts = vec![
            ("name", text(one.name.as_ref())),
            ("cores", number(one.cores.map(u64::from))),
            ("logical", one.logical.to_string()),
        ];
        add("processor", &one.socket.to_string(), facts);
    }
    for one in &inventory.memory_modules {
        let facts = vec![
            ("capacity_bytes", one.capacity_bytes.to_string()),
            ("part_number", text(one.part_number.as_ref())),
            ("serial", text(one.serial.as_ref())),
        ];
        add("memory_module", &one.slot, facts);
    }
    for one in &inventory.disks {
        let facts = vec![
            ("model", text(one.model.as_ref())),
            ("serial", text(one.serial.as_ref())),
            ("size_bytes", one.size_bytes.to_string()),
        ];
        add("disk", &one.name, facts);
    }
    for one in &inventory.drives {
        let facts = vec![
            ("device", one.device.clone()),
            ("file_system", one.file_system.clone()),
            ("label", text(one.label.as_ref())),
            ("size_bytes", one.size_bytes.to_string()),
        ];
        add("drive", &one.mount_point, facts);
    }
    for one in &inventory.adapters {
        let addresses = one.addresses.iter().map(|(ip, bits)| format!("{ip}/{bits}"));
        let facts = vec![
            ("description", text(one.description.as_ref())),
            ("mac", text(one.mac.as_ref())),
            ("up", one.is_up.to_string()),
            ("speed_bits_per_second", number(one.speed_bits_per_second)),
            ("addresses", addresses.collect::<Vec<_>>().join(" ")),
        ];
        add("adapter", &one.name, facts);
    }
    parts
}

fn computer_facts(computer: &Computer) -> Vec<(&'static str, String)> {
    vec![
        ("name", computer.name.clone()),
        ("domain", text(computer.domain.as_ref())),
        ("manufacturer", text(computer.manufacturer.as_ref())),
        ("model", text(computer.model.as_ref())),
        ("memory_bytes", number(computer.memory_bytes)),
    ]
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn number(value: Option<u64>) -> String {
    value.map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readings::MemoryModule;

    #[test]
    fn what_cannot_be_read_now_is_not_gone() {
        let modules = vec![MemoryModule::default()];
        let full = told(&Inventory { memory_modules: modules, ..Inventory::default() }, None);
        let why = "memory modules: /sys/DMI cannot be read, only root may".to_owned();
        let denied = Inventory { missing: vec![why], ..Inventory::default() };
        assert_eq!(told(&denied, Some(&full)), full);
        let none = told(&Inventory::default(), Some(&full));
        assert_eq!(none.len(), full.len() - 1);
    }
}

//! `barograph inventory`: what this machine is made of.

use barograph_collect::inventory::inventory;
use barograph_collect::readings::{
    AdapterFacts, DiskFacts, DriveFacts, Inventory, MemoryModule, Processor, Virtualisation,
};
use barograph_collect::{FileSystems, Roots};
use barograph_model::{Clock, SystemClock};
use barograph_server::InventoryAnswer;
use clap::Args;

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct InventoryArgs {
    /// With every file system that has a size: network, memory, removable (Linux).
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InventoryArgs) -> anyhow::Result<()> {
    let file_systems = if args.all { FileSystems::all() } else { FileSystems::default() };
    let inventory = inventory(&Roots { file_systems, ..Roots::default() })?;
    if args.json {
        let now_ms = SystemClock::new().now_ms();
        return output::pretty_json(&InventoryAnswer::new(&inventory, now_ms));
    }
    output::line(&shown(&inventory))
}

/// A part of the page: its heading and its rows.
type Section = (&'static str, Vec<Vec<String>>);

fn shown(inventory: &Inventory) -> String {
    let sections: [Section; 8] = [
        ("Computer", computer(inventory)),
        ("Operating system", system(inventory)),
        ("Processors", inventory.processors.iter().map(processor).collect()),
        ("Memory modules", inventory.memory_modules.iter().map(module).collect()),
        ("Disks", inventory.disks.iter().map(disk).collect()),
        ("Drives", inventory.drives.iter().map(drive).collect()),
        ("Network adapters", inventory.adapters.iter().map(adapter).collect()),
        ("Not told", inventory.missing.iter().map(|why| vec![why.clone()]).collect()),
    ];
    let told = sections.into_iter().filter(|(_, rows)| !rows.is_empty());
    let parts: Vec<String> = told
        .map(|(heading, rows)| {
            let rows: Vec<Vec<String>> = rows.into_iter().map(indented).collect();
            format!("{heading}\n{}", output::table(&rows))
        })
        .collect();
    parts.join("\n\n")
}

fn indented(mut row: Vec<String>) -> Vec<String> {
    if let Some(first) = row.first_mut() {
        first.insert_str(0, "  ");
    }
    row
}

/// Only what is told.
fn facts<const N: usize>(rows: [(&str, Option<String>); N]) -> Vec<Vec<String>> {
    let told = rows.into_iter().filter_map(|(name, value)| Some((name, value?)));
    told.map(|(name, value)| vec![name.to_owned(), value]).collect()
}

fn computer(inventory: &Inventory) -> Vec<Vec<String>> {
    let one = &inventory.computer;
    facts([
        ("name", Some(one.name.clone())),
        ("domain", one.domain.clone()),
        ("manufacturer", one.manufacturer.clone()),
        ("model", one.model.clone()),
        ("serial", one.serial.clone()),
        ("memory", one.memory_bytes.map(output::size)),
        ("virtualisation", one.virtualisation.map(Virtualisation::as_str).map(str::to_owned)),
    ])
}

fn system(inventory: &Inventory) -> Vec<Vec<String>> {
    let one = &inventory.system;
    facts([
        ("name", one.name.clone()),
        ("version", one.version.clone()),
        ("architecture", one.architecture.clone()),
        ("installed", one.installed_ms.map(output::timestamp)),
        ("last boot", one.booted_ms.map(output::timestamp)),
    ])
}

fn processor(one: &Processor) -> Vec<String> {
    let gigahertz = |hertz: f64| format!("{:.2} GHz", hertz / 1e9);
    vec![
        format!("socket {}", one.socket),
        or_dash(one.name.clone()),
        one.cores.map_or_else(|| "–".into(), |cores| plural(cores, "core")),
        format!("{} logical", one.logical),
        match (one.current_hertz, one.maximum_hertz) {
            (Some(now), Some(maximum)) => {
                format!("{} of {}", gigahertz(now), gigahertz(maximum))
            }
            (one, other) => or_dash(one.or(other).map(gigahertz)),
        },
    ]
}

fn module(one: &MemoryModule) -> Vec<String> {
    vec![
        one.slot.clone(),
        output::size(one.capacity_bytes),
        one.kind.unwrap_or("–").to_owned(),
        or_dash(one.transfers_per_second.map(|speed| format!("{} MT/s", speed / 1_000_000))),
        or_dash(one.manufacturer.clone()),
        or_dash(one.part_number.clone()),
    ]
}

fn disk(one: &DiskFacts) -> Vec<String> {
    let kind = match one.is_rotational {
        Some(true) => "turning",
        Some(false) => "solid",
        None => "–",
    };
    vec![
        one.name.clone(),
        output::size(one.size_bytes),
        kind.to_owned(),
        or_dash(one.model.clone()),
        or_dash(one.serial.clone()),
    ]
}

fn drive(one: &DriveFacts) -> Vec<String> {
    vec![
        one.mount_point.clone(),
        one.file_system.clone(),
        format!("{} free of {}", output::size(one.free_bytes), output::size(one.size_bytes)),
        or_dash(one.used_percent().map(|percent| format!("{percent:.1} % used"))),
        or_dash(one.label.clone()),
        one.device.clone(),
    ]
}

fn adapter(one: &AdapterFacts) -> Vec<String> {
    let speed = |bits: u64| match bits / 1_000_000 {
        0 => format!("{bits} bit/s"),
        megabits => format!("{megabits} Mbit/s"),
    };
    let addresses: Vec<String> =
        one.addresses.iter().map(|(ip, bits)| format!("{ip}/{bits}")).collect();
    vec![
        one.name.clone(),
        if one.is_up { "up" } else { "down" }.to_owned(),
        one.kind.to_owned(),
        or_dash(one.speed_bits_per_second.map(speed)),
        or_dash(one.mac.clone()),
        or_dash(one.description.clone()),
        addresses.join(" "),
    ]
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

fn plural(count: u32, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_left_out_or_explained() {
        let mut inventory =
            Inventory { missing: vec!["memory modules: why".into()], ..Inventory::default() };
        inventory.computer.name = "db-1".into();
        let module = MemoryModule {
            slot: "DIMM A1".into(),
            capacity_bytes: 16 << 30,
            transfers_per_second: Some(3_200_000_000),
            kind: Some("DDR4"),
            ..MemoryModule::default()
        };
        inventory.memory_modules.push(module);
        assert_eq!(
            shown(&inventory),
            "Computer\n  name  db-1\n\n\
             Memory modules\n  DIMM A1  16.0 GiB  DDR4  3200 MT/s  –  –\n\n\
             Not told\n  memory modules: why"
        );
    }
}

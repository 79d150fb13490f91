//! Network adapters and their addresses.

use std::fs;
use std::path::Path;

use super::{line, names, number};
use crate::parse::rtm_address::{self, Address};
use crate::platform::linux::netlink::Netlink;
use crate::readings::AdapterFacts;
use crate::roots::Roots;

pub(super) fn adapters(roots: &Roots, missing: &mut Vec<String>) -> Vec<AdapterFacts> {
    let folder = roots.sys.join("class/net");
    let addresses = addresses(roots, missing);
    let adapter = |name: String| adapter(&folder.join(&name), name, &addresses);
    names(&folder)
        .into_iter()
        // A file among the folders that belongs to bonding.
        .filter(|name| folder.join(name).is_dir())
        .map(adapter)
        .collect()
}

fn adapter(path: &Path, name: String, addresses: &[Address]) -> AdapterFacts {
    let index = number(&path.join("ifindex"));
    let own = addresses.iter().filter(|address| Some(u64::from(address.adapter)) == index);
    let file_name = |link: &str| {
        let target = fs::read_link(path.join(link)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    };
    let megabits = number(&path.join("speed")).filter(|n| *n > 0 && *n < u64::from(u32::MAX));
    let state = line(&path.join("operstate"));
    let is_loopback = kind(path) == "loopback";
    AdapterFacts {
        name,
        description: file_name("device/driver"),
        mac: line(&path.join("address")).filter(|mac| mac.contains(|c| !"0:".contains(c))),
        kind: kind(path),
        manufacturer: line(&path.join("device/vendor")).map(|id| format!("PCI vendor {id}")),
        speed_bits_per_second: megabits.map(|megabits| megabits * 1_000_000),
        addresses: own.map(|address| (address.ip, address.prefix)).collect(),
        // Drivers that do not tell leave it unknown while they work.
        is_up: state.is_some_and(|state| {
            state == "up" || state == "unknown" && (is_loopback || carrier(path))
        }),
    }
}

fn carrier(path: &Path) -> bool {
    // Reading it is refused while the adapter is down.
    number(&path.join("carrier")) == Some(1)
}

fn kind(path: &Path) -> &'static str {
    /// By the kernel's `ARPHRD_` constants.
    const ETHERNET: u64 = 1;
    const LOOPBACK: u64 = 772;
    const NONE: u64 = 65534;
    match number(&path.join("type")) {
        Some(LOOPBACK) => "loopback",
        _ if path.join("wireless").exists() || path.join("phy80211").exists() => "wireless",
        _ if path.join("bridge").exists() => "bridge",
        _ if path.join("bonding").exists() => "bond",
        _ if path.join("tun_flags").exists() => "tunnel",
        Some(ETHERNET) if path.join("device").exists() => "ethernet",
        Some(ETHERNET) => "virtual",
        // IPIP, SIT, GRE and their like.
        Some(768 | 769 | 776 | 778 | 823 | NONE) => "tunnel",
        _ => "other",
    }
}

/// The kernel tells those of this machine only.
fn addresses(roots: &Roots, missing: &mut Vec<String>) -> Vec<Address> {
    const MAX_ADDRESSES: usize = 10_000;
    if roots.sys != Path::new("/sys") {
        missing.push("addresses: only the kernel of this machine tells them".into());
        return Vec::new();
    }
    let mut found = Vec::new();
    let table = Netlink::open(None, "the kernel's list of addresses").and_then(|mut netlink| {
        netlink.table(rtm_address::request, |kind, payload| {
            if kind == rtm_address::KIND && found.len() < MAX_ADDRESSES {
                found.extend(rtm_address::parse(payload));
            }
        })
    });
    if let Err(error) = table {
        missing.push(format!("addresses: {}", crate::chain(&error)));
    }
    found.sort_by_key(|address| (address.adapter, address.ip));
    found
}

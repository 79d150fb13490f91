//! Network adapters.

use std::fs;
use std::path::{Path, PathBuf};

use super::kept_file::KeptFile;
use super::small_file;
use crate::Error;
use crate::parse;
use crate::readings::Adapter;
use crate::roots::Roots;
use crate::rows::Rows;

/// Reads `/proc/net/dev`, one read for all adapters; speed and what an adapter is come from
/// `/sys/class/net`, once in a while.
#[derive(Debug)]
pub(crate) struct AdapterReader {
    net_dev: KeptFile,
    class: PathBuf,
    known: Vec<Known>,
    readings_until_refresh: u32,
    readings_until_unknown: u32,
    adapters: Rows<Adapter>,
}

/// What hardly changes about an adapter.
#[derive(Debug)]
struct Known {
    name: String,
    is_device: bool,
    speed_bits_per_second: Option<u64>,
    received_unknown: Option<u64>,
}

impl AdapterReader {
    /// Asking for the speed takes a lock that configuring the network takes too.
    const READINGS_PER_REFRESH: u32 = 60;
    /// A file for each adapter.
    const READINGS_PER_UNKNOWN: u32 = 10;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            net_dev: KeptFile::new(roots.proc.join("net/dev")),
            class: roots.sys.join("class/net"),
            known: Vec::new(),
            readings_until_refresh: 0,
            readings_until_unknown: 0,
            adapters: Rows::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Adapter>, Error> {
        let Self { net_dev, adapters, .. } = self;
        net_dev.read_if_there("network adapter counters", "kernel without network", |text| {
            parse::net_dev::parse(text, adapters)
        })?;
        self.refresh();
        self.read_unknown();
        let is_device = |name: &str| self.known.iter().any(|k| k.name == name && k.is_device);
        self.adapters.retain(|adapter| is_wanted(adapter, is_device(&adapter.name)));
        let has_devices = self.adapters.iter().any(|adapter| is_device(&adapter.name));
        for adapter in self.adapters.as_mut_slice() {
            let known = self.known.iter().find(|known| known.name == adapter.name);
            adapter.speed_bits_per_second = known.and_then(|known| known.speed_bits_per_second);
            adapter.received_unknown = known.and_then(|known| known.received_unknown);
            // In a container no adapter is a device: there it is the other end of a pair.
            adapter.in_total = match known {
                Some(known) if has_devices => known.is_device,
                _ => !has_devices && adapter.name != "lo",
            };
        }
        Ok(&self.adapters)
    }

    fn refresh(&mut self) {
        let same = self.known.len() == self.adapters.as_slice().len()
            && self.known.iter().zip(&self.adapters).all(|(a, b)| a.name == b.name);
        if same && self.readings_until_refresh > 0 {
            self.readings_until_refresh -= 1;
            return;
        }
        self.readings_until_refresh = Self::READINGS_PER_REFRESH;
        self.known = self
            .adapters
            .iter()
            .map(|adapter| {
                let folder = self.class.join(&adapter.name);
                Known {
                    name: adapter.name.clone(),
                    is_device: folder.join("device").exists(),
                    speed_bits_per_second: speed(&folder),
                    received_unknown: None,
                }
            })
            .collect();
        self.readings_until_unknown = 0;
    }

    fn read_unknown(&mut self) {
        if self.readings_until_unknown > 0 {
            self.readings_until_unknown -= 1;
            return;
        }
        self.readings_until_unknown = Self::READINGS_PER_UNKNOWN - 1;
        for known in &mut self.known {
            let file = self.class.join(&known.name).join("statistics/rx_nohandler");
            known.received_unknown = small_file::number(&file);
        }
    }
}

/// The file says megabits; it says -1, or cannot be read, when the adapter is down or virtual.
fn speed(folder: &Path) -> Option<u64> {
    let text = fs::read_to_string(folder.join("speed")).ok()?;
    let megabits: u64 = text.trim().parse().ok()?;
    (megabits > 0 && megabits < u64::from(u32::MAX)).then(|| megabits * 1_000_000)
}

/// Left out are the host's ends of containers' cables, whose data is seen again at the bridge and
/// which come and go with the containers, and virtual adapters that nobody has used.
fn is_wanted(adapter: &Adapter, is_device: bool) -> bool {
    let is_container_end = ["veth", "cali", "lxc"].iter().any(|p| adapter.name.starts_with(p));
    let is_used = adapter.received_packets > 0 || adapter.sent_packets > 0;
    is_device || (is_used && !is_container_end)
}

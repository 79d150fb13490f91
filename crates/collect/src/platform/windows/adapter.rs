//! Network adapters.
#![expect(unsafe_code, reason = "calls to iphlpapi, which lends a table")]

use std::ptr::NonNull;
use std::{ptr, slice};

use windows_sys::Win32::Foundation::NO_ERROR;
use windows_sys::Win32::NetworkManagement::IpHelper::{
    FreeMibTable, GetIfTable2, IF_TYPE_SOFTWARE_LOOPBACK, MIB_IF_ROW2, MIB_IF_TABLE2,
};
use windows_sys::Win32::NetworkManagement::Ndis::NET_IF_MEDIA_CONNECT_STATE;

use super::failure;
use super::wide::narrow;
use super::wine::under_wine;
use crate::Error;
use crate::readings::Adapter;
use crate::roots::Roots;
use crate::rows::Rows;

/// `MediaConnectStateConnected`
const CONNECTED: NET_IF_MEDIA_CONNECT_STATE = 1;

/// Of `InterfaceAndOperStatusFlags`: there is a device behind it.
const IS_HARDWARE: u8 = 1;
/// Of the same: it looks at another adapter's packets.
const IS_FILTER: u8 = 2;

/// Asks Windows for its table of interfaces.
#[derive(Debug)]
pub(crate) struct AdapterReader {
    adapters: Rows<Adapter>,
}

impl AdapterReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { adapters: Rows::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Adapter>, Error> {
        self.adapters.clear();
        let table = Table::get()?;
        for row in table.rows().iter().filter(|row| is_adapter(row)) {
            fill(row, self.adapters.add());
        }
        number_twins(self.adapters.as_mut_slice());
        Ok(&self.adapters)
    }
}

/// The table that Windows lends; given back when dropped.
struct Table(NonNull<MIB_IF_TABLE2>);

impl Table {
    fn get() -> Result<Table, Error> {
        let mut table = ptr::null_mut();
        // SAFETY: a place for a pointer.
        let code = unsafe { GetIfTable2(&raw mut table) };
        match NonNull::new(table) {
            Some(table) if code == NO_ERROR => Ok(Table(table)),
            _ => Err(failure::code("GetIfTable2", "network adapters", code)),
        }
    }

    fn rows(&self) -> &[MIB_IF_ROW2] {
        let table = self.0.as_ptr();
        // SAFETY: the table is ours until dropped and holds as many rows as it says.
        unsafe {
            let first = (&raw const (*table).Table).cast();
            slice::from_raw_parts(first, (*table).NumEntries as usize)
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: it came from `GetIfTable2` and nothing borrows it any more.
        unsafe { FreeMibTable(self.0.as_ptr().cast()) };
    }
}

fn has(row: &MIB_IF_ROW2, flag: u8) -> bool {
    row.InterfaceAndOperStatusFlags._bitfield & flag != 0
}

/// Filters see the packets of another row again; the loopback is no adapter.
fn is_adapter(row: &MIB_IF_ROW2) -> bool {
    !has(row, IS_FILTER) && row.Type != IF_TYPE_SOFTWARE_LOOPBACK
}

fn fill(row: &MIB_IF_ROW2, adapter: &mut Adapter) {
    // Wine makes a speed up.
    let speed = Some(row.TransmitLinkSpeed)
        .filter(|speed| row.MediaConnectState == CONNECTED && *speed > 0 && *speed < u64::MAX)
        .filter(|_| !under_wine());
    *adapter = Adapter {
        name: instance_name(&narrow(&row.Description)),
        received_bytes: row.InOctets,
        sent_bytes: row.OutOctets,
        received_packets: row.InUcastPkts.saturating_add(row.InNUcastPkts),
        sent_packets: row.OutUcastPkts.saturating_add(row.OutNUcastPkts),
        receive_errors: row.InErrors,
        send_errors: row.OutErrors,
        receive_dropped: row.InDiscards,
        send_dropped: row.OutDiscards,
        received_multicast: Some(row.InNUcastPkts),
        received_unknown: Some(row.InUnknownProtos),
        speed_bits_per_second: speed,
        in_total: has(row, IS_HARDWARE),
        ..Adapter::default()
    };
}

/// The name that Windows' own counters give the adapter.
fn instance_name(description: &str) -> String {
    let replace = |character| match character {
        '(' => '[',
        ')' => ']',
        '#' | '/' | '\\' => '_',
        other => other,
    };
    description.chars().map(replace).collect()
}

/// Adapters of one name are told apart by ` _2`, ` _3`, in the order of the table.
fn number_twins(adapters: &mut [Adapter]) {
    for at in 1..adapters.len() {
        let (before, after) = adapters.split_at_mut(at);
        let adapter = &mut after[0];
        let same = before.iter().filter(|other| other.name == adapter.name).count();
        if same > 0 {
            adapter.name = format!("{} _{}", adapter.name, same + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::net_dev;
    use crate::platform::windows::wine::linux_file;

    #[test]
    fn names_are_those_of_the_counters() {
        assert_eq!(instance_name(r"Intel(R) 10/100 #2 \x"), "Intel[R] 10_100 _2 _x");
    }

    #[test]
    fn a_filter_and_the_loopback_are_no_adapters() {
        let mut row = MIB_IF_ROW2 { Type: 6, ..MIB_IF_ROW2::default() };
        assert!(is_adapter(&row));
        row.InterfaceAndOperStatusFlags._bitfield = IS_HARDWARE | IS_FILTER;
        assert!(!is_adapter(&row));
        let loopback = MIB_IF_ROW2 { Type: IF_TYPE_SOFTWARE_LOOPBACK, ..MIB_IF_ROW2::default() };
        assert!(!is_adapter(&loopback));
    }

    #[test]
    fn totals_agree_with_the_system_below() {
        let mut reader = AdapterReader::new(&Roots::default());
        let before = reader.read().unwrap().clone();
        let Some(text) = linux_file("/proc/net/dev") else { return };
        let mut truth = Rows::default();
        net_dev::parse(text.as_bytes(), &mut truth).unwrap();
        let outward = truth.iter().filter(|adapter| adapter.name != "lo");
        let mut compared = 0;
        for truth in outward {
            let ours = before.iter().find(|adapter| adapter.name == truth.name).unwrap();
            assert!(ours.received_bytes <= truth.received_bytes, "{ours:?} {truth:?}");
            assert!(truth.received_bytes - ours.received_bytes < 100 << 20, "{ours:?} {truth:?}");
            assert!(ours.speed_bits_per_second.is_none());
            compared += 1;
        }
        assert_eq!(before.as_slice().len(), compared);
    }
}

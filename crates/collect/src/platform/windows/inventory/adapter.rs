//! Network adapters and their addresses.

use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses,
    IF_TYPE_ETHERNET_CSMACD, IF_TYPE_IEEE80211, IF_TYPE_PPP, IF_TYPE_SOFTWARE_LOOPBACK,
    IF_TYPE_TUNNEL, IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_UNICAST_ADDRESS_LH,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR_IN, SOCKADDR_IN6,
};

use crate::platform::windows::wide::narrow;
use crate::platform::windows::wine::under_wine;
use crate::platform::windows::{failure, registry};
use crate::readings::AdapterFacts;

/// A machine with more adapters or addresses is cut off there.
const MAX_ROWS: usize = 10_000;

pub(super) fn adapters(missing: &mut Vec<String>) -> Vec<AdapterFacts> {
    match table() {
        Ok(buffer) => read(&buffer),
        Err(code) => {
            let error = failure::code("GetAdaptersAddresses", "network adapters", code);
            missing.push(format!("network adapters: {}", crate::chain(&error)));
            Vec::new()
        }
    }
}

/// The linked list that Windows writes, in words of 8 bytes, since it holds pointers.
fn table() -> Result<Vec<u64>, u32> {
    const FLAGS: u32 = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    const MAX_BYTES: u32 = 16 * 1024 * 1024;
    let mut bytes = 32 * 1024;
    loop {
        let mut buffer = vec![0_u64; (bytes as usize).div_ceil(8)];
        // SAFETY: the call is told the buffer's size.
        let code = unsafe {
            GetAdaptersAddresses(
                AF_UNSPEC.into(),
                FLAGS,
                ptr::null(),
                buffer.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        match code {
            NO_ERROR => return Ok(buffer),
            ERROR_NO_DATA => return Ok(Vec::new()),
            ERROR_BUFFER_OVERFLOW if bytes < MAX_BYTES => bytes = bytes.saturating_mul(2),
            code => return Err(code),
        }
    }
}

fn read(buffer: &[u64]) -> Vec<AdapterFacts> {
    let mut adapters = Vec::new();
    let mut next = buffer.as_ptr().cast::<IP_ADAPTER_ADDRESSES_LH>();
    if buffer.is_empty() {
        next = ptr::null();
    }
    while !next.is_null() && adapters.len() < MAX_ROWS {
        // SAFETY: Windows has put a list there that ends with null; all that it points to lies in
        // the same buffer.
        let row = unsafe { &*next };
        adapters.push(adapter(row));
        next = row.Next;
    }
    adapters.sort_by(|a, b| a.name.cmp(&b.name));
    adapters
}

fn adapter(row: &IP_ADAPTER_ADDRESSES_LH) -> AdapterFacts {
    const UP: i32 = 1;
    let length = (row.PhysicalAddressLength as usize).min(row.PhysicalAddress.len());
    let mac: Vec<String> =
        row.PhysicalAddress[..length].iter().map(|byte| format!("{byte:02x}")).collect();
    let is_up = row.OperStatus == UP;
    // Wine makes a speed up.
    let speed = Some(row.TransmitLinkSpeed)
        .filter(|speed| is_up && *speed > 0 && *speed < u64::MAX && !under_wine());
    // SAFETY: both are null or lead to a text that ends with a zero, in the buffer of the row.
    let (name, description) = unsafe { (text(row.FriendlyName), text(row.Description)) };
    // SAFETY: it is null or leads to bytes that end with a zero, in the buffer of the row.
    let id = unsafe { ascii(row.AdapterName) };
    AdapterFacts {
        name,
        description: Some(description).filter(|description| !description.is_empty()),
        mac: Some(mac.join(":")).filter(|mac| mac.contains(|c| !"0:".contains(c))),
        kind: kind(row.IfType),
        manufacturer: manufacturer(&id),
        speed_bits_per_second: speed.filter(|_| row.IfType != IF_TYPE_SOFTWARE_LOOPBACK),
        addresses: addresses(row.FirstUnicastAddress),
        is_up,
    }
}

/// The maker of an adapter, as its driver says, by way of the class of network adapters.
fn manufacturer(id: &str) -> Option<String> {
    const CLASS: &str =
        r"SYSTEM\CurrentControlSet\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}";
    let key =
        registry::machine_keys(CLASS).into_iter().map(|name| format!(r"{CLASS}\{name}")).find(
            |key| registry::machine_text(key, "NetCfgInstanceId").is_some_and(|known| known == id),
        )?;
    let device = registry::machine_text(&key, "DeviceInstanceID");
    let maker = device.and_then(|device| {
        registry::machine_text(&format!(r"SYSTEM\CurrentControlSet\Enum\{device}"), "Mfg")
    });
    let maker = maker.or_else(|| registry::machine_text(&key, "ProviderName"))?;
    // `@oem3.inf,%intel%;Intel Corporation`: the name follows where it is to be looked up.
    maker.rsplit(';').next().map(str::to_owned)
}

/// # Safety
/// The pointer is null, or leads to bytes that end with a zero.
unsafe fn ascii(start: *const u8) -> String {
    const MAX_BYTES: usize = 256;
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the bytes are read up to their zero and not beyond.
    let bytes = unsafe {
        let length = (0..MAX_BYTES).take_while(|&at| *start.add(at) != 0).count();
        std::slice::from_raw_parts(start, length)
    };
    String::from_utf8_lossy(bytes).into_owned()
}

/// # Safety
/// The pointer is null, or leads to a text that ends with a zero.
unsafe fn text(start: *const u16) -> String {
    const MAX_UNITS: usize = 1024;
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the text is read up to its zero and not beyond.
    unsafe {
        let length = (0..MAX_UNITS).take_while(|&at| *start.add(at) != 0).count();
        narrow(std::slice::from_raw_parts(start, length))
    }
}

fn addresses(mut next: *const IP_ADAPTER_UNICAST_ADDRESS_LH) -> Vec<(IpAddr, u8)> {
    let mut addresses = Vec::new();
    while !next.is_null() && addresses.len() < MAX_ROWS {
        // SAFETY: a list in the same buffer that ends with null.
        let row = unsafe { &*next };
        let socket = row.Address.lpSockaddr;
        let any = socket.cast::<c_void>();
        // SAFETY: the family says which structure it is.
        let ip: Option<IpAddr> = unsafe {
            match (!socket.is_null()).then(|| (*socket).sa_family) {
                Some(AF_INET) => {
                    let bytes = any
                        .cast::<SOCKADDR_IN>()
                        .read_unaligned()
                        .sin_addr
                        .S_un
                        .S_addr
                        .to_ne_bytes();
                    Some(Ipv4Addr::from(bytes).into())
                }
                Some(AF_INET6) => {
                    let bytes = any.cast::<SOCKADDR_IN6>().read_unaligned().sin6_addr.u.Byte;
                    Some(Ipv6Addr::from(bytes).into())
                }
                _ => None,
            }
        };
        addresses.extend(ip.map(|ip| (ip, row.OnLinkPrefixLength)));
        next = row.Next;
    }
    addresses.sort_unstable();
    addresses
}

fn kind(number: u32) -> &'static str {
    match number {
        IF_TYPE_ETHERNET_CSMACD => "ethernet",
        IF_TYPE_IEEE80211 => "wireless",
        IF_TYPE_SOFTWARE_LOOPBACK => "loopback",
        IF_TYPE_TUNNEL | IF_TYPE_PPP => "tunnel",
        _ => "other",
    }
}

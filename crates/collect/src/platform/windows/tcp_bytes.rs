//! How many bytes TCP connections have carried: Windows' extended statistics, which count for a
//! connection from the moment that somebody with an administrator's rights asks for it.
#![expect(unsafe_code, reason = "calls to iphlpapi, which read and fill structures")]

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetPerTcp6ConnectionEStats, GetPerTcpConnectionEStats, MIB_TCP6ROW, MIB_TCP6ROW_OWNER_PID,
    MIB_TCPROW_LH, MIB_TCPROW_LH_0, MIB_TCPROW_OWNER_PID, SetPerTcp6ConnectionEStats,
    SetPerTcpConnectionEStats, TCP_ESTATS_DATA_ROD_v0, TCP_ESTATS_DATA_RW_v0, TCP_ESTATS_TYPE,
    TcpConnectionEstatsData,
};
use windows_sys::Win32::Networking::WinSock::{IN6_ADDR, IN6_ADDR_0};

use super::failure::is_unsupported_code;
use super::wine::under_wine;
use crate::readings::Traffic;

/// Asks for the bytes of one connection after the other, and gives up when the system refuses.
#[derive(Debug, Default)]
pub(super) struct TcpBytes {
    refused: Option<&'static str>,
}

/// `GetPerTcpConnectionEStats`, for rows of either version of the protocol.
type Get<R> = unsafe extern "system" fn(
    *const R,
    TCP_ESTATS_TYPE,
    *mut u8,
    u32,
    u32,
    *mut u8,
    u32,
    u32,
    *mut u8,
    u32,
    u32,
) -> u32;
/// `SetPerTcpConnectionEStats`, likewise.
type Set<R> = unsafe extern "system" fn(*const R, TCP_ESTATS_TYPE, *const u8, u32, u32, u32) -> u32;

static ENABLED: TCP_ESTATS_DATA_RW_v0 = TCP_ESTATS_DATA_RW_v0 { EnableCollection: true };
const RW_BYTES: u32 = 1;
const ROD_BYTES: u32 = 96;
const _: () = assert!(size_of::<TCP_ESTATS_DATA_RW_v0>() == RW_BYTES as usize);
const _: () = assert!(size_of::<TCP_ESTATS_DATA_ROD_v0>() == ROD_BYTES as usize);

impl TcpBytes {
    /// Why bytes are not counted; nothing while they are.
    pub(super) fn refused(&self) -> Option<&'static str> {
        self.refused
    }

    pub(super) fn of_v4(&mut self, row: &MIB_TCPROW_OWNER_PID) -> Option<Traffic> {
        let (get, set) = (GetPerTcpConnectionEStats, SetPerTcpConnectionEStats);
        self.is_told().then(|| self.count(&v4(row), get, set))?
    }

    pub(super) fn of_v6(&mut self, row: &MIB_TCP6ROW_OWNER_PID) -> Option<Traffic> {
        let (get, set) = (GetPerTcp6ConnectionEStats, SetPerTcp6ConnectionEStats);
        self.is_told().then(|| self.count(&v6(row), get, set))?
    }

    /// Wine has the functions and no numbers.
    fn is_told(&mut self) -> bool {
        if self.refused.is_none() && under_wine() {
            self.refused = Some("Wine does not count the bytes of connections");
        }
        self.refused.is_none()
    }

    /// What a connection has carried since its bytes are counted, which begins here if need be.
    /// Nothing for one that is gone by now.
    fn count<R>(&mut self, row: &R, get: Get<R>, set: Set<R>) -> Option<Traffic> {
        let mut settings = TCP_ESTATS_DATA_RW_v0::default();
        let mut counted = TCP_ESTATS_DATA_ROD_v0::default();
        let kind = TcpConnectionEstatsData;
        let (rw, rod) = ((&raw mut settings).cast(), (&raw mut counted).cast());
        let none = std::ptr::null_mut();
        // SAFETY: the call is told the sizes of both structures.
        let code = unsafe { get(row, kind, rw, 0, RW_BYTES, none, 0, 0, rod, 0, ROD_BYTES) };
        if code == NO_ERROR && settings.EnableCollection {
            let (sent, received) = (counted.ThruBytesAcked, counted.ThruBytesReceived);
            return Some(Traffic { sent, received });
        }
        let code = if code == NO_ERROR {
            let on = (&raw const ENABLED).cast();
            // SAFETY: the call is told the structure's size.
            unsafe { set(row, kind, on, 0, RW_BYTES, 0) }
        } else {
            code
        };
        self.judge(code);
        (code == NO_ERROR).then(Traffic::default)
    }

    fn judge(&mut self, code: u32) {
        if code == ERROR_ACCESS_DENIED {
            let why = "Windows counts the bytes of connections for administrators only";
            self.refused = Some(why);
        } else if code != NO_ERROR && is_unsupported_code(code) {
            self.refused = Some("this Windows does not count the bytes of connections");
        }
    }
}

/// The connection as the statistics are asked for it.
fn v4(row: &MIB_TCPROW_OWNER_PID) -> MIB_TCPROW_LH {
    MIB_TCPROW_LH {
        Anonymous: MIB_TCPROW_LH_0 { dwState: row.dwState },
        dwLocalAddr: row.dwLocalAddr,
        dwLocalPort: row.dwLocalPort,
        dwRemoteAddr: row.dwRemoteAddr,
        dwRemotePort: row.dwRemotePort,
    }
}

fn v6(row: &MIB_TCP6ROW_OWNER_PID) -> MIB_TCP6ROW {
    let address = |bytes| IN6_ADDR { u: IN6_ADDR_0 { Byte: bytes } };
    MIB_TCP6ROW {
        State: row.dwState.cast_signed(),
        LocalAddr: address(row.ucLocalAddr),
        dwLocalScopeId: row.dwLocalScopeId,
        dwLocalPort: row.dwLocalPort,
        RemoteAddr: address(row.ucRemoteAddr),
        dwRemoteScopeId: row.dwRemoteScopeId,
        dwRemotePort: row.dwRemotePort,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use windows_sys::Win32::Foundation::{ERROR_NOT_FOUND, ERROR_NOT_SUPPORTED};

    use super::*;

    /// Ports of connections that the double knows: one is counted from when that is asked for, one
    /// nobody may have counted, one is gone.
    const COUNTED: u32 = 1;
    const FORBIDDEN: u32 = 2;
    const GONE: u32 = 3;

    /// How often the counting was switched on.
    static SWITCHED_ON: AtomicU32 = AtomicU32::new(0);

    /// As `GetPerTcpConnectionEStats` fills the structures, once somebody has asked to count.
    unsafe extern "system" fn get(
        row: *const MIB_TCPROW_LH,
        kind: TCP_ESTATS_TYPE,
        rw: *mut u8,
        rw_version: u32,
        rw_bytes: u32,
        ros: *mut u8,
        _: u32,
        ros_bytes: u32,
        rod: *mut u8,
        rod_version: u32,
        rod_bytes: u32,
    ) -> u32 {
        assert_eq!((kind, rw_version, rod_version), (TcpConnectionEstatsData, 0, 0));
        assert_eq!((rw_bytes, ros_bytes, rod_bytes), (1, 0, 96));
        assert!(ros.is_null());
        // SAFETY: the caller's row and structures of the sizes above.
        let (port, rw, rod) =
            unsafe { ((*row).dwLocalPort, &mut *rw, std::slice::from_raw_parts_mut(rod, 96)) };
        if port == GONE {
            return ERROR_NOT_FOUND;
        }
        *rw = u8::from(port == COUNTED && SWITCHED_ON.load(Ordering::Relaxed) > 0);
        // As the structure lies in memory: bytes and segments that were sent and that came, then
        // others; from 72 on the bytes that were acknowledged, and at the end
        // those that came in order.
        let numbers = [(0, 9000_u64), (16, 70_000), (72, 8000), (88, 65_000)];
        for (at, value) in numbers {
            rod[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        NO_ERROR
    }

    unsafe extern "system" fn set(
        row: *const MIB_TCPROW_LH,
        kind: TCP_ESTATS_TYPE,
        rw: *const u8,
        _: u32,
        bytes: u32,
        _: u32,
    ) -> u32 {
        assert_eq!((kind, bytes), (TcpConnectionEstatsData, 1));
        // SAFETY: the caller's row, and a structure of one byte.
        let (port, is_on) = unsafe { ((*row).dwLocalPort, *rw) };
        assert_eq!(is_on, 1);
        if port == FORBIDDEN {
            return ERROR_ACCESS_DENIED;
        }
        SWITCHED_ON.fetch_add(1, Ordering::Relaxed);
        NO_ERROR
    }

    fn connection(port: u32) -> MIB_TCPROW_LH {
        let row = MIB_TCPROW_OWNER_PID {
            dwState: 5,
            dwLocalAddr: 0x0100_007F,
            dwLocalPort: port,
            dwRemoteAddr: 0x0200_007F,
            dwRemotePort: 443,
            dwOwningPid: 4,
        };
        v4(&row)
    }

    #[test]
    fn bytes_are_counted_from_when_they_are_first_asked_for() {
        let mut bytes = TcpBytes::default();
        let mut of = |port| bytes.count(&connection(port), get, set);
        assert_eq!(of(GONE), None);
        assert_eq!(of(COUNTED), Some(Traffic::default()));
        assert_eq!(SWITCHED_ON.load(Ordering::Relaxed), 1);
        assert_eq!(of(COUNTED), Some(Traffic { sent: 8000, received: 65_000 }));
        assert_eq!(SWITCHED_ON.load(Ordering::Relaxed), 1);
        assert_eq!(of(FORBIDDEN), None);
        assert!(bytes.refused().unwrap().contains("administrators"), "{:?}", bytes.refused());
    }

    #[test]
    fn a_connection_is_asked_for_by_all_that_names_it() {
        let mut row = MIB_TCP6ROW_OWNER_PID {
            dwLocalScopeId: 3,
            dwLocalPort: 80,
            dwRemoteScopeId: 4,
            dwRemotePort: 443,
            dwState: 5,
            ..MIB_TCP6ROW_OWNER_PID::default()
        };
        row.ucLocalAddr[15] = 1;
        row.ucRemoteAddr[15] = 2;
        let asked = v6(&row);
        // SAFETY: bytes of any kind are an address.
        let last = |address: &IN6_ADDR| unsafe { address.u.Byte[15] };
        assert_eq!((last(&asked.LocalAddr), last(&asked.RemoteAddr)), (1, 2));
        assert_eq!((asked.dwLocalScopeId, asked.dwRemoteScopeId), (3, 4));
        assert_eq!((asked.dwLocalPort, asked.dwRemotePort, asked.State), (80, 443, 5));
        let asked = connection(80);
        assert_eq!((asked.dwLocalPort, asked.dwRemotePort), (80, 443));
        assert_eq!((asked.dwLocalAddr, asked.dwRemoteAddr), (0x0100_007F, 0x0200_007F));
        // SAFETY: the state is a number.
        assert_eq!(unsafe { asked.Anonymous.dwState }, 5);
    }

    #[test]
    fn what_the_system_refuses_is_not_asked_again_and_what_is_gone_hides_nothing() {
        let mut bytes = TcpBytes::default();
        bytes.judge(ERROR_NOT_FOUND);
        assert_eq!(bytes.refused(), None);
        for (code, part) in
            [(ERROR_NOT_SUPPORTED, "this Windows"), (ERROR_ACCESS_DENIED, "administrators only")]
        {
            bytes.judge(code);
            assert!(bytes.refused().unwrap().contains(part), "{:?}", bytes.refused());
        }
    }
}

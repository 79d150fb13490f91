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
        let row = MIB_TCPROW_LH {
            Anonymous: MIB_TCPROW_LH_0 { dwState: row.dwState },
            dwLocalAddr: row.dwLocalAddr,
            dwLocalPort: row.dwLocalPort,
            dwRemoteAddr: row.dwRemoteAddr,
            dwRemotePort: row.dwRemotePort,
        };
        self.count(&row, GetPerTcpConnectionEStats, SetPerTcpConnectionEStats)
    }

    pub(super) fn of_v6(&mut self, row: &MIB_TCP6ROW_OWNER_PID) -> Option<Traffic> {
        let address = |bytes| IN6_ADDR { u: IN6_ADDR_0 { Byte: bytes } };
        let row = MIB_TCP6ROW {
            State: row.dwState.cast_signed(),
            LocalAddr: address(row.ucLocalAddr),
            dwLocalScopeId: row.dwLocalScopeId,
            dwLocalPort: row.dwLocalPort,
            RemoteAddr: address(row.ucRemoteAddr),
            dwRemoteScopeId: row.dwRemoteScopeId,
            dwRemotePort: row.dwRemotePort,
        };
        self.count(&row, GetPerTcp6ConnectionEStats, SetPerTcp6ConnectionEStats)
    }

    /// What a connection has carried since its bytes are counted, which begins here if need be.
    /// Nothing for one that is gone by now.
    fn count<R>(&mut self, row: &R, get: Get<R>, set: Set<R>) -> Option<Traffic> {
        if self.refused.is_none() && under_wine() {
            self.refused = Some("Wine does not count the bytes of connections");
        }
        if self.refused.is_some() {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::{ERROR_NOT_FOUND, ERROR_NOT_SUPPORTED};

    use super::*;

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

//! What TCP and UDP have counted.
#![expect(unsafe_code, reason = "calls to iphlpapi, which fill structures")]

use windows_sys::Win32::Foundation::NO_ERROR;
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetTcpStatisticsEx, GetUdpStatisticsEx, MIB_TCPSTATS_LH, MIB_UDPSTATS,
};

use super::failure;
use super::sockets::{AF_INET, AF_INET6};
use crate::Error;
use crate::readings::{TcpTotals, TcpUdp, UdpTotals};
use crate::roots::Roots;

const FAMILIES: [(u16, &str); 2] = [(AF_INET, "ipv4"), (AF_INET6, "ipv6")];

/// Asks for the statistics of each family. The totals are those of 32 bits: the call for wider
/// ones ends the process where the system lacks it.
#[derive(Debug)]
pub(crate) struct TcpUdpReader {
    totals: TcpUdp,
}

impl TcpUdpReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { totals: TcpUdp::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&TcpUdp, Error> {
        self.totals.tcp.clear();
        self.totals.udp.clear();
        let mut first_error = None;
        for (family, name) in FAMILIES {
            match tcp(family, name) {
                Ok(tcp) => self.totals.tcp.push(tcp),
                Err(error) => first_error = first_error.or(Some(error)),
            }
            match udp(family, name) {
                Ok(udp) => self.totals.udp.push(udp),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        // A system without IPv6 still has the other family.
        match first_error {
            Some(error) if self.totals.tcp.is_empty() && self.totals.udp.is_empty() => Err(error),
            _ => Ok(&self.totals),
        }
    }
}

fn tcp(family: u16, name: &'static str) -> Result<TcpTotals, Error> {
    let mut stats = MIB_TCPSTATS_LH::default();
    // SAFETY: the call fills the structure.
    let code = unsafe { GetTcpStatisticsEx(&raw mut stats, family.into()) };
    if code != NO_ERROR {
        return Err(failure::code("GetTcpStatisticsEx", name, code));
    }
    Ok(TcpTotals {
        family: name,
        established: stats.dwCurrEstab.into(),
        active_opens: stats.dwActiveOpens.into(),
        passive_opens: stats.dwPassiveOpens.into(),
        failures: stats.dwAttemptFails.into(),
        resets: stats.dwEstabResets.into(),
        segments_received: stats.dwInSegs.into(),
        segments_sent: u64::from(stats.dwOutSegs) + u64::from(stats.dwRetransSegs),
        segments_retransmitted: stats.dwRetransSegs.into(),
        segment_errors: stats.dwInErrs.into(),
        resets_sent: stats.dwOutRsts.into(),
    })
}

fn udp(family: u16, name: &'static str) -> Result<UdpTotals, Error> {
    let mut stats = MIB_UDPSTATS::default();
    // SAFETY: the call fills the structure.
    let code = unsafe { GetUdpStatisticsEx(&raw mut stats, family.into()) };
    if code != NO_ERROR {
        return Err(failure::code("GetUdpStatisticsEx", name, code));
    }
    Ok(UdpTotals {
        family: name,
        datagrams_received: stats.dwInDatagrams.into(),
        datagrams_sent: stats.dwOutDatagrams.into(),
        no_port: stats.dwNoPorts.into(),
        errors: stats.dwInErrors.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::snmp;
    use crate::platform::windows::wine::linux_file;

    #[test]
    fn totals_agree_with_the_system_below() {
        let mut reader = TcpUdpReader::new(&Roots::default());
        let ours = reader.read().unwrap().clone();
        assert!(ours.tcp.iter().any(|tcp| tcp.family == "ipv4"), "{ours:?}");
        let Some(text) = linux_file("/proc/net/snmp") else { return };
        let mut truth = TcpUdp::default();
        snmp::parse(text.as_bytes(), &mut truth).unwrap();
        let (ours, truth) = (ours.tcp[0], truth.tcp[0]);
        assert!(ours.segments_received <= truth.segments_received, "{ours:?} {truth:?}");
        assert!(truth.segments_received - ours.segments_received < 100_000, "{ours:?} {truth:?}");
    }
}

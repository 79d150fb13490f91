//! What TCP and UDP have counted.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::keyed::Keyed;
use crate::parse::snmp;
use crate::readings::TcpUdp;
use crate::roots::Roots;

/// Reads `/proc/net/snmp`, and `netstat` and `snmp6` where the kernel has them.
#[derive(Debug)]
pub(crate) struct TcpUdpReader {
    snmp: KeptFile,
    netstat: Option<KeptFile>,
    snmp6: Option<KeptFile>,
    totals: TcpUdp,
    /// What else is wanted of each file.
    details: [Keyed; 3],
}

impl TcpUdpReader {
    /// Also finds what is wanted of `snmp`, `netstat` and `snmp6`.
    pub(crate) fn with_details(roots: &Roots, details: [Keyed; 3]) -> Self {
        let net = roots.proc.join("net");
        Self {
            snmp: KeptFile::new(net.join("snmp")),
            netstat: Some(KeptFile::new(net.join("netstat"))),
            snmp6: Some(KeptFile::new(net.join("snmp6"))),
            totals: TcpUdp::default(),
            details,
        }
    }

    /// What the last reading found of what else is wanted.
    pub(crate) fn details(&self) -> [&[Option<u64>]; 3] {
        self.details.each_ref().map(Keyed::values)
    }

    pub(crate) fn read(&mut self) -> Result<&TcpUdp, Error> {
        const WHAT: &str = "TCP and UDP totals";
        let Self { snmp, netstat, snmp6, totals, details } = self;
        let [of_snmp, of_netstat, of_snmp6] = details;
        of_snmp.clear();
        of_netstat.clear();
        of_snmp6.clear();
        totals.tcp.clear();
        totals.udp.clear();
        snmp.read_if_there(WHAT, "kernel without network", |text| {
            of_snmp.parse_pairs(text)?;
            snmp::parse(text, totals)
        })?;
        // Kernels are built without the one or the other; that does not change while they run.
        if_there(netstat, |text| {
            of_netstat.parse_pairs(text)?;
            snmp::parse_netstat(text, totals)
        })?;
        if_there(snmp6, |text| {
            of_snmp6.parse_lines(text)?;
            snmp::parse_snmp6(text, totals)
        })?;
        Ok(&self.totals)
    }
}

fn if_there(
    file: &mut Option<KeptFile>,
    parse: impl FnOnce(&[u8]) -> Result<(), crate::parse::ParseError>,
) -> Result<(), Error> {
    let Some(kept) = file else { return Ok(()) };
    match kept.read_if_there("a file of totals", "kernel without it", parse) {
        Err(error) if error.is_absent() => {
            *file = None;
            Ok(())
        }
        other => other,
    }
}

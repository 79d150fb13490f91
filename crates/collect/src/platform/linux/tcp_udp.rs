//! What TCP and UDP have counted.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::snmp;
use crate::readings::TcpUdp;
use crate::roots::Roots;

/// Reads `/proc/net/snmp`, and `snmp6` where the kernel has it.
#[derive(Debug)]
pub(crate) struct TcpUdpReader {
    snmp: KeptFile,
    snmp6: Option<KeptFile>,
    totals: TcpUdp,
}

impl TcpUdpReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let net = roots.proc.join("net");
        Self {
            snmp: KeptFile::new(net.join("snmp")),
            snmp6: Some(KeptFile::new(net.join("snmp6"))),
            totals: TcpUdp::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&TcpUdp, Error> {
        const WHAT: &str = "TCP and UDP totals";
        let Self { snmp, snmp6, totals } = self;
        totals.tcp.clear();
        totals.udp.clear();
        snmp.read_if_there(WHAT, "kernel without network", |text| snmp::parse(text, totals))?;
        // Kernels are built without it; that does not change while they run.
        if_there(snmp6, |text| snmp::parse_snmp6(text, totals))?;
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

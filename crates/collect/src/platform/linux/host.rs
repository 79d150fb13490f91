//! What hardly changes about the host.

use std::fs;
use std::path::PathBuf;

use super::{ContainerReader, CpuReader, MemoryReader};
use crate::parse;
use crate::readings::HostFacts;
use crate::roots::Roots;

pub(crate) fn host_facts(roots: &Roots) -> HostFacts {
    let line = |path: PathBuf| {
        let text = fs::read_to_string(path).ok()?;
        let line = text.trim();
        (!line.is_empty()).then(|| line.to_owned())
    };
    let mut cpu = CpuReader::new(roots);
    let mut memory = MemoryReader::new(roots);
    let cpu = cpu.read().ok();
    HostFacts {
        host: line(roots.proc.join("sys/kernel/hostname")).unwrap_or_else(|| "localhost".into()),
        os: "linux",
        os_name: ["etc/os-release", "usr/lib/os-release"]
            .iter()
            .find_map(|path| fs::read(roots.root.join(path)).ok())
            .and_then(|text| parse::os_release::pretty_name(&text)),
        kernel: line(roots.proc.join("sys/kernel/osrelease")),
        architecture: Some(std::env::consts::ARCH.into()),
        cpu_model: fs::read(roots.proc.join("cpuinfo"))
            .ok()
            .and_then(|text| parse::cpuinfo::model(&text)),
        cpu_count: cpu.and_then(|cpu| u32::try_from(cpu.cores.as_slice().len()).ok()),
        memory_bytes: memory.read().ok().map(|memory| memory.total_bytes),
        boot_time_ms: cpu.and_then(|cpu| cpu.boot_time_seconds).map(milliseconds),
        limits: ContainerReader::new(roots).read().unwrap_or_default().limits,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and seconds since 1970 fit")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

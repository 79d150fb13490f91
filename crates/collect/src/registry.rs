//! All collectors, one line each, by name.

use std::sync::Arc;

use barograph_model::{Clock, Desc, SystemClock};

use crate::cgroup::CgroupCollector;
use crate::connections::ConnectionCollector;
use crate::container::ContainerCollector;
use crate::cpu::CpuCollector;
use crate::cpu_details::{CpuFrequencyCollector, CpuIdleCollector, CpuTopologyCollector};
use crate::cpu_queues::CpuQueuesCollector;
use crate::detail::DetailCollector;
use crate::disk::DiskCollector;
use crate::filesystem::FileSystemCollector;
use crate::gpu::GpuCollector;
use crate::hwmon::HwmonCollector;
use crate::interrupts::InterruptsCollector;
use crate::inventory::InventoryCollector;
use crate::kernel_objects::KernelObjectsCollector;
use crate::load::LoadCollector;
use crate::memory::MemoryCollector;
use crate::network::NetworkCollector;
use crate::nfs::NfsCollector;
use crate::own::OwnCollector;
use crate::paging::PagingCollector;
use crate::pressure::PressureCollector;
use crate::process::ProcessCollector;
use crate::service::ServiceCollector;
use crate::system::SystemCollector;
use crate::tcp_udp::TcpUdpCollector;
use crate::thermal::ThermalCollector;
use crate::volume::VolumeCollector;
use crate::{Collector, Roots, Setup, kernel_limits, network_protocols, socket_totals};

/// The collectors of this machine, with nobody who listens to events. They touch nothing before
/// they are run.
pub fn all(roots: &Roots, clock: &Arc<dyn Clock>) -> Vec<Box<dyn Collector>> {
    with(&Setup::new(roots, clock))
}

/// The collectors of this machine. They touch nothing before they are run.
pub fn with(setup: &Setup) -> Vec<Box<dyn Collector>> {
    let Setup { roots, clock, .. } = setup;
    vec![
        Box::new(CgroupCollector::new(roots)),
        Box::new(ConnectionCollector::new(roots)),
        Box::new(ContainerCollector::new(roots, clock)),
        Box::new(CpuCollector::new(roots)),
        Box::new(CpuFrequencyCollector::new(roots)),
        Box::new(CpuIdleCollector::new(roots)),
        Box::new(CpuQueuesCollector::new(roots)),
        Box::new(CpuTopologyCollector::new(roots)),
        Box::new(DiskCollector::new(roots, clock)),
        Box::new(FileSystemCollector::new(roots)),
        Box::new(GpuCollector::new(roots)),
        Box::new(HwmonCollector::new(roots)),
        Box::new(InterruptsCollector::new(roots)),
        Box::new(InventoryCollector::new(setup)),
        Box::new(DetailCollector::new(&kernel_limits::ABOUT, roots)),
        Box::new(KernelObjectsCollector::new(roots)),
        Box::new(LoadCollector::new(roots)),
        Box::new(MemoryCollector::new(roots)),
        Box::new(NetworkCollector::new(roots, clock)),
        Box::new(DetailCollector::new(&network_protocols::ABOUT, roots)),
        Box::new(NfsCollector::new(roots)),
        Box::new(OwnCollector::new(roots)),
        Box::new(PagingCollector::new(roots)),
        Box::new(PressureCollector::new(roots)),
        Box::new(ProcessCollector::new(setup)),
        Box::new(ServiceCollector::new(setup)),
        Box::new(DetailCollector::new(&socket_totals::ABOUT, roots)),
        Box::new(SystemCollector::new(roots)),
        Box::new(TcpUdpCollector::new(roots)),
        Box::new(ThermalCollector::new(roots)),
        Box::new(VolumeCollector::new(roots)),
    ]
}

/// Every metric that a collector may emit, on any system, by name.
pub fn descs() -> Vec<&'static Desc> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut descs: Vec<&'static Desc> =
        all(&Roots::default(), &clock).iter().flat_map(|c| c.descs().iter().copied()).collect();
    descs.sort_by_key(|desc| desc.name);
    descs
}

#[cfg(test)]
mod tests {
    use barograph_model::Kind;

    use super::*;
    use crate::HEADLINE;

    #[test]
    fn collectors_are_sorted_and_called_once() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let collectors = all(&Roots::default(), &clock);
        let names: Vec<_> = collectors.iter().map(|c| c.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn every_metric_has_one_source_and_a_sound_name() {
        let descs = descs();
        let names: Vec<_> = descs.iter().map(|desc| desc.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for desc in descs {
            let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(desc.name.chars().all(sound), "{}", desc.name);
            assert!(desc.help.ends_with('.'), "{}", desc.name);
            let is_headline = HEADLINE.iter().any(|headline| std::ptr::eq(*headline, desc));
            let is_total = desc.name.ends_with("_total");
            assert!(is_headline || is_total == (desc.kind == Kind::Counter), "{}", desc.name);
        }
    }

    #[test]
    fn headlines_are_metrics() {
        let descs = descs();
        for headline in HEADLINE {
            assert!(descs.iter().any(|desc| std::ptr::eq(*desc, headline)), "{}", headline.name);
        }
    }
}

//! The one table of names: ours, and those of exporters that others have dashboards for.
//!
//! Names, types and labels of theirs are those of `node_exporter` 1.x and `windows_exporter` 0.30.
//! A metric that is not here is not told under their names; `docs/guide/exposition.md` lists both.

use barograph_wire::MetricType;

/// One metric of theirs, made from one of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) ours: &'static str,
    pub(super) theirs: &'static str,
    /// Our labels under their names, in their order. Others are left out.
    labels: &'static [(&'static str, &'static str)],
    /// Our values of labels that they write otherwise.
    values: &'static [(&'static str, &'static str)],
    /// Only the series with this value of this label.
    only: Option<(&'static str, &'static str)>,
    pub(super) factor: f64,
}

const fn row(ours: &'static str, theirs: &'static str) -> Row {
    Row { ours, theirs, labels: &[], values: &[], only: None, factor: 1.0 }
}

impl Row {
    const fn with(self, labels: &'static [(&'static str, &'static str)]) -> Self {
        Self { labels, ..self }
    }

    const fn writing(self, values: &'static [(&'static str, &'static str)]) -> Self {
        Self { values, ..self }
    }

    const fn only(self, label: &'static str, value: &'static str) -> Self {
        Self { only: Some((label, value)), ..self }
    }

    const fn times(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Their labels of a series; nothing if it is not meant.
    pub(super) fn labels<'a>(
        &self,
        ours: &[(&'a str, &'a str)],
    ) -> Option<Vec<(&'static str, &'a str)>> {
        let get =
            |wanted: &str| ours.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        if self.only.is_some_and(|(label, value)| get(label) != Some(value)) {
            return None;
        }
        // Both exporters leave out what stands for no device, unless they are told otherwise.
        if get("disk").is_some_and(|disk| disk.starts_with("loop") || disk.starts_with("ram")) {
            return None;
        }
        let written = |value: &'a str| {
            self.values.iter().find(|(ours, _)| *ours == value).map_or(value, |(_, theirs)| *theirs)
        };
        self.labels.iter().map(|(name, theirs)| Some((*theirs, written(get(name)?)))).collect()
    }

    pub(super) fn metric_type(&self) -> MetricType {
        if self.theirs.ends_with("_total") {
            MetricType::Counter
        } else if self.theirs.starts_with("node_vmstat_") {
            MetricType::Unknown
        } else {
            MetricType::Gauge
        }
    }
}

/// Names of `node_exporter`, on Linux.
pub(super) static NODE_EXPORTER: &[Row] = &[
    row("system_boot_time_seconds", "node_boot_time_seconds"),
    row("system_context_switches_total", "node_context_switches_total"),
    row("cpu_guest_seconds_total", "node_cpu_guest_seconds_total")
        .with(&[("cpu", "cpu"), ("mode", "mode")]),
    row("cpu_seconds_total", "node_cpu_seconds_total").with(&[("cpu", "cpu"), ("mode", "mode")]),
    row("cpu_online", "node_cpu_online").with(&[("cpu", "cpu")]),
    row("cpu_frequency_hertz", "node_cpu_scaling_frequency_hertz").with(&[("cpu", "cpu")]),
    row("cpu_frequency_max_hertz", "node_cpu_frequency_max_hertz").with(&[("cpu", "cpu")]),
    row("disk_discard_seconds_total", "node_disk_discard_time_seconds_total")
        .with(&[("disk", "device")]),
    row("disk_discarded_bytes_total", "node_disk_discarded_sectors_total")
        .with(&[("disk", "device")])
        .times(1.0 / 512.0),
    row("disk_discards_total", "node_disk_discards_completed_total").with(&[("disk", "device")]),
    row("disk_discards_merged_total", "node_disk_discards_merged_total")
        .with(&[("disk", "device")]),
    row("disk_flush_seconds_total", "node_disk_flush_requests_time_seconds_total")
        .with(&[("disk", "device")]),
    row("disk_flushes_total", "node_disk_flush_requests_total").with(&[("disk", "device")]),
    row("disk_queue_length", "node_disk_io_now").with(&[("disk", "device")]),
    row("disk_busy_seconds_total", "node_disk_io_time_seconds_total").with(&[("disk", "device")]),
    row("disk_waiting_seconds_total", "node_disk_io_time_weighted_seconds_total")
        .with(&[("disk", "device")]),
    row("disk_read_bytes_total", "node_disk_read_bytes_total").with(&[("disk", "device")]),
    row("disk_read_seconds_total", "node_disk_read_time_seconds_total").with(&[("disk", "device")]),
    row("disk_reads_total", "node_disk_reads_completed_total").with(&[("disk", "device")]),
    row("disk_reads_merged_total", "node_disk_reads_merged_total").with(&[("disk", "device")]),
    row("disk_write_seconds_total", "node_disk_write_time_seconds_total")
        .with(&[("disk", "device")]),
    row("disk_writes_total", "node_disk_writes_completed_total").with(&[("disk", "device")]),
    row("disk_writes_merged_total", "node_disk_writes_merged_total").with(&[("disk", "device")]),
    row("disk_written_bytes_total", "node_disk_written_bytes_total").with(&[("disk", "device")]),
    row("system_entropy_bits", "node_entropy_available_bits"),
    row("system_open_files", "node_filefd_allocated"),
    row("system_open_files_limit", "node_filefd_maximum"),
    row("filesystem_available_bytes", "node_filesystem_avail_bytes").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_hangs", "node_filesystem_device_error").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_files", "node_filesystem_files").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_files_free", "node_filesystem_files_free").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_free_bytes", "node_filesystem_free_bytes").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_readonly", "node_filesystem_readonly").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("filesystem_size_bytes", "node_filesystem_size_bytes").with(&[
        ("device", "device"),
        ("fstype", "fstype"),
        ("mountpoint", "mountpoint"),
    ]),
    row("system_forks_total", "node_forks_total"),
    row("system_interrupts_total", "node_intr_total"),
    row("system_load1", "node_load1"),
    row("system_load15", "node_load15"),
    row("system_load5", "node_load5"),
    row("memory_active_bytes", "node_memory_Active_bytes"),
    row("memory_active_anonymous_bytes", "node_memory_Active_anon_bytes"),
    row("memory_active_file_bytes", "node_memory_Active_file_bytes"),
    row("memory_huge_anonymous_bytes", "node_memory_AnonHugePages_bytes"),
    row("memory_anonymous_bytes", "node_memory_AnonPages_bytes"),
    row("memory_bounce_bytes", "node_memory_Bounce_bytes"),
    row("memory_buffers_bytes", "node_memory_Buffers_bytes"),
    row("memory_cached_bytes", "node_memory_Cached_bytes"),
    row("memory_contiguous_free_bytes", "node_memory_CmaFree_bytes"),
    row("memory_contiguous_total_bytes", "node_memory_CmaTotal_bytes"),
    row("memory_commit_limit_bytes", "node_memory_CommitLimit_bytes"),
    row("memory_committed_bytes", "node_memory_Committed_AS_bytes"),
    row("memory_dirty_bytes", "node_memory_Dirty_bytes"),
    row("memory_hardware_corrupted_bytes", "node_memory_HardwareCorrupted_bytes"),
    row("memory_huge_pool_bytes", "node_memory_Hugetlb_bytes"),
    row("memory_inactive_bytes", "node_memory_Inactive_bytes"),
    row("memory_inactive_anonymous_bytes", "node_memory_Inactive_anon_bytes"),
    row("memory_inactive_file_bytes", "node_memory_Inactive_file_bytes"),
    row("memory_kernel_reclaimable_bytes", "node_memory_KReclaimable_bytes"),
    row("memory_kernel_stack_bytes", "node_memory_KernelStack_bytes"),
    row("memory_mapped_bytes", "node_memory_Mapped_bytes"),
    row("memory_available_bytes", "node_memory_MemAvailable_bytes"),
    row("memory_free_bytes", "node_memory_MemFree_bytes"),
    row("memory_total_bytes", "node_memory_MemTotal_bytes"),
    row("memory_locked_bytes", "node_memory_Mlocked_bytes"),
    row("memory_page_tables_bytes", "node_memory_PageTables_bytes"),
    row("memory_percpu_bytes", "node_memory_Percpu_bytes"),
    row("memory_slab_reclaimable_bytes", "node_memory_SReclaimable_bytes"),
    row("memory_slab_unreclaimable_bytes", "node_memory_SUnreclaim_bytes"),
    row("memory_shared_bytes", "node_memory_Shmem_bytes"),
    row("memory_huge_shared_bytes", "node_memory_ShmemHugePages_bytes"),
    row("memory_slab_bytes", "node_memory_Slab_bytes"),
    row("memory_swap_cached_bytes", "node_memory_SwapCached_bytes"),
    row("memory_swap_free_bytes", "node_memory_SwapFree_bytes"),
    row("memory_swap_total_bytes", "node_memory_SwapTotal_bytes"),
    row("memory_unevictable_bytes", "node_memory_Unevictable_bytes"),
    row("memory_vmalloc_total_bytes", "node_memory_VmallocTotal_bytes"),
    row("memory_vmalloc_used_bytes", "node_memory_VmallocUsed_bytes"),
    row("memory_writeback_bytes", "node_memory_Writeback_bytes"),
    row("memory_writeback_temporary_bytes", "node_memory_WritebackTmp_bytes"),
    row("memory_zswap_bytes", "node_memory_Zswap_bytes"),
    row("memory_huge_pages", "node_memory_HugePages_Free").only("state", "free"),
    row("memory_huge_pages", "node_memory_HugePages_Rsvd").only("state", "reserved"),
    row("memory_huge_pages", "node_memory_HugePages_Surp").only("state", "surplus"),
    row("memory_huge_pages", "node_memory_HugePages_Total").only("state", "total"),
    row("network_receive_bytes_total", "node_network_receive_bytes_total")
        .with(&[("adapter", "device")]),
    row("network_receive_dropped_total", "node_network_receive_drop_total")
        .with(&[("adapter", "device")]),
    row("network_receive_errors_total", "node_network_receive_errs_total")
        .with(&[("adapter", "device")]),
    row("network_receive_fifo_errors_total", "node_network_receive_fifo_total")
        .with(&[("adapter", "device")]),
    row("network_receive_frame_errors_total", "node_network_receive_frame_total")
        .with(&[("adapter", "device")]),
    row("network_receive_multicast_total", "node_network_receive_multicast_total")
        .with(&[("adapter", "device")]),
    row("network_receive_packets_total", "node_network_receive_packets_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_bytes_total", "node_network_transmit_bytes_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_carrier_errors_total", "node_network_transmit_carrier_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_collisions_total", "node_network_transmit_colls_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_dropped_total", "node_network_transmit_drop_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_errors_total", "node_network_transmit_errs_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_fifo_errors_total", "node_network_transmit_fifo_total")
        .with(&[("adapter", "device")]),
    row("network_transmit_packets_total", "node_network_transmit_packets_total")
        .with(&[("adapter", "device")]),
    row("network_speed_bits_per_second", "node_network_speed_bytes")
        .with(&[("adapter", "device")])
        .times(1.0 / 8.0),
    row("conntrack_entries", "node_nf_conntrack_entries"),
    row("conntrack_entries_limit", "node_nf_conntrack_entries_limit"),
    row("pressure_cpu_some_seconds_total", "node_pressure_cpu_waiting_seconds_total"),
    row("pressure_io_full_seconds_total", "node_pressure_io_stalled_seconds_total"),
    row("pressure_io_some_seconds_total", "node_pressure_io_waiting_seconds_total"),
    row("pressure_memory_full_seconds_total", "node_pressure_memory_stalled_seconds_total"),
    row("pressure_memory_some_seconds_total", "node_pressure_memory_waiting_seconds_total"),
    row("system_processes_blocked", "node_procs_blocked"),
    row("system_processes_running", "node_procs_running"),
    row("cpu_scheduler_run_seconds_total", "node_schedstat_running_seconds_total")
        .with(&[("cpu", "cpu")]),
    row("cpu_scheduler_timeslices_total", "node_schedstat_timeslices_total")
        .with(&[("cpu", "cpu")]),
    row("cpu_scheduler_wait_seconds_total", "node_schedstat_waiting_seconds_total")
        .with(&[("cpu", "cpu")]),
    row("sockets_used", "node_sockstat_sockets_used"),
    row("cpu_packets_dropped_total", "node_softnet_dropped_total").with(&[("cpu", "cpu")]),
    row("cpu_packets_processed_total", "node_softnet_processed_total").with(&[("cpu", "cpu")]),
    row("cpu_packets_squeezed_total", "node_softnet_times_squeezed_total").with(&[("cpu", "cpu")]),
    row("memory_page_faults_total", "node_vmstat_pgfault"),
    row("memory_major_page_faults_total", "node_vmstat_pgmajfault"),
    row("memory_swap_in_pages_total", "node_vmstat_pswpin"),
    row("memory_swap_out_pages_total", "node_vmstat_pswpout"),
];

/// Names of `windows_exporter`, on Windows.
pub(super) static WINDOWS_EXPORTER: &[Row] = &[
    row("system_context_switches_total", "windows_system_context_switches_total"),
    row("system_boot_time_seconds", "windows_system_boot_time_timestamp"),
    row("thread_count", "windows_system_threads"),
    row("process_count", "windows_system_processes"),
    row("cpu_frequency_hertz", "windows_cpu_core_frequency_mhz")
        .with(&[("cpu", "core")])
        .times(1e-6),
    row("cpu_interrupts_total", "windows_cpu_interrupts_total").with(&[("cpu", "core")]),
    row("cpu_seconds_total", "windows_cpu_time_total")
        .with(&[("cpu", "core"), ("mode", "mode")])
        .writing(&[("system", "privileged"), ("irq", "interrupt"), ("softirq", "dpc")]),
    row("cpu_count", "windows_cpu_logical_processor"),
    row("filesystem_free_bytes", "windows_logical_disk_free_bytes")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_queue_length", "windows_logical_disk_requests_queued")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_read_bytes_total", "windows_logical_disk_read_bytes_total")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_read_seconds_total", "windows_logical_disk_read_seconds_total")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_reads_total", "windows_logical_disk_reads_total")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_size_bytes", "windows_logical_disk_size_bytes")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_written_bytes_total", "windows_logical_disk_write_bytes_total")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_write_seconds_total", "windows_logical_disk_write_seconds_total")
        .with(&[("mountpoint", "volume")]),
    row("filesystem_writes_total", "windows_logical_disk_writes_total")
        .with(&[("mountpoint", "volume")]),
    row("memory_available_bytes", "windows_memory_available_bytes"),
    row("memory_committed_bytes", "windows_memory_committed_bytes"),
    row("memory_commit_limit_bytes", "windows_memory_commit_limit"),
    row("memory_page_faults_total", "windows_memory_page_faults_total"),
    row("memory_pool_nonpaged_bytes", "windows_memory_pool_nonpaged_bytes"),
    row("memory_pool_paged_bytes", "windows_memory_pool_paged_bytes"),
    row("memory_free_bytes", "windows_memory_physical_free_bytes"),
    row("memory_total_bytes", "windows_memory_physical_total_bytes"),
    row("network_receive_bytes_total", "windows_net_bytes_received_total")
        .with(&[("adapter", "nic")]),
    row("network_transmit_bytes_total", "windows_net_bytes_sent_total").with(&[("adapter", "nic")]),
    row("network_speed_bits_per_second", "windows_net_current_bandwidth_bytes")
        .with(&[("adapter", "nic")])
        .times(1.0 / 8.0),
    row("network_transmit_dropped_total", "windows_net_packets_outbound_discarded_total")
        .with(&[("adapter", "nic")]),
    row("network_transmit_errors_total", "windows_net_packets_outbound_errors_total")
        .with(&[("adapter", "nic")]),
    row("network_receive_dropped_total", "windows_net_packets_received_discarded_total")
        .with(&[("adapter", "nic")]),
    row("network_receive_errors_total", "windows_net_packets_received_errors_total")
        .with(&[("adapter", "nic")]),
    row("network_receive_packets_total", "windows_net_packets_received_total")
        .with(&[("adapter", "nic")]),
    row("network_receive_unknown_total", "windows_net_packets_received_unknown_total")
        .with(&[("adapter", "nic")]),
    row("network_transmit_packets_total", "windows_net_packets_sent_total")
        .with(&[("adapter", "nic")]),
    row("disk_queue_length", "windows_physical_disk_requests_queued").with(&[("disk", "disk")]),
    row("disk_read_bytes_total", "windows_physical_disk_read_bytes_total")
        .with(&[("disk", "disk")]),
    row("disk_read_seconds_total", "windows_physical_disk_read_seconds_total")
        .with(&[("disk", "disk")]),
    row("disk_reads_total", "windows_physical_disk_reads_total").with(&[("disk", "disk")]),
    row("disk_written_bytes_total", "windows_physical_disk_write_bytes_total")
        .with(&[("disk", "disk")]),
    row("disk_write_seconds_total", "windows_physical_disk_write_seconds_total")
        .with(&[("disk", "disk")]),
    row("disk_writes_total", "windows_physical_disk_writes_total").with(&[("disk", "disk")]),
    row("tcp_connection_failures_total", "windows_tcp_connection_failures_total")
        .with(&[("family", "af")]),
    row("tcp_connection_active_opens_total", "windows_tcp_connections_active_total")
        .with(&[("family", "af")]),
    row("tcp_established_connections", "windows_tcp_connections_established")
        .with(&[("family", "af")]),
    row("tcp_connection_passive_opens_total", "windows_tcp_connections_passive_total")
        .with(&[("family", "af")]),
    row("tcp_connection_resets_total", "windows_tcp_connections_reset_total")
        .with(&[("family", "af")]),
    row("tcp_segments_received_total", "windows_tcp_segments_received_total")
        .with(&[("family", "af")]),
    row("tcp_segments_retransmitted_total", "windows_tcp_segments_retransmitted_total")
        .with(&[("family", "af")]),
    row("tcp_segments_sent_total", "windows_tcp_segments_sent_total").with(&[("family", "af")]),
];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_guide_lists_every_name() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/exposition.md");
        let guide = std::fs::read_to_string(path).unwrap();
        for rows in [NODE_EXPORTER, WINDOWS_EXPORTER] {
            let mut table = String::new();
            for row in rows {
                write!(table, "| `{}` | `{}`", row.theirs, row.ours).unwrap();
                if let Some((label, value)) = row.only {
                    write!(table, " (`{label}=\"{value}\"`)").unwrap();
                }
                table += " |\n";
            }
            assert!(guide.contains(&table), "docs/guide/exposition.md should have\n{table}");
        }
    }

    /// What `windows_exporter`'s pages on its collectors say: names, types and labels. (The number of
    /// processors has the labels of its neighbour there; the exporter gives it none.)
    const WINDOWS_FACTS: &str = "
        windows_cpu_core_frequency_mhz gauge core
        windows_cpu_interrupts_total counter core
        windows_cpu_logical_processor gauge
        windows_cpu_time_total counter core mode
        windows_logical_disk_free_bytes gauge volume
        windows_logical_disk_read_bytes_total counter volume
        windows_logical_disk_read_seconds_total counter volume
        windows_logical_disk_reads_total counter volume
        windows_logical_disk_requests_queued gauge volume
        windows_logical_disk_size_bytes gauge volume
        windows_logical_disk_write_bytes_total counter volume
        windows_logical_disk_write_seconds_total counter volume
        windows_logical_disk_writes_total counter volume
        windows_memory_available_bytes gauge
        windows_memory_commit_limit gauge
        windows_memory_committed_bytes gauge
        windows_memory_page_faults_total counter
        windows_memory_physical_free_bytes gauge
        windows_memory_physical_total_bytes gauge
        windows_memory_pool_nonpaged_bytes gauge
        windows_memory_pool_paged_bytes gauge
        windows_net_bytes_received_total counter nic
        windows_net_bytes_sent_total counter nic
        windows_net_current_bandwidth_bytes gauge nic
        windows_net_packets_outbound_discarded_total counter nic
        windows_net_packets_outbound_errors_total counter nic
        windows_net_packets_received_discarded_total counter nic
        windows_net_packets_received_errors_total counter nic
        windows_net_packets_received_total counter nic
        windows_net_packets_received_unknown_total counter nic
        windows_net_packets_sent_total counter nic
        windows_physical_disk_read_bytes_total counter disk
        windows_physical_disk_read_seconds_total counter disk
        windows_physical_disk_reads_total counter disk
        windows_physical_disk_requests_queued gauge disk
        windows_physical_disk_write_bytes_total counter disk
        windows_physical_disk_write_seconds_total counter disk
        windows_physical_disk_writes_total counter disk
        windows_system_boot_time_timestamp gauge
        windows_system_context_switches_total counter
        windows_system_processes gauge
        windows_system_threads gauge
        windows_tcp_connection_failures_total counter af
        windows_tcp_connections_active_total counter af
        windows_tcp_connections_established gauge af
        windows_tcp_connections_passive_total counter af
        windows_tcp_connections_reset_total counter af
        windows_tcp_segments_received_total counter af
        windows_tcp_segments_retransmitted_total counter af
        windows_tcp_segments_sent_total counter af";

    #[test]
    fn names_types_and_labels_of_windows_exporter_are_those_that_it_documents() {
        let labels = |row: &Row| {
            row.labels.iter().fold(String::new(), |all, (_, theirs)| format!("{all} {theirs}"))
        };
        let told =
            |row: &Row| format!("{} {}{}", row.theirs, row.metric_type().as_str(), labels(row));
        let mut ours: Vec<String> = WINDOWS_EXPORTER.iter().map(told).collect();
        ours.sort();
        let facts: Vec<&str> = WINDOWS_FACTS.lines().map(str::trim).skip(1).collect();
        assert_eq!(ours, facts);
    }

    #[test]
    fn modes_of_processors_are_called_as_windows_exporter_does() {
        let row = WINDOWS_EXPORTER.iter().find(|row| row.theirs == "windows_cpu_time_total");
        let mode = |mode| row.unwrap().labels(&[("cpu", "0"), ("mode", mode)]).unwrap()[1].1;
        let ours = ["user", "system", "idle", "irq", "softirq"];
        assert_eq!(ours.map(mode), ["user", "privileged", "idle", "interrupt", "dpc"]);
    }

    #[test]
    fn rows_of_one_metric_stand_together() {
        for rows in [NODE_EXPORTER, WINDOWS_EXPORTER] {
            let mut seen = std::collections::HashSet::new();
            let mut last = "";
            for row in
                rows.iter().filter(|row| std::mem::replace(&mut last, row.theirs) != row.theirs)
            {
                assert!(seen.insert(row.theirs), "{} stands twice", row.theirs);
            }
        }
    }
}

//! Texts of several kernels, broken lines, and bytes of any kind.

use proptest::prelude::*;

use super::*;
use crate::FileSystems;
use crate::readings::{Adapter, Cpu, Disk, Memory, PagingFile};
use crate::rows::Rows;

const STAT: &str = "\
cpu  1000 20 300 8000 50 6 70 8 9 10
cpu0 600 20 200 4000 50 6 70 8 9 10
cpu3 400 0 100 4000 0 0 0 0 0 0
intr 12345 1 2 3
ctxt 67890
btime 1700000000
processes 4321
procs_running 2
procs_blocked 1
softirq 777 1 2
";

const MEMINFO: &str = "\
MemTotal:        1000000 kB
MemFree:          100000 kB
MemAvailable:     400000 kB
Buffers:           10000 kB
Cached:           300000 kB
Shmem:             20000 kB
SReclaimable:      50000 kB
SUnreclaim:        30000 kB
KernelStack:        2000 kB
PageTables:         3000 kB
CommitLimit:      700000 kB
Committed_AS:     250000 kB
HugePages_Total:       0
";

const VMSTAT: &str = "nr_free_pages 5\npswpin 1\npswpout 2\npgfault 300\npgmajfault 4\n";

const DISKSTATS: &str = "   8       0 sda 100 1 2000 300 200 2 4000 500 3 600 800 9 9 9 9
   8       1 sda1 90 1 1900 290 190 2 3900 490 0 590 780
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0
   7       1 loop1 5 0 40 1 0 0 0 0 0 1 1
   9       1 md1 1 0 8 0 1 0 8 0 0 0 0
   9      12 md12 2 0 16 0 2 0 16 0 0 0 0
 259       0 nvme0n1 7 0 56 1 8 0 64 1 0 2 2
 259       1 nvme0n1p1 6 0 48 1 7 0 56 1 0 2 2
";

const NET_DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    10       1    0    0    0     0          0         0     10       1    0    0    0     0       0          0
  eth0:123456789 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
";

const MOUNTINFO: &str = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
28 27 254:0 /srv /srv/with\040blank rw - ext4 /dev/vda rw
29 27 0:40 /@home /home rw - btrfs /dev/sdb1 rw,subvol=/@home
30 27 0:41 / /mnt/share rw - nfs4 server:/export rw
31 27 8:17 / /data rw master:2 propagate_from:1 - xfs /dev/sdb2 rw
32 31 0:50 / /data rw - tmpfs tmpfs rw
33 27 7:0 / /snap/x ro - squashfs /dev/loop0 ro
";

const SWAPS: &str = "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition\t1048576\t1024\t-2\n\
                     /swap\\040file file 2048 0 -3\n";
const PRESSURE: &str = "some avg10=0.50 avg60=2.27 avg300=1.93 total=14775070\n\
                        full avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n";
const LOADAVG: &str = "0.74 0.37 0.19 1/86 9083\n";

fn stat(text: &str) -> Result<Cpu, ParseError> {
    let mut cpu = Cpu::default();
    stat::parse(text.as_bytes(), &mut cpu).map(|()| cpu)
}

fn memory(text: &str) -> Result<Memory, ParseError> {
    let mut memory = Memory::default();
    meminfo::parse(text.as_bytes(), &mut memory).map(|()| memory)
}

fn disks(text: &str) -> Result<Rows<Disk>, ParseError> {
    let mut disks = Rows::default();
    diskstats::parse(text.as_bytes(), &mut disks).map(|()| disks)
}

fn adapters(text: &str) -> Result<Rows<Adapter>, ParseError> {
    let mut adapters = Rows::default();
    net_dev::parse(text.as_bytes(), &mut adapters).map(|()| adapters)
}

#[track_caller]
fn check_broken<T: std::fmt::Debug>(found: Result<T, ParseError>, expect: &str) {
    assert_eq!(found.unwrap_err().to_string(), expect);
}

#[test]
fn stat_gives_seconds_by_mode_and_processor() {
    let cpu = stat(STAT).unwrap();
    assert_eq!((cpu.total.user, cpu.total.nice, cpu.total.idle), (10.0, Some(0.2), 80.0));
    assert_eq!((cpu.total.softirq, cpu.total.steal), (Some(0.7), Some(0.08)));
    let numbers: Vec<_> = cpu.cores.iter().map(|core| core.number).collect();
    assert_eq!(numbers, [0, 3]);
    assert_eq!(cpu.interrupts, Some(12345));
    assert_eq!(cpu.soft_interrupts, Some(777));
    assert_eq!(cpu.boot_time_seconds, Some(1.7e9));
}

#[test]
fn stat_of_an_old_kernel_lacks_modes() {
    let cpu = stat("cpu  1 2 3 4\ncpu0 1 2 3 4\n").unwrap();
    assert_eq!((cpu.total.idle, cpu.total.iowait), (0.04, None));
    assert_eq!(cpu.context_switches, None);
}

#[test]
fn stat_forgets_what_is_gone() {
    let mut cpu = stat(STAT).unwrap();
    stat::parse(b"cpu 1 1 1 1\ncpu0 1 1 1 1\n", &mut cpu).unwrap();
    assert_eq!((cpu.cores.as_slice().len(), cpu.context_switches), (1, None));
}

#[test]
fn stat_names_the_broken_line() {
    check_broken(
        stat("cpu  1 2 3 4\ncpu0 1 2 x 4\n"),
        "line 2: expected a number of ticks, found `cpu0 1 2 x 4`",
    );
    check_broken(
        stat("cpu 1 1 1 1\ncpux 1 1 1 1"),
        "line 2: expected a processor's number, found `cpux 1 1 1 1`",
    );
    check_broken(stat("ctxt 5\n"), "line 1: expected a line `cpu`, found `ctxt 5 `");
    check_broken(stat("cpu 1 1 1 1\nctxt"), "line 2: expected a number of events, found `ctxt`");
}

#[test]
fn meminfo_gives_bytes() {
    let memory = memory(MEMINFO).unwrap();
    assert_eq!(memory.total_bytes, 1_024_000_000);
    assert_eq!(memory.available_bytes, 409_600_000);
    assert_eq!(memory.pool_nonpaged_bytes, Some(35_000 * 1024));
    assert_eq!(memory.dirty_bytes, None);
}

#[test]
fn meminfo_of_an_old_kernel_gives_an_estimate_of_what_is_available() {
    let text = MEMINFO.replace("MemAvailable", "Something");
    // Free, buffers, cached and reclaimable, without what is shared.
    assert_eq!(memory(&text).unwrap().available_bytes, 440_000 * 1024);
}

#[test]
fn meminfo_names_the_broken_line() {
    check_broken(
        memory("MemTotal: 5 kB\nMemFree: -1 kB\n"),
        "line 2: expected a number of kB, found `MemFree: -1 kB`",
    );
    check_broken(
        memory("MemFree: 1 kB\n"),
        "line 1: expected a line `MemTotal:`, found `MemFree: 1 kB `",
    );
}

#[test]
fn vmstat_leaves_the_rest_of_memory_alone() {
    let mut memory = memory(MEMINFO).unwrap();
    vmstat::parse(VMSTAT.as_bytes(), &mut memory).unwrap();
    assert_eq!((memory.page_faults, memory.swap_out_pages), (Some(300), Some(2)));
    assert_eq!((memory.cache_refaults, memory.total_bytes), (None, 1_024_000_000));
    check_broken(
        vmstat::parse(b"pgfault many\n", &mut memory),
        "line 1: expected a number of events, found `pgfault many`",
    );
}

#[test]
fn diskstats_lists_whole_disks() {
    let disks = disks(DISKSTATS).unwrap();
    let names: Vec<_> = disks.iter().map(|disk| (disk.name.as_str(), disk.is_layer)).collect();
    let expect =
        [("sda", false), ("loop1", true), ("md1", true), ("md12", true), ("nvme0n1", false)];
    assert_eq!(names, expect);
    let sda = &disks.as_slice()[0];
    assert_eq!((sda.reads, sda.writes), (100, 200));
    assert_eq!((sda.read_bytes, sda.written_bytes), (1_024_000, 2_048_000));
    assert_eq!((sda.read_seconds, sda.write_seconds, sda.busy_seconds), (0.3, 0.5, Some(0.6)));
    assert_eq!(sda.queue_length, Some(3));
}

#[test]
fn diskstats_takes_a_lone_partition_for_a_disk() {
    let disks = disks("202 1 xvda1 1 0 8 0 1 0 8 0 0 0 0\n").unwrap();
    assert_eq!(disks.as_slice()[0].name, "xvda1");
}

#[test]
fn diskstats_names_the_broken_line() {
    check_broken(
        disks("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1 2 3 4 5 6\n"),
        "line 2: expected eleven numbers behind the disk's name, found `8 16 sdb 1 2 3 4 5 6`",
    );
    check_broken(disks("8 0\n"), "line 1: expected a disk's name, found `8 0`");
}

#[test]
fn net_dev_reads_names_that_touch_their_numbers() {
    let adapters = adapters(NET_DEV).unwrap();
    let eth0 = &adapters.as_slice()[1];
    assert_eq!(eth0.name, "eth0");
    assert_eq!((eth0.received_bytes, eth0.received_packets), (123_456_789, 2));
    assert_eq!((eth0.receive_dropped, eth0.received_multicast), (4, Some(8)));
    assert_eq!((eth0.sent_bytes, eth0.send_errors, eth0.send_dropped), (9, 11, 12));
}

#[test]
fn net_dev_names_the_broken_line() {
    check_broken(
        adapters("head\nhead\nlo 1 2\n"),
        "line 3: expected an adapter's name and a colon, found `lo 1 2`",
    );
    check_broken(
        adapters("head\nhead\nlo: 1 2\n"),
        "line 3: expected sixteen numbers behind the adapter's name, found `lo: 1 2`",
    );
}

#[test]
fn local_disks_are_listed_once_and_hidden_ones_not_at_all() {
    let mounts = mountinfo::parse(MOUNTINFO.as_bytes()).unwrap();
    assert_eq!(mounts.len(), 8);
    assert_eq!(mounts[2].mount_point, "/srv/with blank");
    let disks = mountinfo::local_disks(mounts);
    let found: Vec<_> = disks.iter().map(|m| (&*m.mount_point, &*m.source)).collect();
    assert_eq!(found, [("/", "/dev/vda"), ("/home", "/dev/sdb1")]);
}

#[test]
fn the_root_of_a_container_counts_whatever_it_is() {
    let text = "1 0 0:30 / / rw - overlay overlay rw\n2 1 0:31 / /x rw - overlay overlay rw\n";
    let disks = mountinfo::local_disks(mountinfo::parse(text.as_bytes()).unwrap());
    assert_eq!(disks.len(), 1);
    let more = FileSystems::new(["overlay".to_owned(), "auto*".to_owned()]).unwrap();
    let on_demand = format!("{text}3 1 0:32 / /net rw - autofs auto rw\n");
    let drives = mountinfo::drives(mountinfo::parse(on_demand.as_bytes()).unwrap(), &more);
    let places: Vec<_> = drives.iter().map(|mount| &*mount.mount_point).collect();
    assert_eq!(places, ["/", "/x"]);
    let remote = text.replace("overlay", "nfs");
    assert_eq!(mountinfo::local_disks(mountinfo::parse(remote.as_bytes()).unwrap()), []);
}

#[test]
fn mountinfo_names_the_broken_line() {
    check_broken(
        mountinfo::parse(b"22 27 0:21 / /proc rw,relatime proc proc rw"),
        "line 1: expected a hyphen before the file system's type, \
         found `22 27 0:21 / /proc rw,relatime proc proc rw`",
    );
}

#[test]
fn swaps_unescapes_blanks() {
    let mut files = Rows::<PagingFile>::default();
    swaps::parse(SWAPS.as_bytes(), &mut files).unwrap();
    let found: Vec<_> =
        files.iter().map(|f| (f.file.as_str(), f.size_bytes, f.used_bytes)).collect();
    assert_eq!(found, [("/dev/sda2", 1 << 30, 1 << 20), ("/swap file", 2 << 20, 0)]);
}

#[test]
fn pressure_gives_seconds() {
    let stall = pressure::parse(PRESSURE.as_bytes()).unwrap();
    assert_eq!((stall.some, stall.full), (Some(14.77507), Some(2.5)));
    let old = pressure::parse(b"some avg10=0.00 total=5\n").unwrap();
    assert_eq!((old.some, old.full), (Some(5e-6), None));
    check_broken(
        pressure::parse(b"some avg10=0.00\n"),
        "line 1: expected total= and microseconds, found `some avg10=0.00`",
    );
}

#[test]
fn loadavg_holds_the_number_of_threads() {
    let (load, threads) = loadavg::parse(LOADAVG.as_bytes()).unwrap();
    assert_eq!((load.one, load.five, load.fifteen, threads), (0.74, 0.37, 0.19, 86));
    check_broken(
        loadavg::parse(b"0.74 0.37 nan 1/86 9083"),
        "line 1: expected three load averages and running/all threads, \
         found `0.74 0.37 nan 1/86 9083`",
    );
    check_broken(
        loadavg::parse(b""),
        "line 1: expected three load averages and running/all threads, found ``",
    );
}

#[test]
fn uptime_is_the_first_number() {
    assert_eq!(uptime::parse(b"100.50 180.00\n"), Ok(100.5));
    check_broken(uptime::parse(b"-1 2\n"), "line 1: expected the seconds since boot, found `-1 2`");
}

#[test]
fn processors_and_distributions_have_names() {
    let x86 = b"processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some CPU @ 2.00GHz\n";
    assert_eq!(cpuinfo::model(x86).as_deref(), Some("Some CPU @ 2.00GHz"));
    assert_eq!(cpuinfo::model(b"processor\t: 0\nBogoMIPS\t: 50\n"), None);
    let quoted = b"NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
    assert_eq!(os_release::pretty_name(quoted).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
    assert_eq!(os_release::pretty_name(b"PRETTY_NAME=Plain\n").as_deref(), Some("Plain"));
    assert_eq!(os_release::pretty_name(b"PRETTY_NAME=\"\n"), None);
}

#[test]
fn errors_show_no_more_than_the_start_of_a_line() {
    let line = format!("MemTotal: {}\u{1b}[31m", "x".repeat(10_000));
    let error = memory(&line).unwrap_err();
    assert_eq!(error.found.chars().count(), ParseError::MAX_FOUND_CHARS);
    assert!(!error.found.contains('\u{1b}'));
}

/// Runs every parser; what they answer does not matter here.
fn parse_all(text: &[u8]) {
    drop((
        stat::parse(text, &mut Cpu::default()),
        meminfo::parse(text, &mut Memory::default()),
        vmstat::parse(text, &mut Memory::default()),
        swaps::parse(text, &mut Rows::default()),
        diskstats::parse(text, &mut Rows::default()),
        net_dev::parse(text, &mut Rows::default()),
        uptime::parse(text),
        loadavg::parse(text),
        pressure::parse(text),
        statvfs::parse(text),
        cpuinfo::model(text),
        os_release::pretty_name(text),
        mountinfo::parse(text).map(mountinfo::local_disks),
        drm_fdinfo::parse(text),
        own_status::parse(text),
        system_performance::parse(text),
        processor_times::append(text, &mut Rows::default()),
        processor_times::interrupts(text).count(),
    ));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(text in prop::collection::vec(any::<u8>(), 0..600)) {
        parse_all(&text);
    }

    #[test]
    fn no_odd_number_makes_a_parser_panic(
        which in 0_usize..9,
        cut in 0_usize..2000,
        odd in prop::collection::vec((0_usize..2000, prop::sample::select(vec![
            "", " ", "\n", "-1", "18446744073709551616", "\\", "\\999", "\\04", ":", "1e400", "\u{fffd}",
        ])), 0..6),
    ) {
        let texts =
            [STAT, MEMINFO, VMSTAT, DISKSTATS, NET_DEV, MOUNTINFO, SWAPS, PRESSURE, LOADAVG];
        let mut text = texts[which].as_bytes().to_vec();
        text.truncate(cut);
        for (at, what) in odd {
            let at = at.min(text.len());
            text.splice(at..(at + what.len()).min(text.len()), what.bytes());
        }
        parse_all(&text);
    }

    #[test]
    fn a_statvfs_table_comes_back(
        spaces in prop::collection::vec(
            ("/[ -~\u{e4}\n\t]{0,20}", any::<[u64; 4]>(), any::<Option<bool>>()),
            0..5,
        )
    ) {
        let spaces: Vec<_> = spaces
            .into_iter()
            .map(|(mount_point, [block_bytes, blocks, free_blocks, available_blocks], told)| {
                statvfs::Space {
                    mount_point,
                    block_bytes,
                    blocks,
                    free_blocks,
                    available_blocks,
                    files: told.and((blocks > 0).then_some([blocks, free_blocks])),
                    is_read_only: told,
                }
            })
            .collect();
        let text = statvfs::print(&spaces);
        prop_assert_eq!(statvfs::parse(text.as_bytes()), Ok(spaces));
    }
}

#[test]
fn own_status_tells_memory_and_threads() {
    let text = b"Name:\tbarograph\nVmRSS:\t   12345 kB\nThreads:\t7\n";
    assert_eq!(own_status::parse(text), Ok((12345 * 1024, 7)));
    let error = own_status::parse(b"VmRSS:\t x kB\n").unwrap_err();
    assert_eq!(error.to_string(), "line 1: expected a number of kB, found `VmRSS:  x kB`");
    assert!(own_status::parse(b"Threads:\t7\n").is_err());
}

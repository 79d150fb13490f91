//! Counters of `Process` and `Process V2`, the same with other names for their instances.

use barograph_model::Unit;

use super::formula::Formula;
use super::row::{Instances, PdhType, Row};
use crate::process::ProcessCounter;

macro_rules! rows {
    ($object:literal, $id:literal, with_pid: $with_pid:literal) => {
        rows! { @ $object $with_pid:
            "% Processor Time" Timer Percent ProcessorTime
                "Share of one processor that the process used; above 100 with several threads.";
            "% User Time" Timer Percent UserTime
                "Share of one processor that the process used in its own code.";
            "% Privileged Time" Timer Percent PrivilegedTime
                "Share of one processor that the kernel used for the process.";
            "Working Set" LargeRawCount Bytes WorkingSet "Memory in use, also what is shared.";
            "Working Set Peak" LargeRawCount Bytes WorkingSetPeak
                "The largest that the working set has been.";
            "Working Set - Private" LargeRawCount Bytes WorkingSetPrivate
                "Memory in use that is not shared; on Linux what no file stands behind.";
            "Private Bytes" LargeRawCount Bytes PrivateBytes
                "Memory of its own, also what is paged out; on Linux what was used and not just promised.";
            "Virtual Bytes" LargeRawCount Bytes VirtualBytes "Address space.";
            "Page File Bytes" LargeRawCount Bytes PageFileBytes
                "What the page file may have to take; on Linux the private bytes.";
            "Thread Count" RawCount Count Threads "Threads now.";
            "Handle Count" RawCount Count Handles "Handles now; on Linux open files.";
            "Page Faults/sec" Counter PerSecond PageFaults
                "Pages that had to be found in memory or fetched, per second.";
            "IO Read Bytes/sec" BulkCount BytesPerSecond ReadBytes
                "Bytes read per second, from files and others, cached or not.";
            "IO Write Bytes/sec" BulkCount BytesPerSecond WrittenBytes
                "Bytes written per second, to files and others, cached or not.";
            "IO Read Operations/sec" BulkCount PerSecond Reads "Calls that read, per second.";
            "IO Write Operations/sec" BulkCount PerSecond Writes "Calls that write, per second.";
            "IO Data Bytes/sec" BulkCount BytesPerSecond DataBytes
                "Bytes read and written per second, cached or not.";
            $id RawCount Count Pid "The number of the process.";
            "Creating Process ID" RawCount Count Parent
                "The number of the process that made it, which may have ended since.";
            "Elapsed Time" ElapsedTime Seconds Elapsed "Time since the process started.";
            "Priority Base" RawCount Count Priority
                "Priority as the system counts it: 8 is usual on Windows, 20 on Linux, where less is more.";
        }
    };
    (@ $object:literal $with_pid:literal:
        $($counter:literal $pdh_type:ident $unit:ident $value:ident $help:literal;)*
    ) => {
        [$(row(
            [$object, $counter],
            $with_pid,
            (PdhType::$pdh_type, Unit::$unit),
            ProcessCounter::$value,
            $help,
        )),*]
    };
}

pub(super) static ROWS: [Row; 21] = rows!("Process", "ID Process", with_pid: false);
pub(super) static ROWS_V2: [Row; 21] = rows!("Process V2", "Process ID", with_pid: true);

const fn row(
    [object, counter]: [&'static str; 2],
    with_pid: bool,
    (pdh_type, unit): (PdhType, Unit),
    value: ProcessCounter,
    help: &'static str,
) -> Row {
    let instances = Instances::Processes { with_pid };
    Row { object, counter, pdh_type, unit, help, instances, formula: Formula::of_process(value) }
}

#[cfg(test)]
mod tests {
    use barograph_model::CounterPath;

    use super::super::snapshot::Processes;
    use super::super::{Missing, Snapshot, cook, find};
    use crate::process::CountedProcess;

    fn snapshot(seconds: Option<f64>) -> Snapshot {
        let process = |pid, name, used| CountedProcess::of_test(pid, name, used, seconds);
        let processes =
            vec![process(7, "sh", 1.0), process(9, "Sh", 0.5), process(12, "nginx", 0.0)];
        Snapshot { processes: Processes::Read(processes), ..Snapshot::default() }
    }

    fn cooked(path: &str, before: Option<&Snapshot>) -> Vec<(String, Result<f64, Missing>)> {
        let path = CounterPath::parse(path).unwrap();
        let row = find(&path).unwrap()[0];
        let now = snapshot(before.map(|_| 2.0));
        cook(row, path.instance.as_ref(), before, &now)
            .into_iter()
            .map(|one| (format!("{}#{}", one.instance.unwrap(), one.index), one.value))
            .collect()
    }

    #[test]
    fn processes_of_one_name_have_an_index() {
        let before = snapshot(None);
        let expect = [("sh#0", 50.0), ("Sh#1", 25.0), ("nginx#0", 0.0), ("_Total#0", 75.0)];
        let expect = expect.map(|(name, value)| (name.to_owned(), Ok(value)));
        assert_eq!(cooked(r"\Process(*)\% Processor Time", Some(&before)), expect);
        let second = cooked(r"\Process(sh#1)\% User Time", Some(&before));
        assert_eq!(second, [("Sh#1".to_owned(), Ok(25.0))]);
        let total = cooked(r"\Process(_Total)\Thread Count", None);
        assert_eq!(total, [("_Total#0".to_owned(), Ok(6.0))]);
    }

    #[test]
    fn the_second_object_names_them_by_number() {
        let found = cooked(r"\Process V2(sh:*)\Process ID", None);
        let expect = [("sh:7", 7.0), ("Sh:9", 9.0)];
        assert_eq!(found, expect.map(|(name, pid)| (format!("{name}#0"), Ok(pid))));
        assert_eq!(cooked(r"\Process(_Total)\ID Process", None), []);
    }

    #[test]
    fn what_is_not_told_is_told_from_what_takes_two_readings() {
        let before = snapshot(None);
        let value = |path: &str, before| cooked(path, before)[0].1;
        let path = r"\Process(nginx)\% User Time";
        assert_eq!(value(path, None), Err(Missing::FirstReading));
        let path = r"\Process(nginx)\Handle Count";
        assert_eq!(value(path, Some(&before)), Err(Missing::NotOfProcess));
    }
}

//! The reference pages, made from what the code declares.

use std::fmt::Write;
use std::sync::Arc;

use barograph_model::{Clock, Desc, Instance, Pattern, SystemClock};

use crate::catalog::{self, History, Instances, Row, TOTAL_INSTANCE, Total, Value};
use crate::{HEADLINE, Roots, registry};

const MADE: &str = "Made from the code by `UPDATE_DOCS=1 cargo test -p barograph-collect`.\n";

/// `docs/reference/metrics.md`: every metric, by collector.
pub fn metrics() -> String {
    let mut page = format!(
        "# Metrics\n\n{MADE}\n\
         Every series also has the label `host`. A metric that a system does not tell has no series there: absent\n\
         is never zero. Counters are running totals since boot, or since a device appeared, and restart from\n\
         zero; rates are taken by the question. Headline metrics are computed at the source from two readings,\n\
         so a rate among them has no value at the first one.\n\n## Headline metrics\n\n"
    );
    table(&mut page, &HEADLINE);
    page.push_str(
        "\nTotals over disks leave out layers (LVM, RAID, loop devices, memory), whose data is counted on the disks\n\
         below them. Totals over adapters count hardware only, so that data crossing a bridge, bond or tunnel\n\
         counts once; in a container, which has none, they count every adapter but `lo`. A drive is a local file\n\
         system, at its shortest mount point; images that are always full and network drives are left out.\n",
    );
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    for collector in registry::all(&Roots::default(), &clock) {
        let is_headline =
            |desc: &Desc| HEADLINE.iter().any(|headline| std::ptr::eq(*headline, desc));
        let descs: Vec<_> =
            collector.descs().iter().copied().filter(|desc| !is_headline(desc)).collect();
        if descs.is_empty() {
            continue;
        }
        let seconds = collector.interval().as_secs();
        let every = if seconds == 1 { "second".into() } else { format!("{seconds} seconds") };
        let _ok = write!(page, "\n## {}\n\nRead every {every}.\n\n", collector.name());
        table(&mut page, &descs);
    }
    page
}

// Writing to a string cannot fail.
fn table(page: &mut String, descs: &[&'static Desc]) {
    page.push_str("| metric | labels | kind | unit | meaning |\n|---|---|---|---|---|\n");
    for desc in descs {
        let labels: Vec<_> = desc.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ok = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            desc.name,
            labels.join(", "),
            desc.kind.as_str(),
            desc.unit.as_str(),
            desc.help
        );
    }
}

/// `docs/reference/counters.md`: every counter, by object.
pub fn counters() -> String {
    let mut page = format!(
        "# Performance counters\n\n{MADE}\n\
         The counters that are known by path, on Linux and Windows alike: for `barograph counters read`, and as\n\
         questions to the history. The type says how Windows cooks the value; the expression gives the same from\n\
         what is stored. `*` stands for every instance; where there is `_Total`, it is named. A counter that the\n\
         system does not tell, or that had no events to take an average of, has no value.\n\n\
         On Windows any other counter, such as one of SQL Server, is read by its English path as well. Named in the\n\
         configuration (`[counters]`, `paths = ['\\Web Service(*)\\Bytes Total/sec']`) it is stored every second as\n\
         a gauge of the cooked value: `counter_`, the object and the counter in lower case, `%` written `percent`,\n\
         `/` written `per`, and everything else that is no Latin letter or digit one `_`; the label `instance`\n\
         names the instance. So this one is `counter_web_service_bytes_total_per_sec`.\n"
    );
    let mut object = "";
    for row in catalog::rows() {
        if row.object != object {
            object = row.object;
            let _ok = write!(page, "\n## {object}\n\n{}\n", instances(row));
        }
        let _ok = write!(
            page,
            "\n### `{}`\n\n{} Kind: {} (`{}`, 0x{:08x}); unit: {}.\n\n",
            row.path(),
            row.help,
            row.kind().as_str(),
            row.pdh_type.name(),
            row.pdh_type.code(),
            row.unit.as_str()
        );
        if let Value::OnlyWindows { why } = row.formula.value {
            let _ok = writeln!(page, "Not on Linux: {why}.");
            continue;
        }
        if matches!(row.formula.value, Value::OfProcess(_)) {
            page.push_str("Read live only: a thousand processes would be ten thousand series.\n");
            continue;
        }
        let total = Instance { name: Pattern::new(TOTAL_INSTANCE), index: None };
        let each = History { instance: None, host: None, window: "1m" };
        let _ok = writeln!(page, "    {}", row.promql(&each).unwrap_or_default());
        if row.instances.label().is_some_and(|(_, total)| total != Total::Absent)
            && let Some(total) = row.promql(&History { instance: Some(&total), ..each })
        {
            let _ok = writeln!(page, "\n`_Total`:\n\n    {total}");
        }
    }
    page
}

fn instances(row: &Row) -> String {
    match row.instances {
        Instances::None => "Exists once: no instance.".into(),
        Instances::OnlyTotal => "Counted only for all instances together: `_Total`.".into(),
        Instances::Processes { with_pid: false } => {
            "Instances: the names of the programs; `#1`, `#2` and so on tell those of one name \
             apart, in the order of their process numbers. `_Total` is the sum, where one means \
             something."
                .into()
        }
        Instances::Processes { with_pid: true } => {
            "Instances: the name of the program, a colon and the process number; and `_Total`, \
             where a sum means something."
                .into()
        }
        Instances::OfNodes { .. } => {
            "Instances: the number of a processor's node, a comma and its index there, from 0; \
             `_Total` for each node (`0,_Total`) and for all."
                .into()
        }
        Instances::Each { label, total } => {
            let total = if total == Total::Absent { "no `_Total`" } else { "and `_Total`" };
            format!("Instances: the values of the label `{label}`, {total}.")
        }
    }
}

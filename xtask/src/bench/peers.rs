//! The programs that administrators know, reading this machine beside Barograph: all at once, in
//! the same minutes, so that what else the machine does is the same for all.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::http;
use crate::process;

/// One program.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// Debian's package.
    pub(super) package: &'static str,
    pub(super) program: &'static str,
    /// The command that reads every second; files go into the folder.
    command: fn(&Path) -> Result<Command>,
    /// Values per second.
    pub(super) series: fn(&Path) -> Result<usize>,
    /// Address and path that are asked every second, for a program that reads only when asked.
    pub(super) asked: Option<(&'static str, &'static str)>,
}

const NODE_EXPORTER: &str = "127.0.0.1:19100";
const NETDATA: &str = "127.0.0.1:19999";

pub(super) static PEERS: [Peer; 4] = [
    Peer {
        name: "sadc -S ALL (writes a file)",
        package: "sysstat",
        program: "/usr/lib/sysstat/sadc",
        command: |folder| Ok(with_args(sadc(), ["-S", "ALL", "1"], &[&folder.join("sa")])),
        series: |folder| {
            let printed = process::read(
                process::command("sadf").arg("-p").arg(folder.join("sa")).args(["--", "-A"]),
            )?;
            let time = |line: &str| line.split('\t').nth(2).unwrap_or_default().to_owned();
            let last = printed.lines().last().map(time).unwrap_or_default();
            Ok(printed.lines().filter(|line| time(line) == last).count())
        },
        asked: None,
    },
    Peer {
        name: "node_exporter, scraped",
        package: "prometheus-node-exporter",
        program: "/usr/bin/prometheus-node-exporter",
        command: |_| {
            let mut command = process::command("/usr/bin/prometheus-node-exporter");
            command.arg(format!("--web.listen-address={NODE_EXPORTER}"));
            Ok(command)
        },
        series: |_| Ok(samples(&http::get(NODE_EXPORTER, "/metrics")?)),
        asked: Some((NODE_EXPORTER, "/metrics")),
    },
    Peer {
        name: "collectd, CSV files",
        package: "collectd-core",
        program: "/usr/sbin/collectd",
        command: |folder| {
            let file = folder.join("collectd.conf");
            fs::write(&file, collectd_settings(folder))?;
            Ok(with_args(process::command("/usr/sbin/collectd"), ["-f", "-C"], &[&file]))
        },
        series: |folder| count_files(&folder.join("csv")),
        asked: None,
    },
    Peer {
        name: "netdata, defaults, with its store",
        package: "netdata-core",
        program: "/usr/sbin/netdata",
        command: |folder| {
            let file = folder.join("netdata.conf");
            fs::write(&file, netdata_settings(folder)?)?;
            let mut command = process::command("/usr/sbin/netdata");
            // It reports to its makers otherwise.
            command.env("DISABLE_TELEMETRY", "1").env("DO_NOT_TRACK", "1");
            Ok(with_args(command, ["-D", "-c"], &[&file]))
        },
        series: |_| Ok(samples(&http::get(NETDATA, "/api/v1/allmetrics?format=prometheus")?)),
        asked: None,
    },
];

impl Peer {
    /// Starts it with its files in `folder`.
    pub(super) fn start(&self, folder: &Path) -> Result<Child> {
        fs::create_dir_all(folder)?;
        (self.command)(folder)?
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))
    }
}

fn sadc() -> Command {
    process::command("/usr/lib/sysstat/sadc")
}

fn with_args<const N: usize>(mut command: Command, args: [&str; N], files: &[&Path]) -> Command {
    command.args(args).args(files);
    command
}

fn collectd_settings(folder: &Path) -> String {
    let folder = folder.display();
    let plugins = [
        "cpu",
        "memory",
        "load",
        "disk",
        "interface",
        "df",
        "swap",
        "vmem",
        "contextswitch",
        "irq",
        "processes",
        "protocols",
        "tcpconns",
        "uptime",
        "csv",
    ];
    let load = plugins.map(|plugin| format!("LoadPlugin {plugin}\n")).concat();
    format!(
        "BaseDir \"{folder}\"\nPIDFile \"{folder}/pid\"\nInterval 1\n{load}\
         <Plugin csv>\n DataDir \"{folder}/csv\"\n</Plugin>\n"
    )
}

fn netdata_settings(folder: &Path) -> Result<String> {
    for part in ["cache", "lib", "log"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let folder = folder.display();
    Ok(format!(
        "[global]\n run as user = root\n[web]\n bind to = 127.0.0.1\n default port = 19999\n\
         [directories]\n cache = {folder}/cache\n lib = {folder}/lib\n log = {folder}/log\n\
         [statsd]\n enabled = no\n[registry]\n enabled = no\n[cloud]\n enabled = no\n"
    ))
}

/// Lines that are samples, in the Prometheus text format.
fn samples(page: &str) -> usize {
    page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count()
}

fn count_files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        count += if path.is_dir() { count_files(&path)? } else { 1 };
    }
    Ok(count)
}

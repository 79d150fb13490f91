//! The programs that building and testing need: how to see whether one is there, and how to get it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{debian, mingw, node, process, python, rust, wine};

/// Something that the machine must have.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What people call it.
    pub name: &'static str,
    /// Whether it is here; quick, for it is asked on every run.
    pub present: fn() -> bool,
    /// How it gets here by itself.
    pub source: Source,
    /// What a person does where we cannot.
    pub advice: &'static str,
}

/// How a tool is installed.
#[derive(Debug)]
pub(crate) enum Source {
    /// By apt-get, as root.
    Debian(&'static [&'static str]),
    /// By rustup, with these arguments.
    Rustup(&'static [&'static str]),
    /// By a step of our own.
    Own(fn() -> Result<()>),
    /// Only by a person.
    Person,
}

pub(crate) static C_COMPILER: Tool = Tool {
    name: "a C compiler",
    // On Windows it comes with the Rust tool chain or with Visual Studio, outside of PATH.
    present: || {
        cfg!(windows)
            || (process::find("cc").is_some() && Path::new("/usr/include/stdio.h").exists())
    },
    source: Source::Debian(&["gcc", "libc6-dev"]),
    advice: "install gcc and the C library's headers",
};

pub(crate) static RUSTFMT: Tool = Tool {
    name: "rustfmt",
    present: || process::succeeds(process::cargo().args(["fmt", "--version"])),
    source: Source::Rustup(&["component", "add", "rustfmt"]),
    advice: "rustup component add rustfmt",
};

pub(crate) static CLIPPY: Tool = Tool {
    name: "clippy",
    present: || process::succeeds(process::cargo().args(["clippy", "--version"])),
    source: Source::Rustup(&["component", "add", "clippy"]),
    advice: "rustup component add clippy",
};

pub(crate) static NODE: Tool = Tool {
    name: "Node",
    present: || node::check().is_ok(),
    source: Source::Person,
    advice: node::ADVICE,
};

pub(crate) static CHROMIUM: Tool = Tool {
    name: "Chromium with a font",
    present: || chromium().is_some() && has_font(),
    source: Source::Debian(&["chromium", "fonts-dejavu-core"]),
    advice: "install Chromium and any TrueType font; BAROGRAPH_CHROMIUM may name the program",
};

pub(crate) static MINGW: Tool = Tool {
    name: "the mingw-w64 C compiler",
    present: mingw::present,
    source: Source::Debian(mingw::PACKAGES),
    advice: "install mingw-w64's gcc for x86_64",
};

pub(crate) static WINDOWS_STD: Tool = Tool {
    name: "Rust's standard library for Windows",
    present: rust::has_windows_std,
    source: Source::Own(rust::add_windows_std),
    advice: "`rustup target add x86_64-pc-windows-gnu`, or on Debian a compiler of a release that it \
             packages the sources of",
};

pub(crate) static MSVC_STD: Tool = Tool {
    name: "Rust's standard library for Windows' own tool chain",
    present: rust::has_msvc_std,
    source: Source::Own(rust::add_msvc_std),
    advice: "`rustup target add x86_64-pc-windows-msvc`",
};

pub(crate) static WINE_LIBRARIES: Tool = Tool {
    name: "the libraries that Wine loads",
    present: wine::has_libraries,
    source: Source::Debian(wine::PACKAGES),
    advice: "this step unpacks Debian's Wine and needs Debian 12 or later",
};

/// Only root can start a systemd of its own, so that others lack nothing without it.
pub(crate) static SYSTEMD: Tool = Tool {
    name: "systemd, a D-Bus daemon, and programs to compare with",
    present: || {
        let programs = [
            "dbus-daemon",
            "free",
            "ip",
            "lsblk",
            "nsenter",
            "nstat",
            "ps",
            "ss",
            "unshare",
            "vmstat",
        ];
        let is_there = Path::new("/lib/systemd/systemd").exists();
        !debian::is_root() || is_there && programs.iter().all(|name| process::find(name).is_some())
    },
    source: Source::Debian(&["dbus-daemon", "iproute2", "procps", "systemd", "util-linux"]),
    advice: "install systemd (it need not run), dbus-daemon, iproute2, procps and util-linux",
};

/// Only root can have disks that fail.
pub(crate) static FAULTS: Tool = Tool {
    name: "programs that make disks fail",
    present: || {
        let programs = ["mkfs.ext4", "mount", "perl", "strace"];
        !debian::is_root() || programs.iter().all(|name| process::find(name).is_some())
    },
    source: Source::Debian(&["e2fsprogs", "mount", "perl-base", "strace"]),
    advice: "install e2fsprogs, mount, perl and strace",
};

/// Who else reads and writes Prometheus' formats.
pub(crate) static PROMETHEUS: Tool = Tool {
    name: "Prometheus, promtool, amtool, node_exporter and VictoriaMetrics",
    present: || !debian::is_root() || missing_peers().is_empty(),
    source: Source::Debian(&[
        "prometheus",
        "prometheus-alertmanager",
        "prometheus-node-exporter",
        "victoria-metrics",
    ]),
    advice: "install Prometheus with promtool, Alertmanager with amtool, node_exporter and \
             VictoriaMetrics",
};

/// Who else sends: what Nagios and `node_exporter` have run.
pub(crate) static SENDERS: Tool = Tool {
    name: "Nagios' plugins and scripts for node_exporter",
    present: || !debian::is_root() || senders_are_here(),
    source: Source::Debian(&["monitoring-plugins-basic", "prometheus-node-exporter-collectors"]),
    advice: "install Nagios' plugins and the scripts of prometheus-node-exporter-collectors",
};

fn senders_are_here() -> bool {
    let folders =
        ["/usr/lib/nagios/plugins/check_disk", "/usr/share/prometheus-node-exporter-collectors"];
    folders.iter().all(|place| Path::new(place).exists())
}

/// The programs to compare with that are not here.
pub(crate) fn missing_peers() -> Vec<&'static str> {
    let programs = [
        "prometheus",
        "promtool",
        "amtool",
        "prometheus-node-exporter",
        "victoria-metrics",
        "vmagent",
    ];
    programs.into_iter().filter(|name| process::find(name).is_none()).collect()
}

/// The same after an attempt to install them, for who compares with them if they are there.
pub(crate) fn missing_peers_after_trying() -> Vec<&'static str> {
    if !missing_peers().is_empty() {
        for (_, reason) in provide(&[&PROMETHEUS]) {
            eprintln!("{reason}");
        }
    }
    missing_peers()
}

/// Has tests fail that find no program to compare with; they are left out in silence otherwise. Where
/// we may not install those programs, says that they are left out.
pub(crate) fn demand_peers(tests: &mut Command) -> &mut Command {
    let mut missing = missing_peers();
    if !python::is_here() {
        missing.push("the clients in Python");
    }
    if !senders_are_here() {
        missing.push(SENDERS.name);
    }
    if missing.is_empty() {
        return tests.env("BAROGRAPH_PEERS", "1");
    }
    println!("NOT COMPARED WITH OTHERS, as they are missing: {}", missing.join(", "));
    tests.env_remove("BAROGRAPH_PEERS")
}

/// Asks as often as a server can answer.
pub(crate) static WRK: Tool = Tool {
    name: "wrk",
    present: || process::find("wrk").is_some(),
    source: Source::Debian(&["wrk"]),
    advice: "install wrk",
};

pub(crate) static PYTHON_CLIENTS: Tool = Tool {
    name: "Python with clients to compare with",
    present: python::present,
    source: Source::Own(python::install),
    advice: "Python 3 with venv, and leave to install from PyPI",
};

/// A file system with a program behind it that can be stopped; only root can mount it.
pub(crate) static FUSE: Tool = Tool {
    name: "ntfs-3g, to have a mount that hangs",
    present: || !debian::is_root() || process::find("ntfs-3g").is_some(),
    source: Source::Debian(&["mount", "ntfs-3g"]),
    advice: "install ntfs-3g",
};

/// The browser that the browser test drives.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("BAROGRAPH_CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|file| file.is_file());
    }
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(process::find)
}

fn has_font() -> bool {
    fs::read_dir("/usr/share/fonts/truetype").is_ok_and(|mut fonts| fonts.next().is_some())
}

/// Installs what is missing where that is allowed.
///
/// Returns those that are missing still, each with the reason.
pub(crate) fn provide(tools: &[&'static Tool]) -> Vec<(&'static Tool, String)> {
    let absent: Vec<_> = tools.iter().copied().filter(|tool| !(tool.present)()).collect();
    let packages: Vec<&str> = absent
        .iter()
        .filter_map(|tool| match tool.source {
            Source::Debian(packages) => Some(packages),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    let apt = if packages.is_empty() { Ok(()) } else { install(&packages) };
    absent
        .into_iter()
        .filter_map(|tool| {
            let tried = match tool.source {
                Source::Debian(_) => apt.as_ref().map_err(|reason| format!("{reason:#}")).copied(),
                Source::Rustup(arguments) => {
                    rust::rustup(arguments).map_err(|reason| format!("{reason:#}"))
                }
                Source::Own(install) => install().map_err(|reason| format!("{reason:#}")),
                Source::Person => Ok(()),
            };
            let reason = match tried {
                _ if (tool.present)() => return None,
                Ok(()) => String::new(),
                Err(reason) => format!(" ({reason})"),
            };
            Some((tool, format!("{} is missing: {}{reason}", tool.name, tool.advice)))
        })
        .collect()
}

fn install(packages: &[&str]) -> Result<()> {
    if !debian::here() {
        anyhow::bail!("packages are installed by themselves only on Debian");
    }
    if !debian::is_root() {
        anyhow::bail!("only root may run: apt-get install {}", packages.join(" "));
    }
    debian::install(packages)
}

/// Provides `tools` or says what is missing, all of it at once.
pub(crate) fn require(tools: &[&'static Tool]) -> Result<()> {
    let missing = provide(tools);
    if missing.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> = missing.into_iter().map(|(_, reason)| reason).collect();
    anyhow::bail!("{}", reasons.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_person_can_get_is_reported_with_advice() {
        static ABSENT: Tool = Tool {
            name: "a unicorn",
            present: || false,
            source: Source::Person,
            advice: "be patient",
        };
        let missing = provide(&[&ABSENT]);
        assert_eq!(missing[0].1, "a unicorn is missing: be patient");
        let error = require(&[&ABSENT]).unwrap_err().to_string();
        assert_eq!(error, "a unicorn is missing: be patient");
    }

    #[test]
    fn tests_are_told_whether_all_peers_are_here() {
        let mut tests = process::command("tests");
        demand_peers(&mut tests);
        let told = tests.get_envs().find(|(name, _)| *name == "BAROGRAPH_PEERS");
        let all_here = missing_peers().is_empty() && python::is_here();
        assert_eq!(told.and_then(|(_, value)| value).is_some(), all_here);
    }

    #[test]
    fn what_is_present_is_left_alone() {
        static PRESENT: Tool = Tool {
            name: "a rock",
            present: || true,
            source: Source::Own(|| anyhow::bail!("must not be called")),
            advice: "",
        };
        assert!(provide(&[&PRESENT]).is_empty());
    }

    #[test]
    fn an_own_step_that_fails_gives_its_reason() {
        static BROKEN: Tool = Tool {
            name: "a bridge",
            present: || false,
            source: Source::Own(|| anyhow::bail!("washed away")),
            advice: "swim",
        };
        assert_eq!(provide(&[&BROKEN])[0].1, "a bridge is missing: swim (washed away)");
    }
}

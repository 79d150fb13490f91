//! What collectors look at is what `cargo xtask record-tree` records, or is left out on purpose.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use barograph_model::{Clock, CounterPath, Desc};
use barograph_testkit::{FakeClock, Tree, is_recorded};

use super::golden::trees;
use crate::catalog::{Session, rows};
use crate::{Roots, Sink, host_facts, registry};

/// Names the folders to read, in the run that is watched.
const INSIDE: &str = "BAROGRAPH_TEST_READS";

/// Collectors whose answers a recording has no business with: names, numbers and addresses of the
/// machine's parts; what systemd tells over D-Bus; this process itself.
const NOT_RECORDED: &[&str] = &["inventory", "own", "services"];

/// The devices behind mounts: what is there may be named after what somebody keeps on them.
const LEFT_OUT: &str = "dev/";

struct Nowhere;

impl Sink for Nowhere {
    fn push(&mut self, _: &'static Desc, _: &[&str], _: f64) {}
}

/// All that is read of a machine at its ticks, twice: the second time with what was found at the
/// first.
fn read_everything(folder: &Path) {
    let roots = Roots::recorded(folder);
    let clock = Arc::new(FakeClock::new(0));
    let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
    host_facts(&roots);
    let paths = rows().map(|row| CounterPath::parse(&row.path()).unwrap()).collect();
    let mut session = Session::new(&roots, as_clock(), paths).unwrap();
    let mut collectors = registry::all(&roots, &as_clock());
    let all = collectors.len();
    collectors.retain(|collector| !NOT_RECORDED.contains(&collector.name()));
    assert_eq!(collectors.len() + NOT_RECORDED.len(), all);
    for _ in 0..2 {
        for collector in &mut collectors {
            // What a machine lacks it was looked for all the same.
            drop(collector.collect(&mut Nowhere));
        }
        session.sample();
        clock.advance(Duration::from_secs(1));
    }
}

/// The paths below `folder` that a line of strace names.
fn looked_at<'a>(line: &'a str, folder: &str) -> impl Iterator<Item = &'a str> {
    let quoted = line.split('"').skip(1).step_by(2);
    quoted.filter_map(move |path| path.strip_prefix(folder)?.strip_prefix('/'))
}

#[test]
fn what_collectors_read_is_recorded() {
    if let Some(folders) = env::var_os(INSIDE) {
        return env::split_paths(&folders).for_each(|folder| read_everything(&folder));
    }
    let files = fs::read_dir(trees()).unwrap().map(|entry| entry.unwrap().path());
    let tars = files.filter(|path| path.extension().is_some_and(|kind| kind == "tar"));
    let trees: Vec<Tree> = tars.map(|tar| Tree::unpack(&tar).unwrap()).collect();
    let folders: Vec<_> = trees.iter().map(|tree| tree.path().join("1")).collect();
    let out = Tree::empty().unwrap();
    let trace = out.path().join("trace");
    let test = concat!(module_path!(), "::what_collectors_read_is_recorded");
    #[expect(clippy::disallowed_methods, reason = "who tells what a program opens")]
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "4096", "-e", "trace=%file", "-e", "signal=none", "-o"]);
    strace.arg(&trace).arg(env::current_exe().unwrap());
    strace.args(["--exact", test.split_once("::").unwrap().1]);
    strace.env(INSIDE, env::join_paths(&folders).unwrap()).stdin(Stdio::null());
    let Ok(output) = strace.output() else {
        println!("strace is not installed, so nobody tells what is read");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    if !text.contains("1 passed") && String::from_utf8_lossy(&output.stderr).contains("ptrace") {
        println!("strace may not watch a program here");
        return;
    }
    assert!(text.contains("1 passed"), "{output:?}");

    let trace = fs::read_to_string(&trace).unwrap();
    let mut found = BTreeSet::new();
    for folder in &folders {
        let folder = folder.to_str().unwrap();
        found.extend(trace.lines().flat_map(|line| looked_at(line, folder)));
    }
    assert!(found.contains("proc/stat") && found.len() > 100, "{found:?}");
    let is_meant = |path: &str| is_recorded(path) || path.starts_with(LEFT_OUT);
    let forgotten: Vec<_> = found.iter().filter(|path| !is_meant(path)).collect();
    assert!(
        forgotten.is_empty(),
        "a collector looks at these, and `cargo xtask record-tree` does not record them: {forgotten:#?}"
    );
}

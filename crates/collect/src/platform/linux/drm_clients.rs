//! Who works on graphics adapters: processes with a descriptor on `/dev/dri`, by what the drivers
//! count for each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::small_file;
use crate::increase::increase;
use crate::parse::drm_fdinfo::{self, DrmClient};
use crate::readings::{GpuEngine, GpuProgram};
use crate::roots::Roots;

/// Finds the descriptors, some processes at a time, and reads what is said of them.
#[derive(Debug)]
pub(super) struct DrmClients {
    proc: PathBuf,
    cards: PathBuf,
    readings_until_search: u32,
    /// Processes that are still to be looked at.
    to_search: Vec<u32>,
    /// By process.
    found: BTreeMap<u32, Vec<u32>>,
    /// Adapters by their PCI address.
    adapters: Vec<(String, String)>,
    /// What engines had worked for each client at the reading before, in nanoseconds.
    before: HashMap<ClientId, Vec<(String, u64)>>,
    engines: BTreeMap<(String, String), f64>,
    programs: BTreeMap<(String, String), Program>,
}

/// The adapter, and the client's number there; the process and descriptor where it has none.
type ClientId = (String, Result<u64, (u32, u32)>);

#[derive(Debug, Default)]
struct Program {
    seconds: f64,
    memory: BTreeMap<String, u64>,
    is_there: bool,
}

impl DrmClients {
    /// A minute: programs that draw or reckon live longer.
    const READINGS_PER_SEARCH: u32 = 12;
    /// Descriptors that are looked at in one reading: some milliseconds.
    const MAX_LINKS: usize = 2000;
    const MAX_PER_PROCESS: usize = 64;
    const MAX_PROCESSES: usize = 256;
    /// That become series.
    const MAX_PROGRAMS: usize = 64;

    pub(super) fn new(roots: &Roots) -> Self {
        Self {
            proc: roots.proc.clone(),
            cards: roots.sys.join("class/drm"),
            readings_until_search: 0,
            to_search: Vec::new(),
            found: BTreeMap::new(),
            adapters: Vec::new(),
            before: HashMap::new(),
            engines: BTreeMap::new(),
            programs: BTreeMap::new(),
        }
    }

    /// Reads what each client has done, where there are adapters at all.
    pub(super) fn read(&mut self, cards: &[u32]) {
        if self.readings_until_search == 0 && self.to_search.is_empty() {
            self.readings_until_search = Self::READINGS_PER_SEARCH;
            self.adapters = cards.iter().filter_map(|card| self.address(*card)).collect();
            self.to_search = small_file::numbered(&self.proc, "");
            let there: HashSet<u32> = self.to_search.iter().copied().collect();
            self.found.retain(|pid, _| there.contains(pid));
        }
        self.readings_until_search = self.readings_until_search.saturating_sub(1);
        self.search();
        for program in self.programs.values_mut() {
            program.is_there = false;
            program.memory.clear();
        }
        let mut now = HashMap::new();
        for (pid, descriptors) in &self.found {
            let process = self.proc.join(pid.to_string());
            let mut name = None;
            for descriptor in descriptors {
                let path = process.join(format!("fdinfo/{descriptor}"));
                let Some(client) = client(&path) else { continue };
                let gpu = adapter(&self.adapters, &client);
                let id = (gpu.clone(), client.number.ok_or((*pid, *descriptor)));
                // Whoever inherited or was handed a descriptor is the same client.
                if now.contains_key(&id) {
                    continue;
                }
                let name = name.get_or_insert_with(|| {
                    small_file::text(&process.join("comm")).unwrap_or_else(|| pid.to_string())
                });
                let seconds = work(self.before.get(&id), &client, &gpu, &mut self.engines);
                take(&mut self.programs, (gpu, name.clone()), seconds, &client);
                now.insert(id, client.engines);
            }
        }
        self.before = now;
        self.programs.retain(|_, program| program.is_there);
    }

    /// Looks at the next processes for descriptors of graphics devices.
    fn search(&mut self) {
        let mut links = 0;
        while links < Self::MAX_LINKS
            && let Some(pid) = self.to_search.pop()
        {
            let Ok(entries) = fs::read_dir(self.proc.join(format!("{pid}/fd"))) else { continue };
            let mut descriptors = Vec::new();
            for entry in entries.flatten().take(Self::MAX_LINKS) {
                links += 1;
                let is_graphics = |to: &Path| to.starts_with("/dev/dri");
                if fs::read_link(entry.path()).is_ok_and(|to| is_graphics(&to))
                    && let Some(number) = entry.file_name().to_str().and_then(|it| it.parse().ok())
                    && descriptors.len() < Self::MAX_PER_PROCESS
                {
                    descriptors.push(number);
                }
            }
            descriptors.sort_unstable();
            if descriptors.is_empty() {
                self.found.remove(&pid);
            } else if self.found.len() < Self::MAX_PROCESSES || self.found.contains_key(&pid) {
                self.found.insert(pid, descriptors);
            }
        }
    }

    fn address(&self, card: u32) -> Option<(String, String)> {
        let device = fs::read_link(self.cards.join(format!("card{card}/device"))).ok()?;
        let address = device.file_name()?.to_str()?.to_owned();
        Some((address, format!("card{card}")))
    }

    /// Since this began to look.
    pub(super) fn engines(&self) -> impl Iterator<Item = GpuEngine> {
        self.engines.iter().map(|((gpu, engine), seconds)| GpuEngine {
            gpu: gpu.clone(),
            engine: engine.clone(),
            seconds: *seconds,
        })
    }

    pub(super) fn programs(&self) -> impl Iterator<Item = GpuProgram> {
        self.programs.iter().map(|((gpu, name), program)| GpuProgram {
            gpu: gpu.clone(),
            name: name.clone(),
            seconds: program.seconds,
            memory: program.memory.clone().into_iter().collect(),
        })
    }
}

/// Nothing for a descriptor that was closed, or means something else by now.
fn client(path: &Path) -> Option<DrmClient> {
    let text = small_file::text(path)?;
    drm_fdinfo::parse(text.as_bytes()).ok()?
}

/// What the adapter is called: as in `/sys`, by its address, or by its driver.
fn adapter(adapters: &[(String, String)], client: &DrmClient) -> String {
    let known = |address: &String| adapters.iter().find(|(own, _)| own == address);
    match (&client.device, adapters) {
        (Some(address), _) => known(address).map_or_else(|| address.clone(), |it| it.1.clone()),
        (None, [(_, only)]) => only.clone(),
        (None, _) => client.driver.clone(),
    }
}

/// Adds what engines have worked for a client since the reading before, and gives the sum. What
/// they did before it was first seen counts for nothing: nobody knows when that was.
fn work(
    before: Option<&Vec<(String, u64)>>,
    client: &DrmClient,
    gpu: &str,
    engines: &mut BTreeMap<(String, String), f64>,
) -> f64 {
    let mut sum = 0.0;
    for (engine, now) in &client.engines {
        let earlier = before.and_then(|all| all.iter().find(|(name, _)| name == engine));
        let seconds =
            earlier.map_or(0.0, |(_, before)| increase(*before as f64, *now as f64) / 1e9);
        *engines.entry((gpu.to_owned(), engine.clone())).or_default() += seconds;
        sum += seconds;
    }
    sum
}

fn take(
    programs: &mut BTreeMap<(String, String), Program>,
    key: (String, String),
    seconds: f64,
    client: &DrmClient,
) {
    if programs.len() >= DrmClients::MAX_PROGRAMS && !programs.contains_key(&key) {
        return;
    }
    let program = programs.entry(key).or_default();
    program.is_there = true;
    program.seconds += seconds;
    for (region, bytes) in &client.memory {
        *program.memory.entry(region.clone()).or_default() += bytes;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use barograph_testkit::Tree;

    use super::*;

    /// A machine with one adapter.
    struct Machine {
        tree: Tree,
        clients: DrmClients,
    }

    impl Machine {
        fn new() -> Self {
            let tree = Tree::empty().unwrap();
            tree.write("sys/devices/pci0000:00/0000:00:02.0/vendor", "0x8086\n").unwrap();
            tree.write("sys/class/drm/card1/dev", "226:1\n").unwrap();
            let device = tree.path().join("sys/class/drm/card1/device");
            symlink("../../../devices/pci0000:00/0000:00:02.0", device).unwrap();
            let clients = DrmClients::new(&Roots::recorded(tree.path()));
            Self { tree, clients }
        }

        /// A descriptor of a process.
        fn open(&self, (pid, name): (u32, &str), descriptor: u32, to: &str) {
            self.tree.write(&format!("proc/{pid}/comm"), format!("{name}\n")).unwrap();
            self.tree.write(&format!("proc/{pid}/fd/.here"), "").unwrap();
            symlink(to, self.tree.path().join(format!("proc/{pid}/fd/{descriptor}"))).unwrap();
        }

        fn says(&self, pid: u32, descriptor: u32, client: u32, milliseconds: u64, mib: u64) {
            let text = format!(
                "pos:\t0\ndrm-driver:\ti915\ndrm-client-id:\t{client}\n\
                 drm-pdev:\t0000:00:02.0\ndrm-resident-system0:\t{mib} MiB\n\
                 drm-engine-render:\t{} ns\n",
                milliseconds * 1_000_000
            );
            self.tree.write(&format!("proc/{pid}/fdinfo/{descriptor}"), text).unwrap();
        }

        /// Seconds of the engine, then the programs with theirs and their MiB.
        fn read(&mut self) -> (Vec<f64>, Vec<(String, f64, u64)>) {
            self.clients.read(&[1]);
            let engines = self.clients.engines().map(|it| {
                assert_eq!((it.gpu.as_str(), it.engine.as_str()), ("card1", "render"));
                it.seconds
            });
            let engines = engines.collect();
            let mib = |it: &GpuProgram| it.memory.iter().map(|(_, bytes)| bytes >> 20).sum();
            let programs = self.clients.programs();
            (engines, programs.map(|it| (it.name.clone(), it.seconds, mib(&it))).collect())
        }
    }

    const RENDER_NODE: &str = "/dev/dri/renderD128";

    #[test]
    fn work_is_counted_by_engine_and_program_once_per_client() {
        let mut machine = Machine::new();
        machine.open((10, "game"), 5, RENDER_NODE);
        machine.open((10, "game"), 6, RENDER_NODE);
        machine.open((10, "game"), 7, "/dev/null");
        machine.open((11, "game"), 3, "/dev/dri/card1");
        machine.open((12, "shell"), 0, "/dev/pts/0");
        machine.says(10, 5, 1, 4000, 100);
        machine.says(10, 6, 1, 4000, 100);
        machine.says(11, 3, 2, 500, 20);
        assert_eq!(machine.read(), (vec![0.0], vec![("game".to_owned(), 0.0, 120)]));
        machine.says(10, 5, 1, 4500, 100);
        machine.says(10, 6, 1, 4500, 100);
        machine.says(11, 3, 2, 750, 20);
        assert_eq!(machine.read(), (vec![0.75], vec![("game".to_owned(), 0.75, 120)]));
    }

    #[test]
    fn programs_come_with_a_later_search_and_go_at_once_and_the_engines_total_stays() {
        let mut machine = Machine::new();
        machine.open((10, "game"), 5, RENDER_NODE);
        machine.says(10, 5, 1, 0, 1);
        machine.read();
        machine.says(10, 5, 1, 2000, 1);
        machine.open((20, "film"), 9, RENDER_NODE);
        machine.says(20, 9, 2, 60_000, 1);
        assert_eq!(machine.read(), (vec![2.0], vec![("game".to_owned(), 2.0, 1)]));
        machine.tree.remove("proc/10/fdinfo/5").unwrap();
        assert_eq!(machine.read(), (vec![2.0], vec![]));
        for _ in 0..DrmClients::READINGS_PER_SEARCH {
            machine.read();
        }
        assert_eq!(machine.read(), (vec![2.0], vec![("film".to_owned(), 0.0, 1)]));
    }
}

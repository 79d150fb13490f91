//! A real file system whose program stands still.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use barograph_model::{Batch, Clock, Desc, Sample, SystemClock};
use barograph_testkit::{Tree, left_out};

use super::inside::{is_inside, run_inside};
use crate::filesystem::FileSystemCollector;
use crate::{Collector, Error, Roots, Runner, RunnerSettings, Sink, registry};

fn command(program: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the real file system to hang")]
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// NTFS in a file, by way of FUSE: a local file system with a program behind it.
struct Mounted {
    tree: Tree,
    device: String,
    program: Child,
}

impl Mounted {
    fn new() -> Self {
        let tree = Tree::empty().unwrap();
        tree.write("image", vec![0; 8 << 20]).unwrap();
        tree.write("mount/below", "").unwrap();
        let image = tree.path().join("image");
        output(command("mkntfs").args(["-q", "-F", "-f"]).arg(&image));
        let device = output(command("losetup").args(["--find", "--show"]).arg(&image));
        let program = command("ntfs-3g")
            .arg("-o")
            .arg("no_detach")
            .arg(&device)
            .arg(tree.path().join("mount"))
            .process_group(0)
            .spawn()
            .unwrap();
        Self { tree, device, program }
    }

    fn mount_point(&self) -> String {
        self.tree.path().join("mount").to_str().unwrap().to_owned()
    }

    fn signal(&self, name: &str) {
        output(command("kill").args(["-s", name, &self.program.id().to_string()]));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Whoever waits for an answer gets an error when the program has ended.
        drop(self.program.kill());
        drop(self.program.wait());
        drop(command("umount").arg("--lazy").arg(self.mount_point()).output());
        drop(command("losetup").arg("--detach").arg(&self.device).output());
    }
}

#[test]
fn a_hung_mount_delays_nobody_and_is_told() {
    if is_inside() {
        return inside();
    }
    if !super::systemd::may_administrate() {
        println!("only root can mount a file system");
        return;
    }
    for needed in ["/dev/fuse", "/dev/loop-control"] {
        if !Path::new(needed).exists() {
            println!("this kernel lacks {needed}, no file system can be made to hang");
            return;
        }
    }
    if !Path::new("/usr/bin/ntfs-3g").exists() {
        return left_out("ntfs-3g");
    }
    let test = concat!(module_path!(), "::a_hung_mount_delays_nobody_and_is_told");
    run_inside("unshare", &["--mount", "--propagation", "private"], test);
}

/// Looks at the drives in each tick instead of every ten seconds.
struct Often(FileSystemCollector);

impl Collector for Often {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn descs(&self) -> &'static [&'static Desc] {
        self.0.descs()
    }

    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        self.0.collect(out)
    }
}

fn inside() {
    let mounted = Mounted::new();
    let mount_point = mounted.mount_point();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut collectors = registry::all(&Roots::default(), &clock);
    collectors.retain(|collector| collector.name() != "filesystem");
    collectors.push(Box::new(Often(FileSystemCollector::new(&Roots::default()))));
    let (sender, batches) = channel::<Batch>();
    let settings = RunnerSettings::new("here", clock);
    let runner =
        Runner::start(settings, collectors, move |batch| drop(sender.send(batch))).unwrap();
    let wait_for = |hangs: f64| {
        for _ in 0..60 {
            let batch = batches.recv_timeout(Duration::from_secs(20)).unwrap();
            let of = |name: &str, at: Option<&str>| {
                let is_it = |sample: &&Sample| {
                    sample.labels.name() == name && sample.labels.get("mountpoint") == at
                };
                batch.samples.iter().find(is_it).map(|sample| sample.value)
            };
            assert!(of("cpu_count", None).is_some(), "a tick without the other collectors");
            assert!(of("filesystem_hangs", Some("/")) == Some(0.0), "a tick without other drives");
            if of("filesystem_hangs", Some(&mount_point)) == Some(hangs) {
                let size = of("filesystem_size_bytes", Some(&mount_point));
                assert_eq!(size.is_some(), hangs == 0.0);
                return;
            }
        }
        panic!("it did not come to that");
    };
    wait_for(0.0);
    mounted.signal("STOP");
    wait_for(1.0);
    wait_for(1.0);
    mounted.signal("CONT");
    wait_for(0.0);
    assert!(runner.status().collectors.iter().all(|one| one.timeouts == 0));
}

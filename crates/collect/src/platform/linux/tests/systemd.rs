//! The real systemd, started as the first process of a small machine of its own, and a real bus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc, SystemClock};
use barograph_testkit::{Tree, left_out};
use tracing_mutex::stdsync::Mutex;

use super::inside::{is_inside, run_inside};
use crate::event::{Event, EventSink};
use crate::parse::dbus::{Argument, Call};
use crate::parse::systemd::start_mode;
use crate::platform::linux::dbus::Connection;
use crate::readings::{Service, ServiceState, StartMode};
use crate::service::{ServiceCollector, WatchedServices, services};
use crate::{Changeable, Collector, Roots, Setup, Sink};

const UNITS: [(&str, &str); 9] = [
    (
        "default.target",
        "[Unit]\nWants=barometer.service broken.service dbus.socket dbus.service\n\
         After=elsewhere.service\n",
    ),
    (
        "foreign.service",
        "[Unit]\nConditionVirtualization=vmware\n[Service]\nExecStart=/bin/sleep 1000\n\
         [Install]\nWantedBy=default.target\n",
    ),
    (
        "done.service",
        "[Service]\nType=idle\nExecStart=/bin/true\n[Install]\nWantedBy=default.target\n",
    ),
    (
        "elsewhere.service",
        "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=elsewhere.target\n",
    ),
    (
        "falling.service",
        "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep 1000 2\nRestart=always\n\
         RestartSec=0\n[Install]\nWantedBy=default.target\n",
    ),
    (
        "barometer.service",
        "[Unit]\nDescription=Measures the pressure of the air\n[Service]\n\
         ExecStart=/bin/sleep 1000 1\n[Install]\nWantedBy=default.target\n",
    ),
    ("broken.service", "[Unit]\nDescription=Fails\n[Service]\nExecStart=/bin/sh -c 'exit 7'\n"),
    (
        "dbus.socket",
        "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    ),
    (
        "dbus.service",
        "[Unit]\nRequires=dbus.socket\nAfter=dbus.socket\n[Service]\nExecStart=/usr/bin/dbus-daemon --system \
         --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only\n",
    ),
];

/// Targets, and the services that they pull in.
const ENABLED: [(&str, &str); 5] = [
    ("default", "barometer"),
    ("default", "foreign"),
    ("default", "done"),
    ("default", "falling"),
    ("elsewhere", "elsewhere"),
];

/// A machine that ends when dropped.
struct Machine {
    shell: Child,
    /// Its first process.
    pid: u32,
    _units: Tree,
}

impl Machine {
    /// Nothing where that is not possible: it takes root, and the programs.
    fn start() -> Option<Self> {
        if !may_administrate() {
            println!("only root can start a systemd of its own");
            return None;
        }
        for program in ["/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/dbus-daemon"] {
            if !Path::new(program).exists() {
                left_out(program);
                return None;
            }
        }
        let units = Tree::empty().unwrap();
        for (name, text) in UNITS {
            units.write(name, text).unwrap();
        }
        for (target, service) in ENABLED {
            let folder = units.path().join(format!("{target}.target.wants"));
            fs::create_dir_all(&folder).unwrap();
            let file = format!("{service}.service");
            std::os::unix::fs::symlink(format!("../{file}"), folder.join(&file)).unwrap();
        }
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platform/linux/tests/systemd/start.sh");
        #[expect(clippy::disallowed_methods, reason = "the real systemd to talk to")]
        let shell = Command::new("sh")
            .arg(script)
            .arg(units.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut machine = Self { shell, pid: 0, _units: units };
        let pid = machine.shell.id();
        let children = format!("/proc/{pid}/task/{pid}/children");
        machine.pid = wait_for("the first process", || {
            let text = fs::read_to_string(&children).unwrap_or_default();
            let pid = text.split_whitespace().next()?.parse().ok()?;
            let private = format!("/proc/{pid}/root/run/systemd/private");
            Path::new(&private).exists().then_some(pid)
        });
        Some(machine)
    }

    /// Runs a test of this program inside: systemd talks only to processes that it can see.
    #[track_caller]
    fn run_inside(&self, test: &str) {
        let test = format!("{}::{test}", module_path!());
        let enter = ["--mount", "--pid", "--target", &self.pid.to_string()];
        run_inside("nsenter", &enter, &test);
    }
}

fn stop_unit(name: &str) {
    let mut connection = Connection::open(Path::new("/run/systemd/private"), false).unwrap();
    let call = Call {
        destination: None,
        path: "/org/freedesktop/systemd1",
        interface: "org.freedesktop.systemd1.Manager",
        member: "StopUnit",
        arguments: &[Argument::Text(name), Argument::Text("replace")],
    };
    connection.call(&call).unwrap().unwrap();
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.shell.kill().unwrap_or_default();
        self.shell.wait().unwrap();
        let name = format!("barograph-test-{}", self.shell.id());
        let root = PathBuf::from("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
        for group in hierarchies.chain([root.clone()]).map(|hierarchy| hierarchy.join(&name)) {
            if group.exists() {
                wait_for("the control group to be empty", || remove_groups(&group).ok());
            }
        }
    }
}

/// Mounting and namespaces take `CAP_SYS_ADMIN`, which root in a container may lack.
pub(super) fn may_administrate() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let digits = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(digits.trim(), 16).unwrap() & CAP_SYS_ADMIN != 0
}

/// A control group's files are not removed, only its groups, the innermost first.
fn remove_groups(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_groups(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

#[track_caller]
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(clock.monotonic() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn find<'a>(services: &'a [Service], name: &str) -> &'a Service {
    services.iter().find(|service| service.status.name == name).unwrap()
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn happened(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn lost(&self, count: u64) {
        panic!("{count} events were lost");
    }
}

#[derive(Default)]
struct Samples(Vec<(String, f64)>);

impl Sink for Samples {
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
        self.0.push((format!("{}{values:?}", desc.name), value));
    }
}

impl Samples {
    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

fn check_services(roots: &Roots) {
    let services = wait_for("a service that runs and one that failed", || {
        let services = services(roots).unwrap();
        let state = |name: &str| find(&services, name).status.state;
        let is_so =
            state("barometer") == ServiceState::Running && state("broken") == ServiceState::Failed;
        is_so.then_some(services)
    });
    let barometer = find(&services, "barometer");
    assert_eq!(barometer.status.native_state, "active (running)");
    assert_eq!(barometer.status.display_name, "Measures the pressure of the air");
    assert_eq!(barometer.start_mode, Some(StartMode::Automatic));
    assert!(barometer.status.should_run);
    assert_eq!(barometer.command.as_deref(), Some("/bin/sleep 1000 1"));
    assert_eq!((barometer.kind.as_deref(), barometer.exit_code), (Some("simple"), None));
    assert!(barometer.pid.is_some_and(|pid| pid > 1));
    assert!(barometer.unit_file.as_ref().unwrap().ends_with("/barometer.service"));
    let broken = find(&services, "broken");
    assert_eq!((broken.exit_code, broken.pid), (Some(7), None));
    assert_eq!(broken.start_mode, Some(StartMode::Static));
    assert!(!broken.status.should_run);
}

/// What systemd's own program says of the same units at the same time.
fn check_against_systemctl(roots: &Roots) {
    const FIELDS: &str = "Id,Description,ActiveState,SubState,MainPID,UnitFileState,FragmentPath";
    #[expect(clippy::disallowed_methods, reason = "an independent reader to compare with")]
    let output = Command::new("systemctl")
        .args(["show", "--property", FIELDS, "barometer.service", "broken.service"])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let text = String::from_utf8(output.stdout).unwrap();
    let services = services(roots).unwrap();
    let mut compared = 0;
    for unit in text.split("\n\n") {
        let theirs = |name: &str| {
            let line = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("{name} is not in {unit}"))
        };
        let ours = find(&services, theirs("Id").strip_suffix(".service").unwrap());
        assert_eq!(ours.status.display_name, theirs("Description"));
        let state = format!("{} ({})", theirs("ActiveState"), theirs("SubState"));
        assert_eq!(ours.status.native_state, state);
        assert_eq!(ours.pid.unwrap_or(0).to_string(), theirs("MainPID"));
        assert_eq!(ours.unit_file.as_deref(), Some(theirs("FragmentPath")));
        assert_eq!(ours.start_mode, start_mode(theirs("UnitFileState")));
        compared += 1;
    }
    assert_eq!(compared, 2, "{text}");
}

#[test]
fn systemd_tells_of_its_services_and_of_their_changes() {
    if !is_inside() {
        let Some(machine) = Machine::start() else { return };
        machine.run_inside("systemd_tells_of_its_services_and_of_their_changes");
        return;
    }
    let roots = Roots::default();
    check_services(&roots);
    check_against_systemctl(&roots);

    let heard = Arc::new(Heard::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = Setup {
        events: Arc::clone(&heard) as Arc<dyn EventSink>,
        services: Arc::new(Changeable::new(
            WatchedServices::new(["bro*".to_owned(), "missing".into()]).unwrap(),
        )),
        ..Setup::new(&roots, &clock)
    };
    let mut collector = ServiceCollector::new(&setup);
    let mut samples = Samples::default();
    collector.collect(&mut samples).unwrap();
    for (name, is_up) in [("barometer", 1.0), ("broken", 0.0), ("missing", 0.0)] {
        assert_eq!(samples.get(&format!("service_up[{name:?}]")), Some(is_up), "{name}");
    }
    assert_eq!(samples.get("service_up[\"dbus\"]"), None);
    assert_eq!(samples.get("services[\"failed\"]"), Some(1.0));
    assert_eq!(*heard.0.lock().unwrap(), []);

    stop_unit("barometer.service");
    let stopped = wait_for("the service to stop", || {
        collector.collect(&mut Samples::default()).unwrap();
        let heard = heard.0.lock().unwrap();
        // "done" ends by itself, at any time.
        let is_it =
            |event: &&Event| event.subject == "barometer" && event.kind == "service_stopped";
        heard.iter().find(is_it).cloned()
    });
    let from = stopped.get("from").unwrap().to_string();
    assert!(["running", "stopping"].contains(&from.as_str()), "{from}");
}

/// Services that are enabled and rightly do not run are missed by nobody; one that somebody
/// stopped is.
#[test]
fn a_service_without_its_conditions_or_with_its_work_done_is_not_missed() {
    const RESTING: [&str; 3] = ["foreign", "done", "elsewhere"];
    if !is_inside() {
        let Some(machine) = Machine::start() else { return };
        machine.run_inside("a_service_without_its_conditions_or_with_its_work_done_is_not_missed");
        return;
    }
    let roots = Roots::default();
    let listed = wait_for("the target to be reached and a service to end", || {
        let services = services(&roots).unwrap();
        let ended = find(&services, "done").exit_code == Some(0);
        (ended && !find(&services, "done").status.should_run).then_some(services)
    });
    for name in RESTING {
        let service = find(&listed, name);
        assert_eq!(service.start_mode, Some(StartMode::Automatic), "{name}");
        assert_eq!(service.status.state, ServiceState::Stopped, "{name}");
        assert!(!service.status.should_run, "{name}");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut collector = ServiceCollector::new(&Setup::new(&roots, &clock));
    let mut up = |name: &str| {
        let mut samples = Samples::default();
        collector.collect(&mut samples).unwrap();
        samples.get(&format!("service_up[{name:?}]"))
    };
    for name in RESTING {
        assert_eq!(up(name), None, "{name}");
    }
    stop_unit("barometer.service");
    wait_for("a service that was stopped to be missed", || {
        (up("barometer") == Some(0.0)).then_some(())
    });
    let stopped = wait_for("the service to be down", || {
        let listed = services(&roots).unwrap();
        let barometer = find(&listed, "barometer").clone();
        (barometer.status.state == ServiceState::Stopped).then_some(barometer)
    });
    assert!(stopped.status.should_run);
}

#[test]
fn a_service_that_falls_and_is_started_again_is_told() {
    if !is_inside() {
        let Some(machine) = Machine::start() else { return };
        machine.run_inside("a_service_that_falls_and_is_started_again_is_told");
        return;
    }
    let roots = Roots::default();
    let pid = || services(&roots).ok().and_then(|listed| find(&listed, "falling").pid);
    let mut last = wait_for("the service to run", pid);
    let heard = Arc::new(Heard::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let events = Arc::clone(&heard) as Arc<dyn EventSink>;
    let mut collector = ServiceCollector::new(&Setup { events, ..Setup::new(&roots, &clock) });
    collector.collect(&mut Samples::default()).unwrap();
    for _ in 0..3 {
        #[expect(clippy::disallowed_methods, reason = "kills the service as the kernel might")]
        let status = Command::new("kill").args(["-KILL", &last.to_string()]).status().unwrap();
        assert!(status.success());
        last = wait_for("the service to run again", || pid().filter(|pid| *pid != last));
    }
    collector.collect(&mut Samples::default()).unwrap();
    let heard = heard.0.lock().unwrap();
    let event = heard.iter().find(|event| event.subject == "falling").unwrap();
    assert_eq!(event.kind, "service_restarted", "{heard:?}");
    assert_eq!(event.get("restarts").map(ToString::to_string).as_deref(), Some("3"));
}

#[test]
fn systemd_is_asked_over_the_bus_where_its_own_socket_is_not_to_be_had() {
    if !is_inside() {
        let Some(machine) = Machine::start() else { return };
        machine.run_inside("systemd_is_asked_over_the_bus_where_its_own_socket_is_not_to_be_had");
        return;
    }
    let bus = Path::new("/run/dbus/system_bus_socket");
    wait_for("the bus", || bus.exists().then_some(()));
    let tree = Tree::empty().unwrap();
    fs::create_dir_all(tree.path().join("run/systemd/system")).unwrap();
    fs::create_dir_all(tree.path().join("run/dbus")).unwrap();
    std::os::unix::fs::symlink(bus, tree.path().join("run/dbus/system_bus_socket")).unwrap();
    let roots = Roots { root: tree.path().to_owned(), ..Roots::default() };
    wait_for("systemd to be on the bus", || services(&roots).ok());
    check_services(&roots);
}

#[test]
fn a_host_without_systemd_says_so() {
    let tree = Tree::empty().unwrap();
    let error = services(&Roots::recorded(tree.path())).unwrap_err();
    assert!(error.is_absent() && error.to_string().contains("no systemd"), "{error}");
}

#[test]
fn a_socket_that_is_no_bus_is_an_error_with_its_place() {
    let tree = Tree::empty().unwrap();
    fs::create_dir_all(tree.path().join("run/systemd/system")).unwrap();
    let path = tree.path().join("run/systemd/private");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader, Write};
        let (mut stream, _) = listener.accept().unwrap();
        // Whoever hangs up before the question has come breaks the asker's pipe instead.
        BufReader::new(&stream).read_until(b'\n', &mut Vec::new()).unwrap();
        stream.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
    });
    let error = services(&Roots::recorded(tree.path())).unwrap_err();
    server.join().unwrap();
    let text = crate::chain(&error);
    assert!(
        text.starts_with("sign-in failed for ") && text.ends_with("REJECTED EXTERNAL"),
        "{text}"
    );
}

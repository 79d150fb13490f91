//! Starts and ends of processes of this machine, as the kernel tells them.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::SystemClock;
use tracing_mutex::stdsync::Mutex;

use crate::event::{Event, EventSink, EventValue};
use crate::platform::ProcessListener;
use crate::{Roots, Setup};

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn happened(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn lost(&self, _: u64) {}
}

impl Heard {
    /// What is told of a process, once there is this.
    fn wait_for(&self, pid: u32, kind: &str) -> Option<Vec<Event>> {
        const ATTEMPTS: u32 = 1500;
        (0..ATTEMPTS).find_map(|_| {
            std::thread::sleep(Duration::from_millis(20));
            let mut events = self.0.lock().unwrap().clone();
            events.retain(|event| event.get("pid") == Some(&EventValue::from(pid)));
            events.iter().any(|event| event.kind == kind).then_some(events)
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a process to hear of")]
fn shell(script: &str) -> Child {
    Command::new("/bin/sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap()
}

fn told(events: &[Event]) -> Vec<String> {
    let text = |event: &Event, field| event.get(field).map(ToString::to_string).unwrap_or_default();
    let line = |event: &Event| {
        let [name, command, code] =
            ["name", "command_line", "exit_code"].map(|field| text(event, field));
        format!("{} {name} `{command}` {code}", event.kind).trim_end().to_owned()
    };
    events.iter().map(line).collect()
}

#[test]
fn a_process_is_told_of_with_each_program_that_it_runs() {
    let heard = Arc::new(Heard::default());
    let clock: Arc<dyn barograph_model::Clock> = Arc::new(SystemClock::new());
    let events: Arc<dyn EventSink> = Arc::<Heard>::clone(&heard);
    let setup = Setup { events, ..Setup::new(&Roots::default(), &clock) };
    let listener = match ProcessListener::start(&setup) {
        Ok(listener) => listener,
        // Without the privilege, or in a container.
        Err(error) => return assert!(error.is_absent(), "{error}"),
    };
    // It needs a moment to know what runs already; until then nothing is told.
    let mut tried = Vec::new();
    let is_heard = (0..20).any(|_| {
        let mut child = shell("exit");
        child.wait().unwrap();
        tried.push(EventValue::from(child.id()));
        std::thread::sleep(Duration::from_millis(500));
        let events = heard.0.lock().unwrap();
        let is_tried = |event: &Event| event.get("pid").is_some_and(|pid| tried.contains(pid));
        events.iter().any(is_tried) || listener.failure().is_some()
    });
    if let Some(why) = listener.failure() {
        return assert!(why.contains("process connector"), "{why}");
    }
    assert!(is_heard);

    let second = "read y; exit 3";
    let mut child = shell(&format!("read x; exec sh -c '{second}'"));
    let (pid, mut input) = (child.id(), child.stdin.take().unwrap());
    let begun_ms = clock.now_ms();
    heard.wait_for(pid, "process_started").unwrap();
    input.write_all(b"x\n").unwrap();
    heard.wait_for(pid, "process_executed").unwrap();
    input.write_all(b"y\n").unwrap();
    child.wait().unwrap();
    let events = heard.wait_for(pid, "process_ended").unwrap();
    let expect = [
        format!("process_started sh `/bin/sh -c read x; exec sh -c '{second}'`"),
        format!("process_executed sh `sh -c {second}`"),
        format!("process_ended sh `sh -c {second}` 3"),
    ];
    assert_eq!(told(&events), expect);
    assert!(events.is_sorted_by_key(|event| event.time_ms), "{events:?}");
    let started_ms = events[0].time_ms;
    assert!(started_ms.abs_diff(begun_ms) < 5000, "{started_ms} and {begun_ms}");
    let own = EventValue::from(std::process::id());
    assert!(events.iter().all(|event| event.get("parent") == Some(&own)), "{events:?}");
}

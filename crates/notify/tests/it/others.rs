//! Programs, logs and syslog servers.

use std::sync::Arc;

use barograph_notify::{Event, LogLine, Machine, Notifier, Severity, SystemLog};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, UdpSocket};
use tracing_mutex::stdsync::Mutex;

use super::{channel, deliver, hostile, notifier, resolved};

const ON_WINDOWS: bool = matches!(std::env::consts::OS.as_bytes(), b"windows");

fn allowing(name: &str, argv: &[&str]) -> Notifier {
    let argv = argv.iter().map(|it| (*it).to_owned()).collect();
    notifier().on(Machine { commands: [(name.to_owned(), argv)].into(), ..Machine::default() })
}

#[tokio::test]
async fn a_program_that_is_not_allowed_is_not_run() {
    let failure = deliver("{type: command, command: page}", &hostile()).await.unwrap_err();
    assert!(failure.permanent);
    let expected = "the machine's owner allows no command `page`: [notify.commands] has none";
    assert_eq!(failure.text, expected);
}

#[tokio::test]
async fn a_program_gets_json_and_variables_and_no_arguments() {
    if ON_WINDOWS {
        return;
    }
    let script =
        r#"cat >/dev/null; echo "$BAROGRAPH_EVENT $BAROGRAPH_INCIDENT $# $BAROGRAPH_TITLE $HOME""#;
    let notifier = allowing("page", &["/bin/sh", "-c", script, "sh", "one"]);
    let command = channel("{type: command, command: page}");
    let receipt = notifier.deliver(&command, &hostile()).await.unwrap();
    assert!(receipt.text.starts_with("firing 7 1 [FIRING critical] Disk <b>C:"), "{receipt:?}");
    assert!(!receipt.text.contains('/') || !receipt.text.ends_with("root"), "{receipt:?}");
    let notifier = allowing("page", &["/bin/cat"]);
    let receipt = notifier.deliver(&command, &hostile()).await.unwrap();
    assert!(receipt.text.starts_with(r#"{"id":"firing-7-1""#), "{receipt:?}");
}

#[tokio::test]
async fn programs_that_fail_flood_or_hang_do_no_harm() {
    if ON_WINDOWS {
        return;
    }
    let run = async |script: &str| {
        let notifier = allowing("page", &["/bin/sh", "-c", script]);
        notifier.deliver(&channel("{type: command, command: page, timeout: 2s}"), &hostile()).await
    };
    let failure = run("echo no >&2; exit 3").await.unwrap_err();
    assert_eq!(failure.text, "the command `page` ended with exit status: 3: no");
    let receipt = run("head -c 20000000 /dev/zero | tr '\\0' x").await.unwrap();
    assert!(receipt.text.chars().count() <= 200);
    let failure = run("exec sleep 600").await.unwrap_err();
    assert_eq!((failure.permanent, failure.text.as_str()), (false, "no answer within 2 s"));
    let notifier = allowing("page", &["/no/such/program"]);
    let command = channel("{type: command, command: page}");
    let failure = notifier.deliver(&command, &hostile()).await.unwrap_err();
    assert!(failure.text.starts_with("the command `page` does not start: "), "{failure:?}");
}

#[tokio::test]
async fn a_syslog_server_gets_one_message_of_rfc_5424() {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = udp.local_addr().unwrap();
    let text = format!("{{type: syslog, address: 'udp://{address}', facility: local0}}");
    deliver(&text, &hostile()).await.unwrap();
    let mut bytes = vec![0; 65_536];
    let length = udp.recv(&mut bytes).await.unwrap();
    let line = String::from_utf8(bytes[..length].to_vec()).unwrap();
    let start = "<130>1 2025-11-26T03:12:00.000Z web-1\";rm-rf/# barograph - FIRING \
                 [barograph@32473 id=\"firing-7-1\"] [FIRING critical] Disk <b>C:</b>  Bcc:";
    assert!(line.starts_with(start), "{line}");
    assert!(length <= 1400 && !line.contains(['\n', '\r']), "{line}");

    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = format!("{{type: syslog, address: 'tcp://{}'}}", tcp.local_addr().unwrap());
    let it = hostile();
    let (outcome, got) = tokio::join!(deliver(&text, &it), async {
        let mut got = String::new();
        tcp.accept().await.unwrap().0.read_to_string(&mut got).await.unwrap();
        got
    });
    outcome.unwrap();
    let (length, line) = got.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
    assert!(line.starts_with("<26>1 "), "{line}");
}

#[derive(Debug, Default)]
struct Log(Mutex<Vec<LogLine>>);

impl SystemLog for Log {
    fn write(&self, line: &LogLine) -> std::io::Result<()> {
        self.0.lock().unwrap().push(line.clone());
        Ok(())
    }
}

impl Log {
    fn written(&self) -> Vec<LogLine> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_systems_log_is_written_where_there_is_one() {
    let log = Arc::new(Log::default());
    let system_log: Arc<dyn SystemLog> = Arc::<Log>::clone(&log);
    let machine = Machine { system_log: Some(system_log), ..Machine::default() };
    let notifier = notifier().on(machine);
    let syslog = channel("{type: syslog, facility: local3}");
    notifier.deliver(&syslog, &hostile()).await.unwrap();
    notifier.deliver(&syslog, &resolved()).await.unwrap();
    let [fired, ended] = <[LogLine; 2]>::try_from(log.written()).unwrap();
    assert!(fired.text.starts_with("[FIRING critical] Disk"), "{fired:?}");
    assert!(!fired.text.contains(char::is_control), "{fired:?}");
    assert_eq!((fired.facility, fired.level()), (19, 2));
    assert_eq!(
        (ended.event, ended.severity, ended.level()),
        (Event::Resolved, Severity::Critical, 5)
    );
    let failure = deliver("type: syslog", &hostile()).await.unwrap_err();
    assert_eq!(failure.text, "there is no syslog here; give an `address`");
}

#[tokio::test]
async fn the_event_log_gets_one_event_with_all_lines() {
    let log = Arc::new(Log::default());
    let event_log: Arc<dyn SystemLog> = Arc::<Log>::clone(&log);
    let notifier = notifier().on(Machine { event_log: Some(event_log), ..Machine::default() });
    let mut it = hostile();
    it.title.push('\0');
    notifier.deliver(&channel("type: eventlog"), &it).await.unwrap();
    let [line] = <[LogLine; 1]>::try_from(log.written()).unwrap();
    assert!(line.text.starts_with("[FIRING critical] Disk <b>C:</b>"), "{line:?}");
    assert!(line.text.contains("\r\nOpen: https://baro.example/hosts/web-1?at=1"), "{line:?}");
    assert!(!line.text.contains('\0') && !line.text.replace("\r\n", "").contains('\n'));
    let failure = deliver("type: eventlog", &hostile()).await.unwrap_err();
    let expected = (true, "there is no event log here: only Windows has one");
    assert_eq!((failure.permanent, failure.text.as_str()), expected);
}

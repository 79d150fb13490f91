//! `barograph connections`: who exchanges how much over TCP, and who listens.

use std::sync::Arc;

use barograph_collect::Roots;
use barograph_collect::connections::connections;
use barograph_collect::readings::TcpState;
use barograph_collect::talkers::LiveTalkers;
use barograph_model::{Clock, SystemClock};
use barograph_server::{ConnectionsAnswer, TalkerAnswer, TalkersAnswer, TalkersBy};
use clap::{Args, ValueEnum};

use super::processes::at_least_one;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct ConnectionsArgs {
    /// What connections are summed over; those who exchange most within a second come first.
    #[arg(long, value_enum, default_value = "process", conflicts_with = "listening")]
    by: ByName,
    /// How many to show.
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one, conflicts_with = "listening")]
    top: usize,
    /// Instead the ports where programs wait, and connections by state.
    #[arg(long)]
    listening: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ByName {
    /// The program here.
    Process,
    /// The address at the other end.
    Address,
    /// Each connection on its own.
    Connection,
}

impl ByName {
    const fn by(self) -> TalkersBy {
        match self {
            Self::Process => TalkersBy::Process,
            Self::Address => TalkersBy::Address,
            Self::Connection => TalkersBy::Connection,
        }
    }
}

const ABSENT: &str = "–";

pub(crate) fn run(args: &ConnectionsArgs) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    if args.listening {
        return listening(&clock, args.json);
    }
    let talkers = LiveTalkers::new(&Roots::default(), Arc::clone(&clock)).read_with_rates()?;
    let by = args.by.by();
    let shown = TalkersAnswer::new(&talkers, by, Some(args.top), clock.now_ms());
    if args.json {
        return output::pretty_json(&shown);
    }
    if let Some(why) = &shown.why_no_bytes {
        output::note(&format!("bytes are not told: {why}"))?;
    }
    output::line(&report(&shown, by))
}

fn report(shown: &TalkersAnswer, by: TalkersBy) -> String {
    if shown.talkers.is_empty() {
        return "no TCP connection is open".into();
    }
    let heading: &[&str] = match by {
        TalkersBy::Process => &["PID", "PROCESS", "CONNECTIONS"],
        TalkersBy::Address => &["ADDRESS", "CONNECTIONS"],
        TalkersBy::Connection => &["LOCAL", "REMOTE", "STATE", "PID", "PROCESS"],
    };
    let bytes = ["RECEIVED/s", "SENT/s", "RECEIVED", "SENT"];
    let heading = heading.iter().chain(&bytes).map(|&text| text.to_owned()).collect();
    let rows = shown.talkers.iter().map(|one| [who(one, by), amounts(one)].concat());
    let rows: Vec<_> = std::iter::once(heading).chain(rows).collect();
    format!("{}  {} connections\n{}", shown.timestamp, shown.connections, output::table(&rows))
}

fn who(one: &TalkerAnswer, by: TalkersBy) -> Vec<String> {
    let pid = text(one.pid);
    let process = one.process.as_deref().map_or_else(|| ABSENT.to_owned(), output::plain);
    match by {
        TalkersBy::Process => vec![pid, process, one.connections.to_string()],
        TalkersBy::Address => vec![text(one.remote_address), one.connections.to_string()],
        TalkersBy::Connection => {
            vec![text(one.local), text(one.remote), text(one.state), pid, process]
        }
    }
}

fn amounts(one: &TalkerAnswer) -> Vec<String> {
    let ever = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    [
        one.received_bytes_per_second,
        one.sent_bytes_per_second,
        ever(one.received_bytes),
        ever(one.sent_bytes),
    ]
    .map(|bytes| bytes.map_or_else(|| ABSENT.to_owned(), output::amount))
    .to_vec()
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| value.to_string())
}

fn listening(clock: &Arc<dyn Clock>, json: bool) -> anyhow::Result<()> {
    let found = connections(&Roots::default(), clock)?;
    if json {
        return output::pretty_json(&ConnectionsAnswer::new(&found, clock.now_ms()));
    }
    let states = TcpState::ALL.iter().zip(found.tcp_by_state).filter(|(_, count)| *count > 0);
    let states: Vec<_> =
        states.map(|(state, count)| format!("{} {count}", state.as_str())).collect();
    output::line(&format!("TCP: {}; UDP: {}", states.join(", "), found.udp_sockets))?;
    if found.listening.is_empty() {
        return output::line("no program listens");
    }
    let heading = ["PORT", "PROTOCOL", "PID", "PROCESS", "CONNECTIONS", "ADDRESSES"];
    let rows = found.listening.iter().map(|port| {
        let addresses: Vec<_> = port.addresses.iter().map(ToString::to_string).collect();
        let process = port.process.as_deref().map_or_else(|| ABSENT.to_owned(), output::plain);
        vec![
            port.port.to_string(),
            port.transport.as_str().to_owned(),
            text(port.pid),
            process,
            text(port.connections),
            addresses.join(", "),
        ]
    });
    let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec()).chain(rows).collect();
    output::line(&output::table(&rows))?;
    if found.more_listening {
        output::note(&format!("only the first {} ports", found.listening.len()))?;
    }
    Ok(())
}

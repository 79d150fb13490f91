//! `barograph services`: what runs on this machine in the background, and what should.

use barograph_collect::Roots;
use barograph_collect::readings::Service;
use barograph_collect::service::services;
use barograph_model::{Clock, Pattern, SystemClock};
use barograph_server::{ServiceFilter, ServicesAnswer};
use clap::Args;

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    /// Only services whose name or display name fits; '*' stands for any text, case does not
    /// matter.
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Also services that are stopped and are not set to run.
    #[arg(long)]
    all: bool,
    /// Only services that failed, or that should run and do not.
    #[arg(long)]
    failed: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ServicesArgs) -> anyhow::Result<()> {
    let filter = ServiceFilter {
        pattern: args.pattern.as_deref().map(Pattern::new),
        only_failed: args.failed,
        all: args.all,
    };
    let services = services(&Roots::default())?;
    if args.json {
        let now_ms = SystemClock::new().now_ms();
        return output::pretty_json(&ServicesAnswer::new(&services, &filter, now_ms));
    }
    let wanted: Vec<&Service> = services.iter().filter(|one| filter.wants(one)).collect();
    if wanted.is_empty() {
        return output::line(&nothing(args));
    }
    let heading = ["SERVICE", "STATE", "START", "PID", "DESCRIPTION"].map(str::to_owned);
    let rows = std::iter::once(heading.to_vec()).chain(wanted.into_iter().map(row));
    output::line(&output::table(&rows.collect::<Vec<_>>()))
}

fn nothing(args: &ServicesArgs) -> String {
    match (&args.pattern, args.failed) {
        (Some(pattern), true) => format!("no service that fits `{pattern}` has failed"),
        (Some(pattern), false) => format!("no service fits `{pattern}`"),
        (None, true) => "no service has failed".into(),
        (None, false) => "no service runs or should run".into(),
    }
}

fn row(service: &Service) -> Vec<String> {
    let status = &service.status;
    let state = match service.exit_code.filter(|code| *code != 0) {
        Some(code) => format!("{} ({code})", status.state.as_str()),
        None => status.state.as_str().to_owned(),
    };
    vec![
        status.name.clone(),
        state,
        service.start_mode.map_or("–", |mode| mode.as_str()).to_owned(),
        service.pid.map_or_else(|| "–".to_owned(), |pid| pid.to_string()),
        status.display_name.clone(),
    ]
}

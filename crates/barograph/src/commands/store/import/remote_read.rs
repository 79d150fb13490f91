//! Another server's samples, by Prometheus' remote read.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use barograph_fetch::{Answer, Client, Credentials, SendError, TlsSettings};
use barograph_model::{Clock as _, MatchOp, Matcher, SystemClock};
use barograph_promql::parse_selector;
use barograph_wire::remote_write::{Receiver, RequestError, Series};
use barograph_wire::snappy::{self, SnappyError};
use barograph_wire::{MetricType, remote_read};
use clap::Args;
use http_body_util::Full;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Request, Uri};

use super::target::Target;
use crate::moment::moment;
use crate::progress::ProgressLine;

/// What is asked for at once; less when an answer would be too large.
const LONGEST_MS: i64 = 3_600_000;
const SHORTEST_MS: i64 = 1000;
/// An answer as sent, and as unpacked.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
const MAX_UNPACKED_BYTES: usize = 256 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct RemoteReadArgs {
    /// Also from a server that speaks Prometheus' remote read, such as
    /// `http://prometheus:9090/api/v1/read`.
    #[arg(long, value_name = "URL", requires = "from")]
    pub(super) read_from: Option<Uri>,
    /// Of the server, only series that this selector means, such as 'up{job="node"}' [default: all].
    #[arg(long = "match", value_name = "SELECTOR", value_parser = selector, requires = "read_from")]
    selector: Option<Selector>,
    /// Of the server, from then on: a time with its zone, such as 2026-11-22T03:12:00Z,
    /// milliseconds since 1970, or how long ago, such as 30d.
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "read_from")]
    from: Option<i64>,
    /// Of the server, up to then [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "read_from")]
    to: Option<i64>,
    /// A file with the header `Authorization` for the server, such as `Bearer …`.
    #[arg(long, value_name = "FILE", requires = "read_from")]
    authorization_file: Option<PathBuf>,
}

#[derive(Debug, Clone)]
struct Selector(Vec<Matcher>);

fn selector(text: &str) -> Result<Selector, String> {
    parse_selector(text).map(Selector).map_err(|error| error.to_string())
}

/// Reads slice by slice, so that neither side holds more than a slice.
pub(super) fn read(url: &Uri, args: &RemoteReadArgs, target: &mut Target) -> anyhow::Result<()> {
    let from_ms = args.from.unwrap_or_default();
    let to_ms = args.to.unwrap_or_else(|| SystemClock::new().now_ms());
    ensure!(from_ms <= to_ms, "`--from` is after `--to`");
    let server = Server::new(url, args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let mut progress = ProgressLine::new("reading");
    let whole = to_ms.abs_diff(from_ms) + 1;
    let (mut start_ms, mut length_ms) = (from_ms, LONGEST_MS);
    while start_ms <= to_ms {
        let end_ms = to_ms.min(start_ms.saturating_add(length_ms - 1));
        let answer = runtime.block_on(async {
            let mut answer = std::pin::pin!(server.ask((start_ms, end_ms)));
            loop {
                match tokio::time::timeout(LOOK_UP_AFTER, &mut answer).await {
                    Ok(answer) => return answer,
                    Err(_) => target.go_on()?,
                }
            }
        });
        let answer = answer.with_context(|| format!("from {start_ms} to {end_ms}"))?;
        let Some(answer) = answer else {
            ensure!(
                length_ms > SHORTEST_MS,
                "the answer for {length_ms} ms from {start_ms} on is larger than {MAX_BODY_BYTES} bytes, \
                 or than {MAX_UNPACKED_BYTES} as unpacked; choose fewer series with `--match`"
            );
            length_ms = (length_ms / 4).max(SHORTEST_MS);
            continue;
        };
        let mut taker = Taker { target: &mut *target, range_ms: (start_ms, end_ms) };
        remote_read::read_answer(&answer, &mut taker).map_err(|error| error.0)?;
        progress
            .show(end_ms.abs_diff(from_ms) + 1, whole, || format!("{} samples", target.samples()));
        length_ms = LONGEST_MS.min(length_ms * 2);
        start_ms = end_ms.saturating_add(1);
    }
    Ok(())
}

/// How long it waits before it looks whether it is time to stop.
const LOOK_UP_AFTER: Duration = Duration::from_millis(200);

struct Server {
    client: Client,
    path: String,
    matchers: Vec<Matcher>,
}

impl Server {
    fn new(url: &Uri, args: &RemoteReadArgs) -> anyhow::Result<Self> {
        let credentials = match &args.authorization_file {
            None => Credentials::None,
            Some(file) => {
                let text = fs::read_to_string(file);
                let text = text.with_context(|| format!("cannot read {}", file.display()))?;
                Credentials::Header(text.trim().to_owned())
            }
        };
        let matchers = match &args.selector {
            Some(Selector(matchers)) => matchers.clone(),
            None => vec![Matcher::new("__name__", MatchOp::Regex, ".+")?],
        };
        let client = Client::new(url, &credentials, &TlsSettings::default())?;
        let path = url.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { client, path, matchers })
    }

    /// The unpacked answer; nothing when it is too large.
    async fn ask(&self, range_ms: (i64, i64)) -> anyhow::Result<Option<Vec<u8>>> {
        let body = snappy::pack(&remote_read::request(&self.matchers, range_ms));
        let request = Request::post(&self.path)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "snappy")
            .header(ACCEPT_ENCODING, "snappy")
            .header("X-Prometheus-Remote-Read-Version", "0.1.0")
            .body(Full::new(body.into()))?;
        let sent = tokio::time::timeout(PATIENCE, self.client.send(request, MAX_BODY_BYTES)).await;
        let sent = sent.with_context(|| format!("no answer within {} s", PATIENCE.as_secs()))?;
        let Answer { status, body, .. } = match sent {
            Err(SendError::TooLarge { .. }) => return Ok(None),
            answer => answer?,
        };
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body);
            let said: String = said.trim().chars().take(300).collect();
            bail!("the server answered {status}: {said}");
        }
        let mut unpacked = Vec::new();
        match snappy::unpack(&body, MAX_UNPACKED_BYTES, &mut unpacked) {
            Err(SnappyError::TooLarge { .. }) => Ok(None),
            // A result without series has no bytes.
            Err(SnappyError::Empty) => Ok(Some(Vec::new())),
            result => {
                result.context("the answer is not one of remote read")?;
                Ok(Some(unpacked))
            }
        }
    }
}

/// Takes the samples of one slice.
struct Taker<'a> {
    target: &'a mut Target,
    range_ms: (i64, i64),
}

struct Failed(anyhow::Error);

impl From<RequestError> for Failed {
    fn from(error: RequestError) -> Self {
        Self(anyhow::Error::new(error).context("the answer is not one of remote read"))
    }
}

impl Receiver for Taker<'_> {
    type Error = Failed;

    fn series(&mut self, series: &Series<'_>) -> Result<(), Failed> {
        self.target.leave_out("native histograms", series.histograms);
        if series.samples.is_empty() {
            return Ok(());
        }
        let labels = series.labels().map_err(|error| Failed(error.into()))?;
        let labels = self.target.labels(labels).map_err(|error| Failed(error.into()))?;
        let (from_ms, to_ms) = self.range_ms;
        for (time_ms, value) in series.samples {
            if (from_ms..=to_ms).contains(time_ms) {
                self.target.push(*time_ms, &labels, *value).map_err(Failed)?;
            }
        }
        Ok(())
    }

    fn metadata(&mut self, _: &str, _: MetricType, _: &str, _: &str) {}
}

//! `barograph serve`: the parts, wired together, until the system says stop.

mod doors;
mod tell;

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use barograph_collect::{
    Changeable, Collector, HEADLINE, HostFacts, Roots, Runner, RunnerSettings, Setup, host_facts,
    registry,
};
use barograph_model::{Batch, Clock, SystemClock};
use barograph_promql::Engine;
use barograph_server::{
    Alerting, AlertingSettings, App, Configured, Documents, Doors, EventLog, Feed, Followers,
    Following, Ingest, Latest, Limits, ProcessSettings, Processes, Queries, Readings, RunnerView,
    Statsd, Thrift,
};
use barograph_state::State;
use barograph_store::Store;

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::{output, service};

pub(crate) fn run(args: ServeArgs) -> anyhow::Result<()> {
    let (mut config, file) = Config::load(args.config.config.as_deref())?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.data = args.data.unwrap_or(config.data);
    start_log();
    if let Some(file) = &file {
        tracing::info!(file = %file.display(), "configuration read");
    }
    let listener = listen(config.listen)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    if let Some(handles) = service::raise_handle_limit() {
        tracing::debug!(handles, "so many files may be open");
    }
    let store = open_store(&config, &clock)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("http")
        // Deep queries are evaluated on the stack.
        .thread_stack_size(8 * 1024 * 1024)
        .enable_all()
        .build()
        .context("cannot start the threads that answer requests")?;
    let configured = configured(&config, file.as_deref());
    runtime.block_on(watch_and_serve((config, configured), listener, clock, store))
}

async fn watch_and_serve(
    (mut config, configured): (Config, Configured),
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
) -> anyhow::Result<()> {
    let stop = service::stop_requested().context("cannot listen for the signal to stop")?;
    let address = listener.local_addr().context("cannot tell the listening address")?;
    if config.alerting.external_url.is_empty() {
        config.alerting.external_url = format!("http://{address}");
    }
    let listener = ready(listener).context("cannot prepare the listening socket")?;
    let latest = Arc::new(Latest::new());
    let forward = doors::forward(&config, &clock)?;
    let feed = Arc::new(
        Feed::start(Arc::clone(&store), Arc::clone(&latest), Arc::clone(&forward))
            .context("cannot start the thread that stores samples")?,
    );
    let host = host(&config);
    let setup = setup(&config, &clock);
    let (processes, events) = open_logs(&config, &setup)?;
    let setup = Setup { events: events.clone(), ..setup };
    let user_counters = user_counters(&config);
    let user_descs = user_counters.as_ref().map_or(&[][..], |collector| collector.descs());
    let (queries, thrift) = queries(&config, &store, &clock);
    let deliver = deliver(&feed, &latest, &thrift);
    let runner = Arc::new(start_collecting(&config, &host.host, &setup, user_counters, deliver)?);
    let for_status = Arc::downgrade(&runner);
    let ingest = Ingest::new(Arc::clone(&store), Arc::clone(&clock), config.ingest.clone());
    let ingest = Arc::new(ingest.with_forward(Arc::clone(&forward)));
    let statsd = doors::statsd(&config, &host.host, &ingest, &clock)?;
    let doors = doors::open(&config, &host.host, &ingest, forward, &clock);
    let documents = open_documents(&config.data, configured, &clock)?;
    let following = follow(&documents, &doors, &setup);
    let alerting = start_alerting((&config, &host.host), &store, &documents, &clock)?;
    let descs = [registry::descs().as_slice(), user_descs].concat();
    let told = tell::start(&config, &alerting, (&store, &processes, &events), (&host.host, &descs));
    let app = App {
        store,
        queries,
        documents,
        alerting: Arc::clone(&alerting),
        dispatch: Arc::clone(&told.dispatch),
        ingest: Arc::clone(&ingest),
        doors: Arc::clone(&doors),
        latest,
        feed: Arc::clone(&feed),
        processes: Arc::clone(&processes),
        readings: Readings::new(&setup.roots, &setup.clock),
        events: Arc::clone(&events),
        started_ms: clock.now_ms(),
        clock,
        host,
        thrift,
        runner: RunnerView(Box::new(move || Some(for_status.upgrade()?.status()))),
        descs,
        headline: HEADLINE.iter().map(|desc| desc.name).collect(),
        interval_ms: i64::try_from(config.interval.as_millis()).unwrap_or(i64::MAX),
        limits: Limits::default(),
    };
    output::line(&format!("Barograph shows this machine at http://{address}/"))?;
    barograph_server::serve(Arc::new(app), listener, async {
        let reason = stop.await;
        tracing::info!(reason, "stopping");
    })
    .await;
    following.stop().await;
    doors.close().await;
    alerting.close();
    told.close().await;
    stop_collecting(runner, statsd);
    processes.close();
    events.close();
    store_rest(&feed)
}

/// Stores what is still in the queue.
fn store_rest(feed: &Feed) -> anyhow::Result<()> {
    match feed.close() {
        0 => tracing::info!("stopped, everything collected is stored"),
        lost => anyhow::bail!("{lost} batches of samples could not be stored; see the log"),
    }
    Ok(())
}

fn stop_collecting(runner: Arc<Runner>, statsd: Option<Statsd>) {
    let hanging = Arc::into_inner(runner).map(Runner::stop).unwrap_or_default();
    if !hanging.is_empty() {
        tracing::warn!(collectors = ?hanging, "collectors that hang were left behind");
    }
    if let Some(statsd) = statsd {
        statsd.close();
    }
}

/// The socket as requests are accepted on it.
fn ready(listener: TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
        .with_env_var("BAROGRAPH_LOG")
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
}

/// Takes the address, before anything else is touched.
fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    refuse_foreign(address)?;
    let refuse = |source| Failure::Address { address: address.to_string(), source };
    TcpListener::bind(address)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => refuse(anyhow::anyhow!(
                "another program listens there (Barograph already? choose a port by --listen)"
            )),
            _ => refuse(error.into()),
        })
        .map_err(Into::into)
}

/// Refuses addresses that other machines reach.
fn refuse_foreign(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let source = anyhow::anyhow!(
        "only loopback addresses (127.0.0.0/8, [::1]) are allowed, since there is no TLS and \
         no sign-in yet; to look from another machine, use an SSH tunnel"
    );
    Err(Failure::Address { address: address.to_string(), source })
}

fn open_store(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<Store>> {
    let folder = &config.data;
    let store = Store::open(config.store.settings(folder), Arc::clone(clock))
        .map_err(|error| Failure::DataFolder(error.into()))?;
    let stats = store.stats();
    tracing::info!(
        folder = %folder.display(),
        samples = stats.samples,
        partitions = stats.partitions,
        "data folder opened"
    );
    Ok(Arc::new(store))
}

/// What the collectors are made with, but for who listens to events.
fn setup(config: &Config, clock: &Arc<dyn Clock>) -> Setup {
    let roots = Roots { file_systems: config.file_systems.clone(), ..Roots::default() };
    Setup {
        watch: Arc::new(Changeable::new(config.watch.clone())),
        services: Arc::new(Changeable::new(config.watch_services.clone())),
        inventory_file: Some(config.data.join("inventory")),
        ..Setup::new(&roots, clock)
    }
}

/// The logs beside the store: processes and events.
fn open_logs(config: &Config, setup: &Setup) -> anyhow::Result<(Arc<Processes>, Arc<EventLog>)> {
    let Config { data: folder, store, .. } = config;
    let unusable = |error: anyhow::Error| Failure::DataFolder(error);
    let latest = Arc::clone(&setup.processes);
    let settings = ProcessSettings { kept: store.processes, ..ProcessSettings::default() };
    let processes = Processes::start(folder, settings, latest, Arc::clone(&setup.clock))
        .map_err(|error| unusable(error.into()))?;
    let events = EventLog::start(folder, store.events, Arc::clone(&setup.clock))
        .map_err(|error| unusable(error.into()))?;
    Ok((Arc::new(processes), Arc::new(events)))
}

/// What documents stand beside.
fn configured(config: &Config, file: Option<&Path>) -> Configured {
    Configured {
        file: file.unwrap_or(Path::new(Config::DEFAULT_FILE)).display().to_string(),
        jobs: config.scrape.clone(),
        processes: config.watch.clone(),
        services: config.watch_services.clone(),
    }
}

/// What people decided about alerts.
fn open_documents(
    folder: &Path,
    configured: Configured,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<Documents>> {
    let state = State::open(&folder.join("state"), Arc::clone(clock))
        .map_err(|error| Failure::DataFolder(error.into()))?;
    Ok(Arc::new(Documents::new(Arc::new(state), Arc::clone(clock)).beside(configured)))
}

/// Begins to watch and to scrape what documents name.
fn follow(documents: &Arc<Documents>, doors: &Arc<Doors>, setup: &Setup) -> Following {
    let (processes, services) = (Arc::clone(&setup.watch), Arc::clone(&setup.services));
    let followers = Followers { doors: Arc::clone(doors), processes, services };
    Following::start(Arc::clone(documents), followers)
}

/// Begins to evaluate rules.
fn start_alerting(
    (config, host): (&Config, &str),
    store: &Arc<Store>,
    documents: &Arc<Documents>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<Alerting>> {
    // Rules are many and small: side by side they would only take cores from the collectors.
    let settings = barograph_promql::Settings { threads: 1, ..config.query.clone() };
    let engine = Engine::new(settings, Arc::clone(clock));
    let alerting = Alerting::start(
        Arc::clone(store),
        Arc::clone(documents),
        engine,
        Arc::clone(clock),
        AlertingSettings { host: host.to_owned(), ..config.alerting.clone() },
    )?;
    Ok(Arc::new(alerting))
}

/// What this host is, under the name it is to be called.
fn host(config: &Config) -> HostFacts {
    let mut facts = host_facts(&Roots::default());
    if let Some(name) = &config.host {
        facts.host.clone_from(name);
    }
    facts
}

/// The counters of the configuration that are not collected anyway.
fn user_counters(config: &Config) -> Option<Box<dyn Collector>> {
    for (path, metrics) in config.counters.collected_anyway() {
        tracing::info!(path, ?metrics, "this counter of the configuration is collected anyway");
    }
    config.counters.collector()
}

/// What evaluates questions, and what keeps this program within limits of its own.
fn queries(
    config: &Config,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
) -> (Arc<Queries>, Arc<Thrift>) {
    let queries = Arc::new(Queries::new(config.query.clone(), Arc::clone(clock)));
    let thrift = Thrift::new(config.limits, Arc::clone(store), Arc::clone(&queries));
    (queries, Arc::new(thrift))
}

/// Where each tick goes.
fn deliver(
    feed: &Arc<Feed>,
    latest: &Arc<Latest>,
    thrift: &Arc<Thrift>,
) -> impl FnMut(Batch) + Send + 'static {
    let (feed, latest, thrift) = (Arc::clone(feed), Arc::clone(latest), Arc::clone(thrift));
    move |batch| {
        feed.offer(batch);
        thrift.look(&latest);
    }
}

fn start_collecting(
    config: &Config,
    host: &str,
    setup: &Setup,
    user_counters: Option<Box<dyn Collector>>,
    deliver: impl FnMut(Batch) + Send + 'static,
) -> anyhow::Result<Runner> {
    let settings = RunnerSettings {
        interval: config.interval,
        ..RunnerSettings::new(host, Arc::clone(&setup.clock))
    };
    let mut collectors = registry::with(setup);
    collectors.extend(user_counters);
    Runner::start(settings, collectors, deliver).context("cannot start to collect")
}

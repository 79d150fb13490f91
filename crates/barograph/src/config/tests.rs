//! What the file says becomes settings, or mistakes with their lines.

use super::*;

fn problems(text: &str) -> Vec<String> {
    Config::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn empty_file_gives_the_defaults() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn every_setting_is_read() {
    let text = "listen = '[::1]:8080'\ndata = '/srv/baro'\nhost = 'db-1'\n\n[collect]\ninterval = '5s'\nfile_systems = ['nfs*', 'tmpfs']\n\n[watch]\nprocesses = ['nginx', 'postgres*']\nservices = ['ssh*']\n\n[counters]\npaths = ['\\Memory\\Available Bytes']\n\n[ingest]\nmax_series_per_source = 10\nmax_new_series_per_day = 20\nfuture_window = '5m'\n\n[query]\nlookback = '2m'\nmax_points = 1\nmax_samples = 5000000000\nmax_series = 3\ntimeout = '30s'\n\n[rules]\ndefaults = false\nfiles = ['a.yml']\ninterval = '30s'\n\n[statsd]\nlisten = '127.0.0.1:8125'\nsocket = '/run/s'\nflush_interval = '1s'\nexpiry = '1m'\nquantiles = [0.5]\nbuckets = [0.1, 1]\n";
    let expect = Config {
        listen: "[::1]:8080".parse().unwrap(),
        data: "/srv/baro".into(),
        host: Some("db-1".into()),
        interval: Duration::from_secs(5),
        file_systems: FileSystems::new(["nfs*", "tmpfs"].map(str::to_owned)).unwrap(),
        watch: Watch::new(["nginx", "postgres*"].map(str::to_owned)).unwrap(),
        watch_services: WatchedServices::new(["ssh*".to_owned()]).unwrap(),
        counters: UserCounters::new(&[r"\Memory\Available Bytes".to_owned()]).unwrap(),
        alerting: AlertingSettings {
            defaults: false,
            files: vec!["a.yml".into()],
            interval: Duration::from_secs(30),
            ..AlertingSettings::default()
        },
        ingest: IngestSettings {
            max_series: 10,
            max_new_series_per_day: 20,
            future_window: Duration::from_secs(300),
            ..IngestSettings::default()
        },
        query: barograph_promql::Settings {
            lookback: Duration::from_secs(120),
            max_points: 1,
            max_samples: 5_000_000_000,
            max_series: 3,
            timeout: Duration::from_secs(30),
            ..barograph_promql::Settings::default()
        },
        statsd_listen: Some("127.0.0.1:8125".parse().unwrap()),
        statsd_socket: Some("/run/s".into()),
        statsd: StatsdSettings {
            flush_interval: Duration::from_secs(1),
            expiry: Duration::from_secs(60),
            quantiles: vec![0.5],
            buckets: vec![0.1, 1.0],
        },
        ..Config::default()
    };
    assert_eq!(Config::parse(text), Ok(expect));
}

#[test]
fn all_mistakes_are_reported_with_their_lines() {
    let text = "listen = 'nowhere'\nlsten = 1\n[collect]\ninterval = 5\nspeed = 'fast'\n";
    assert_eq!(
        problems(text),
        [
            "line 1: `listen` is `nowhere`, but must be an address with a port, such as `127.0.0.1:7575`",
            "line 2: `lsten` is not a setting; allowed here: `actions.file`, `check`, `collect.file_systems`, `collect.interval`, `counters.paths`, `data`, `external_url`, `host`, `ingest.future_window`, `ingest.max_new_series_per_day`, `ingest.max_series_per_source`, `ingest.otlp_promote_resource_attributes`, `limits.handles`, `limits.memory`, `listen`, `notify.commands`, `notify.internal_networks`, `notify.syslog_socket`, `query.lookback`, `query.max_points`, `query.max_samples`, `query.max_series`, `query.timeout`, `remote_write`, `rules.defaults`, `rules.files`, `rules.interval`, `scrape_config_files`, `scrape`, `statsd.buckets`, `statsd.expiry`, `statsd.flush_interval`, `statsd.listen`, `statsd.quantiles`, `statsd.socket`, `store.cache`, `store.keep_events`, `store.keep_hours`, `store.keep_minutes`, `store.keep_processes`, `store.keep_raw`, `store.keep`, `store.late_window`, `store.max_events`, `store.max_hours`, `store.max_minutes`, `store.max_processes`, `store.max_raw`, `store.max_series`, `store.memory`, `textfile.folder`, `textfile.interval`, `watch.processes`, `watch.services`",
            "line 4: `collect.interval` must be a text in quotes",
            "line 5: `collect.speed` is not a setting; allowed here: `collect.file_systems`, `collect.interval`",
        ]
    );
}

#[test]
fn counter_paths_are_checked_all_at_once() {
    let text = "\n[counters]\npaths = ['Memory', '\\Memory\\*']\n";
    assert_eq!(
        problems(text),
        [
            r"line 3: `counters.paths` is not usable: `Memory`: a counter path starts with a backslash, at character 1; `\Memory\*`: only the instance may be a wildcard"
        ]
    );
    let found = problems("[counters]\npaths = 'x'\n");
    assert!(found[0].starts_with("line 2: `counters.paths` must be a list"), "{found:?}");
}

#[test]
fn scrapes_are_tables_of_their_own() {
    let text = "[[scrape]]\njob = 'node'\ntargets = ['a:9100', 'b:9100']\ninterval = '5s'\n\
                labels = { env = 'test' }\n[[scrape]]\njob_name = 'x'\ntargets = ['c:1']\n\
                [[scrape.relabel_configs]]\nregex = 'job'\naction = 'labeldrop'\n";
    assert_eq!(Config::parse(text).unwrap().scrape.len(), 2);
    let bad = "\n[[scrape]]\njob = 'node'\ntargets = ['a:9100']\ninterval = '5'\n";
    assert_eq!(
        problems(bad),
        ["line 2: `scrape` number 1: scrape `node`: `interval` is `5`, but must be a duration \
          such as `15s` or `1m30s`"]
    );
    let unknown = problems("[[scrape]]\njob = 'node'\nintervall = '5s'\n");
    assert!(unknown[0].starts_with("line 1: `scrape` number 1: unknown field `intervall`"));
}

#[test]
fn broken_toml_is_reported_with_its_line() {
    let found = problems("data = 'x'\nlisten = \n");
    assert!(found.first().unwrap().starts_with("line 2: "), "{found:?}");
}

#[test]
fn section_must_be_a_table() {
    assert_eq!(
        problems("collect = 1"),
        ["line 1: `collect` is a section: write it as `[section]`"]
    );
}

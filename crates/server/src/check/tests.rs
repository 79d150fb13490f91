//! When checks run, on a clock that goes on by itself while everybody waits.

use barograph_model::Matcher;
use barograph_store::{Limits, Settings, Store};
use tokio::time::{Instant, sleep};

use super::*;
use crate::ingest::IngestSettings;

/// 7.3 s after a full minute.
const BEGAN_MS: i64 = 1_790_000_040_000 + 7300;

#[derive(Debug)]
struct WaitingClock(Instant);

impl Clock for WaitingClock {
    fn now_ms(&self) -> i64 {
        BEGAN_MS + i64::try_from(self.monotonic().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// When a program was started and when it ended, or was ended, in milliseconds since the start.
type Runs = Arc<Mutex<Vec<(String, u128, Option<u128>)>>>;

struct Bench {
    folder: tempfile::TempDir,
    began: Instant,
    clock: Arc<dyn Clock>,
    runs: Runs,
    /// How many programs ran at the same time at most, and how many do now.
    at_once: Arc<Mutex<(usize, usize)>>,
}

impl Bench {
    fn new() -> Self {
        let began = Instant::now();
        Self {
            folder: tempfile::tempdir().unwrap(),
            began,
            clock: Arc::new(WaitingClock(began)),
            runs: Runs::default(),
            at_once: Arc::default(),
        }
    }

    fn store(&self) -> Arc<Store> {
        let settings = Settings::new(self.folder.path());
        Arc::new(Store::open(settings, Arc::clone(&self.clock)).unwrap())
    }

    /// Programs that take as many milliseconds as their argument says.
    fn runner(&self) -> RunProgram {
        let (runs, at_once, began) = (self.runs.clone(), self.at_once.clone(), self.began);
        Arc::new(move |program: Program| {
            let (runs, at_once) = (runs.clone(), at_once.clone());
            Box::pin(async move {
                let now = || began.elapsed().as_millis();
                let number = {
                    let mut at_once = at_once.lock().unwrap();
                    *at_once = (at_once.0.max(at_once.1 + 1), at_once.1 + 1);
                    let mut runs = runs.lock().unwrap();
                    runs.push((program.argv[0].clone(), now(), None));
                    runs.len() - 1
                };
                let takes = Duration::from_millis(program.argv[1].parse().unwrap());
                let ended = tokio::time::timeout(program.timeout, sleep(takes)).await;
                runs.lock().unwrap()[number].2 = Some(now());
                at_once.lock().unwrap().1 -= 1;
                match ended {
                    Ok(()) => Ended::Exit { code: 0, printed: b"fine".to_vec() },
                    Err(_) => Ended::TimedOut,
                }
            })
        })
    }

    fn start(&self, store: &Arc<Store>, checks: Vec<Check>) -> Checks {
        let settings = IngestSettings::default();
        let ingest = Arc::new(Ingest::new(Arc::clone(store), self.clock.clone(), settings));
        Checks::start(checks, "h", &ingest, &self.clock, &self.runner())
    }

    /// When the runs of a program began.
    fn begun(&self, name: &str) -> Vec<u128> {
        let runs = self.runs.lock().unwrap();
        runs.iter().filter(|run| run.0 == name).map(|run| run.1).collect()
    }
}

fn check(name: &str, takes_ms: u64, interval: &str, timeout: &str) -> Check {
    let config = serde_json::json!({
        "name": name,
        "command": [name, takes_ms.to_string()],
        "interval": interval,
        "timeout": timeout,
    });
    serde_json::from_value::<CheckConfig>(config).unwrap().into_check().unwrap()
}

fn statuses(store: &Store, name: &str) -> Vec<(i64, f64)> {
    let matchers = [Matcher::equal(METRIC_NAME, "check_status"), Matcher::equal("check", name)];
    let found = store.select(&matchers, i64::MIN, i64::MAX, &Limits::default()).unwrap();
    let samples = found.data.iter().flat_map(|one| one.times.iter().zip(&one.values));
    samples.map(|(time, value)| (time - BEGAN_MS, *value)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_check_runs_at_the_start_and_then_at_multiples_of_its_interval() {
    let bench = Bench::new();
    let store = bench.store();
    let checks = bench.start(&store, vec![check("quick", 40, "10s", "5s")]);
    sleep(Duration::from_secs(30)).await;
    checks.stop().await;
    assert_eq!(bench.begun("quick"), [0, 2700, 12_700, 22_700]);
    let expected = [(0, 0.0), (2700, 0.0), (12_700, 0.0), (22_700, 0.0)];
    assert_eq!(statuses(&store, "quick"), expected);

    // Another start an odd time later keeps to the same moments.
    sleep(Duration::from_millis(1234)).await;
    let checks = bench.start(&store, vec![check("quick", 40, "10s", "5s")]);
    sleep(Duration::from_secs(20)).await;
    checks.stop().await;
    assert_eq!(bench.begun("quick")[4..], [31_234, 32_700, 42_700]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_a_run_and_the_next_comes_in_time() {
    let bench = Bench::new();
    let store = bench.store();
    let checks = bench.start(&store, vec![check("slow", 60_000, "10s", "3s")]);
    sleep(Duration::from_secs(20)).await;
    let runs: Vec<_> =
        bench.runs.lock().unwrap().iter().map(|(_, from, to)| (*from, *to)).collect();
    // The first run is still on its way when the next would begin, which is left out.
    assert_eq!(runs, [(0, Some(3000)), (12_700, Some(15_700))]);
    let answer = serde_json::to_value(checks.answer()).unwrap();
    assert_eq!(answer[0]["status"], "unknown");
    assert_eq!(answer[0]["text"], "the program was ended after 3000 ms (`timeout`)");
    assert_eq!(answer[0]["duration_seconds"], 3.0);
    checks.stop().await;
    assert_eq!(statuses(&store, "slow"), [(0, 3.0), (12_700, 3.0)]);
}

#[tokio::test(start_paused = true)]
async fn never_more_than_four_run_at_once_and_none_beside_itself() {
    let bench = Bench::new();
    let store = bench.store();
    let listed = (0..9).map(|n| check(&format!("c{n}"), 4000, "5s", "5s")).collect();
    let checks = bench.start(&store, listed);
    sleep(Duration::from_secs(120)).await;
    assert_eq!(*bench.at_once.lock().unwrap(), (4, 4));
    checks.stop().await;
    for n in 0..9 {
        let begun = bench.begun(&format!("c{n}"));
        // Nine times four seconds are more than five by four: they take turns.
        assert!(begun.len() >= 8, "c{n}: {begun:?}");
        assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= 4000), "c{n}: {begun:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_a_program() {
    let bench = Bench::new();
    let store = bench.store();
    let checks = bench.start(&store, vec![check("slow", 9000, "10s", "10s")]);
    sleep(Duration::from_secs(1)).await;
    checks.stop().await;
    assert_eq!(bench.began.elapsed(), Duration::from_secs(1));
    assert_eq!(*bench.runs.lock().unwrap(), [("slow".to_owned(), 0, None)]);
    assert_eq!(statuses(&store, "slow"), []);
}

//! The targets, as Prometheus' interface shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::job::Spec;
use super::{Pool, Scraper};
use crate::timestamp::iso;

/// What `/api/v1/targets` answers with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetsAnswer {
    active_targets: Vec<ActiveTarget>,
    dropped_targets: Vec<DroppedTarget>,
    dropped_target_counts: BTreeMap<String, usize>,
    /// Beyond Prometheus: files and addresses that cannot be used.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActiveTarget {
    discovered_labels: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    scrape_pool: String,
    scrape_url: String,
    global_url: String,
    last_error: String,
    last_scrape: String,
    /// Seconds.
    last_scrape_duration: f64,
    health: &'static str,
    scrape_interval: String,
    scrape_timeout: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DroppedTarget {
    discovered_labels: BTreeMap<String, String>,
    scrape_pool: String,
}

/// Counts of one job, for Barograph's own metrics.
#[derive(Debug, Default)]
pub struct ScrapeStats {
    pub job: String,
    pub targets: usize,
    pub down: usize,
    pub scrapes: u64,
    pub failures: u64,
    pub problems: usize,
}

/// Which targets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    Active,
    Dropped,
}

impl Scraper {
    pub(crate) fn targets(&self, wanted: Wanted, job: Option<&str>) -> TargetsAnswer {
        let mut answer = TargetsAnswer {
            active_targets: Vec::new(),
            dropped_targets: Vec::new(),
            dropped_target_counts: BTreeMap::new(),
            problems: Vec::new(),
        };
        for pool in self.pools().iter().filter(|pool| job.is_none_or(|job| job == pool.job.name)) {
            let state = pool.state();
            if wanted != Wanted::Dropped {
                answer.active_targets.extend(active(pool, &state));
            }
            if wanted != Wanted::Active {
                answer.dropped_targets.extend(state.dropped.iter().map(|spec| DroppedTarget {
                    discovered_labels: map(&spec.discovered),
                    scrape_pool: pool.job.name.clone(),
                }));
            }
            answer.dropped_target_counts.insert(pool.job.name.clone(), state.dropped.len());
            let problem = |one: &String| format!("{}: {one}", pool.job.name);
            answer.problems.extend(state.problems.iter().map(problem));
        }
        answer.problems.extend(scraped_twice(&answer.active_targets));
        answer
            .active_targets
            .sort_by(|a, b| (&a.scrape_pool, &a.scrape_url).cmp(&(&b.scrape_pool, &b.scrape_url)));
        answer
    }

    pub fn stats(&self) -> Vec<ScrapeStats> {
        let stats = |pool: &Arc<Pool>| {
            let state = pool.state();
            let mut stats = ScrapeStats {
                job: pool.job.name.clone(),
                targets: state.running.len(),
                problems: state.problems.len(),
                ..ScrapeStats::default()
            };
            for running in state.running.values() {
                let target = &running.target;
                stats.down += usize::from(target.health().is_up == Some(false));
                stats.scrapes += target.scrapes.load(Ordering::Relaxed);
                stats.failures += target.failures.load(Ordering::Relaxed);
            }
            stats
        };
        self.pools().iter().map(stats).collect()
    }
}

/// Addresses that more than one job asks, each with the jobs: settings and documents together, where
/// no reader of one of them sees it.
fn scraped_twice(targets: &[ActiveTarget]) -> Vec<String> {
    let mut jobs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for target in targets {
        jobs.entry(&target.scrape_url).or_default().insert(&target.scrape_pool);
    }
    let told = |(url, jobs): (&str, BTreeSet<&str>)| {
        let names: Vec<String> = jobs.iter().map(|job| format!("`{job}`")).collect();
        (jobs.len() > 1)
            .then(|| format!("{}: {url} is scraped by each of these jobs", names.join(", ")))
    };
    jobs.into_iter().filter_map(told).collect()
}

fn active(pool: &Pool, state: &super::State) -> Vec<ActiveTarget> {
    let job = &pool.job;
    let one = |(spec, running): (&Spec, &super::Running)| {
        let health = running.target.health().clone();
        let [scrape_interval, scrape_timeout] = spec.pace.texts();
        ActiveTarget {
            discovered_labels: map(&spec.discovered),
            labels: map(&spec.labels),
            scrape_pool: job.name.clone(),
            scrape_url: spec.url.clone(),
            global_url: spec.url.clone(),
            last_error: health.error.unwrap_or_default(),
            last_scrape: iso(health.time_ms),
            last_scrape_duration: health.took.as_secs_f64(),
            health: match health.is_up {
                None => "unknown",
                Some(true) => "up",
                Some(false) => "down",
            },
            scrape_interval,
            scrape_timeout,
        }
    };
    state.running.iter().map(one).collect()
}

fn map(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}

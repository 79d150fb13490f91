//! Metrics that scripts leave in a folder: every `*.prom` file in it is a page in Prometheus' text
//! format, read again and again.
//!
//! A file counts as a whole or not at all, so writers put a finished file in place by renaming it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use barograph_model::{Clock, Labels, METRIC_NAME, chain};
use barograph_wire::text::Format;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_mutex::stdsync::Mutex;

use crate::ingest::{Door, Ingest, Source, TooManySamples};
use crate::page::{PageLimits, Reading, Seen, Stored, put};

/// Where to look, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextfileSettings {
    /// Nothing: there is no such folder.
    pub folder: Option<PathBuf>,
    pub interval: Duration,
}

impl Default for TextfileSettings {
    fn default() -> Self {
        Self { folder: None, interval: Duration::from_secs(15) }
    }
}

/// Reads the folder until it is stopped.
#[derive(Debug)]
pub struct Textfiles {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    problems: Arc<Mutex<BTreeMap<PathBuf, String>>>,
}

/// What is known between two passes.
#[derive(Debug, Default)]
struct Known {
    files: BTreeMap<PathBuf, Seen>,
}

struct Reader {
    folder: PathBuf,
    host: String,
    source: Arc<Source>,
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
    problems: Arc<Mutex<BTreeMap<PathBuf, String>>>,
}

const MAX_FILES: usize = 1000;
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

impl Textfiles {
    /// Must be called where tokio runs.
    pub fn start(
        settings: &TextfileSettings,
        host: &str,
        ingest: &Arc<Ingest>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let problems = Arc::default();
        let task = settings.folder.clone().map(|folder| {
            let reader = Reader {
                source: ingest.source(Door::Textfile, &folder.display().to_string()),
                folder,
                host: host.to_owned(),
                ingest: Arc::clone(ingest),
                clock: Arc::clone(clock),
                problems: Arc::clone(&problems),
            };
            tokio::spawn(Arc::new(reader).run(settings.interval, stopping))
        });
        Self { stop, task: Mutex::new(task), problems }
    }

    /// Files that cannot be used now, each with its reason.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.iter().map(|(path, problem)| format!("{}: {problem}", path.display())).collect()
    }

    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("reading text files panicked");
        }
    }
}

impl Reader {
    async fn run(self: Arc<Self>, interval: Duration, mut stopping: watch::Receiver<bool>) {
        let known = Arc::new(Mutex::new(Known::default()));
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        loop {
            let time_ms = self.clock.now_ms() / interval_ms * interval_ms;
            let (reader, known) = (Arc::clone(&self), Arc::clone(&known));
            let gather = move |intake: &mut crate::ingest::Intake<'_>| {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                for sample in reader.read(&mut known) {
                    put(intake, &sample, time_ms)?;
                }
                Ok::<_, TooManySamples>(())
            };
            if let Err(error) = self.ingest.write(Arc::clone(&self.source), gather).await {
                tracing::warn!(error = chain(&error), "samples of text files not stored");
            }
            let wait_ms = interval_ms - self.clock.now_ms().rem_euclid(interval_ms);
            let wait = Duration::from_millis(wait_ms.unsigned_abs());
            if tokio::time::timeout(wait, stopping.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
        }
    }

    /// One pass over the folder.
    fn read(&self, known: &mut Known) -> Vec<Stored> {
        let mut samples = Vec::new();
        let mut problems = BTreeMap::new();
        let paths = match files(&self.folder) {
            Ok(paths) => paths,
            Err(problem) => {
                problems.insert(self.folder.clone(), problem);
                BTreeSet::new()
            }
        };
        known.files.retain(|path, seen| {
            let stays = paths.contains(path);
            if !stays {
                samples.extend(seen.end_all());
            }
            stays
        });
        for path in paths {
            let seen = known.files.entry(path.clone()).or_default();
            match self.read_file(&path, seen) {
                Ok(found) => samples.extend(found),
                Err(problem) => {
                    samples.extend(seen.end_all());
                    problems.insert(path.clone(), problem);
                }
            }
            samples.extend(self.about(&path, problems.contains_key(&path)));
        }
        self.tell(problems);
        samples
    }

    fn read_file(&self, path: &Path, seen: &mut Seen) -> Result<Vec<Stored>, String> {
        let shown = |error: std::io::Error| error.to_string();
        let bytes = fs::metadata(path).map_err(shown)?.len();
        if bytes > MAX_FILE_BYTES as u64 {
            return Err(format!("the file is larger than {MAX_FILE_BYTES} bytes"));
        }
        let text = fs::read(path).map_err(shown)?;
        let reading = Reading {
            honor_labels: true,
            honor_timestamps: true,
            limits: PageLimits { body_bytes: MAX_FILE_BYTES, ..PageLimits::default() },
            ..Reading::default()
        };
        let own = [("host".to_owned(), self.host.clone())];
        let page = seen
            .read(&text, Format::Prometheus, &reading, &own, self.ingest.infos())
            .map_err(|refused| chain(&refused.error))?;
        // The file says the same until it is written anew: a time in it would stand still.
        if page.samples.iter().any(|sample| sample.time_ms.is_some()) {
            return Err("samples in a text file may not have timestamps".to_owned());
        }
        Ok(page.samples)
    }

    /// When the file was written, and whether it can be read.
    fn about(&self, path: &Path, is_bad: bool) -> Vec<Stored> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let written = fs::metadata(path).and_then(|about| about.modified()).ok();
        let written = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let values = [
            ("textfile_mtime_seconds", written.map(|time| time.as_secs_f64())),
            ("textfile_error", Some(f64::from(u8::from(is_bad)))),
        ];
        let sample = |(name, value): (&str, Option<f64>)| {
            let labels = [(METRIC_NAME, name), ("file", &*file), ("host", &*self.host)];
            Some(Stored { labels: Labels::new(labels).ok()?, value: value?, time_ms: None })
        };
        values.into_iter().filter_map(sample).collect()
    }

    /// Logs what is wrong once, until it is something else.
    fn tell(&self, problems: BTreeMap<PathBuf, String>) {
        let mut known = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, problem) in &problems {
            if known.get(path) != Some(problem) {
                tracing::warn!(file = %path.display(), problem, "text file not used");
            }
        }
        *known = problems;
    }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let paths = entries.flatten().map(|entry| entry.path());
    let is_page = |path: &PathBuf| path.extension().is_some_and(|end| end == "prom");
    Ok(paths.filter(is_page).filter(|path| path.is_file()).take(MAX_FILES).collect())
}

#[cfg(test)]
mod tests {
    use barograph_model::{Matcher, SystemClock, is_stale};
    use barograph_store::{Limits, Settings, Store};

    use super::*;
    use crate::ingest::IngestSettings;

    fn values(store: &Store, metric: &str) -> Vec<(String, Vec<f64>)> {
        let matchers = [Matcher::equal(METRIC_NAME, metric)];
        let answer = store.select(&matchers, i64::MIN, i64::MAX, &Limits::default()).unwrap();
        answer.data.into_iter().map(|one| (one.labels.to_string(), one.values)).collect()
    }

    async fn wait_for(what: &str, mut ask: impl FnMut() -> bool) {
        let asking = async {
            while !ask() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let patience = Duration::from_secs(60);
        assert!(tokio::time::timeout(patience, asking).await.is_ok(), "no {what}");
    }

    #[tokio::test]
    async fn files_come_break_and_go() {
        let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = Arc::new(Store::open(Settings::new(data.path()), Arc::clone(&clock)).unwrap());
        let ingest = Ingest::new(Arc::clone(&store), Arc::clone(&clock), IngestSettings::default());
        let file = folder.path().join("backup.prom");
        fs::write(&file, "# TYPE backup_size_bytes gauge\nbackup_size_bytes{db=\"a\"} 7\n")
            .unwrap();
        fs::write(folder.path().join("stamped.prom"), "a 1 1395066363000\n").unwrap();
        fs::write(folder.path().join("other.txt"), "not for us").unwrap();
        let settings = TextfileSettings {
            folder: Some(folder.path().to_owned()),
            interval: Duration::from_secs(1),
        };
        let textfiles = Textfiles::start(&settings, "h1", &Arc::new(ingest), &clock);
        wait_for("sample", || !values(&store, "backup_size_bytes").is_empty()).await;
        let (labels, sizes) = values(&store, "backup_size_bytes").remove(0);
        assert_eq!(labels, "backup_size_bytes{db=\"a\",host=\"h1\"}");
        assert_eq!(sizes.first(), Some(&7.0));
        assert_eq!(values(&store, "textfile_mtime_seconds").len(), 2);
        wait_for("refusal", || textfiles.problems().len() == 1).await;
        assert!(textfiles.problems()[0].ends_with("may not have timestamps"));
        assert!(values(&store, "a").is_empty());
        fs::write(&file, "backup_size_bytes{db=} 7\n").unwrap();
        wait_for("end", || {
            values(&store, "backup_size_bytes")[0].1.last().is_some_and(|last| is_stale(*last))
        })
        .await;
        let problems = textfiles.problems();
        assert!(problems[0].contains("line 1, byte 22: expected a label value"), "{problems:?}");
        textfiles.stop().await;
    }
}

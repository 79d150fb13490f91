//! Does what was approved: one thing at a time, each at most once.
//!
//! That something is started is on disk before it is started. If the program ends meanwhile, nobody
//! does it again: a person is told that its end is unknown.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use barograph_alerts::remediation::Order;
use barograph_model::{Clock, chain};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_mutex::stdsync::Mutex;

use crate::alerting::{Alerting, Job};
use crate::check::{Ended, Program, RunProgram};
use crate::processes::Processes;

/// Works until it is closed.
#[derive(Debug)]
pub struct Remedy {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Restarts a service of this host within a time, and says what was done or why it was not.
pub type RestartService =
    Arc<dyn Fn(String, Duration) -> BoxFuture<Result<String, String>> + Send + Sync>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How things are done on this system; who knows the system gives it.
#[derive(Clone)]
pub struct Hands {
    pub run: RunProgram,
    /// Without it `systemctl` is run.
    pub restart_service: Option<RestartService>,
}

struct Worker {
    alerting: Arc<Alerting>,
    processes: Arc<Processes>,
    hands: Hands,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hands").finish_non_exhaustive()
    }
}

impl Remedy {
    pub fn start(alerting: &Arc<Alerting>, processes: &Arc<Processes>, hands: Hands) -> Self {
        let (alerting, processes) = (Arc::clone(alerting), Arc::clone(processes));
        let clock = Arc::clone(alerting.clock());
        let worker = Arc::new(Worker { alerting, processes, hands, clock });
        let (stop, mut stopping) = watch::channel(false);
        let task = tokio::spawn(async move {
            while !is_stopped_before(worker.alerting.job_waits(), &mut stopping).await {
                work(&worker).await;
            }
        });
        Self { stop, task: Mutex::new(Some(task)) }
    }

    /// Lets what is under way end; it has a deadline of its own.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("the task that mends had panicked");
        }
    }
}

/// Waits for something, unless the end comes first.
async fn is_stopped_before(
    something: impl Future<Output = ()>,
    stopping: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        () = something => false,
        _ = stopping.wait_for(|stop| *stop) => true,
    }
}

async fn work(worker: &Arc<Worker>) {
    let asking = Arc::clone(worker);
    let next = tokio::task::spawn_blocking(move || asking.alerting.next_job()).await;
    let job = match next {
        Ok(Ok(Some(job))) => job,
        Ok(Err(error)) => {
            tracing::error!(error = %chain(&error), "nothing is mended: it cannot be written down");
            return;
        }
        Ok(Ok(None)) | Err(_) => return,
    };
    tracing::info!(id = job.id, order = %job.order, "mending");
    let outcome = worker.perform(&job).await;
    if let Err(why) = &outcome {
        tracing::warn!(id = job.id, why, "mending failed");
    }
    let telling = Arc::clone(worker);
    let told = tokio::task::spawn_blocking(move || telling.alerting.job_done(&job.id, outcome));
    if told.await.is_err() {
        tracing::error!("what was mended was not written down");
    }
}

impl Worker {
    async fn perform(&self, job: &Job) -> Result<String, String> {
        match &job.order {
            Order::Run(argv) => self.program(job, argv.clone()).await,
            Order::RestartService(name) => {
                if let Some(restart) = &self.hands.restart_service {
                    return restart(name.clone(), job.timeout).await;
                }
                let argv = ["systemctl", "restart", "--", name].map(str::to_owned).to_vec();
                self.program(job, argv).await
            }
            Order::EndProcess(name) => self.end_processes(job, name).await,
            Order::FreeSpace { folders, older_than_ms } => {
                let folders = folders.clone();
                let before_ms = self.clock.now_ms().saturating_sub(*older_than_ms);
                let freed = tokio::task::spawn_blocking(move || free(&folders, before_ms));
                freed.await.map_err(|_| "it could not be done; the log tells why".to_owned())?
            }
        }
    }

    async fn end_processes(&self, job: &Job, name: &str) -> Result<String, String> {
        const MAX: usize = 50;
        let snapshot = self.processes.now().ok_or("no list of processes yet")?;
        let named = snapshot.processes.iter().filter(|it| it.facts.name == name);
        // Never itself, and never the first process.
        let own = std::process::id();
        let pids: Vec<u32> =
            named.map(|it| it.id.pid).filter(|pid| *pid > 1 && *pid != own).collect();
        if pids.is_empty() {
            return Err(format!("no process is called {name}"));
        }
        if pids.len() > MAX {
            return Err(format!(
                "{} processes are called {name}, at most {MAX} are ended",
                pids.len()
            ));
        }
        let mut argv: Vec<String> = if std::env::consts::OS == "windows" {
            pids.iter().flat_map(|pid| ["/PID".to_owned(), pid.to_string()]).collect()
        } else {
            pids.iter().map(u32::to_string).collect()
        };
        let program = if std::env::consts::OS == "windows" { "taskkill" } else { "kill" };
        argv.insert(0, program.to_owned());
        self.program(job, argv).await.map(|said| format!("{} ended; {said}", pids.len()))
    }

    async fn program(&self, job: &Job, argv: Vec<String>) -> Result<String, String> {
        let program = Program {
            argv,
            user: job.user.clone(),
            timeout: job.timeout,
            max_output_bytes: job.output_bytes,
            with_stderr: true,
        };
        match (self.hands.run)(program).await {
            Ended::Exit { code: 0, printed } => Ok(plain(&printed)),
            Ended::Exit { code, printed } => Err(format!("exit code {code}: {}", plain(&printed))),
            Ended::Killed => Err("it was ended by a signal".to_owned()),
            Ended::TimedOut => Err(format!("it took longer than {} s", job.timeout.as_secs())),
            Ended::NotStarted(why) => Err(why),
        }
    }
}

/// Foreign output that steers nothing.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// Removes files that were changed longer ago. Links are not followed, folders stay.
fn free(folders: &[String], before_ms: i64) -> Result<String, String> {
    let before = Duration::from_millis(u64::try_from(before_ms).unwrap_or_default());
    let (mut files, mut bytes) = (0_u64, 0_u64);
    let mut problems = Vec::new();
    for folder in folders {
        sweep(Path::new(folder), before, 0, &mut |length| {
            files += 1;
            bytes += length;
        })
        .unwrap_or_else(|problem| problems.push(problem));
    }
    let freed = format!("{files} files with {bytes} bytes removed");
    if problems.is_empty() { Ok(freed) } else { Err(format!("{freed}; {}", problems.join("; "))) }
}

fn sweep(
    folder: &Path,
    before: Duration,
    depth: usize,
    removed: &mut dyn FnMut(u64),
) -> Result<(), String> {
    const MAX_DEPTH: usize = 32;
    let shown = folder.display();
    let failed = |error: std::io::Error| format!("{shown}: {error}");
    // The folder itself may be a link that its owner made; what lies in it may not.
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        if metadata.is_dir() && depth < MAX_DEPTH {
            sweep(&entry.path(), before, depth + 1, removed)?;
        }
        let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let is_old = changed.is_some_and(|it| it < before);
        if metadata.is_file() && is_old {
            std::fs::remove_file(entry.path()).map_err(failed)?;
            removed(metadata.len());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use barograph_model::SystemClock;

    use super::*;

    #[test]
    fn only_old_files_of_the_folder_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let now = Duration::from_millis(SystemClock::new().now_ms().unsigned_abs());
        let long_ago = UNIX_EPOCH + now - Duration::from_secs(7200);
        for (path, is_old) in [
            (folder.path().join("old"), true),
            (folder.path().join("new"), false),
            (inner.join("old"), true),
        ] {
            fs::write(&path, b"12345").unwrap();
            if is_old {
                File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
            }
        }
        let folders = [folder.path().display().to_string()];
        let before_ms = SystemClock::new().now_ms() - 3_600_000;
        let freed = free(&folders, before_ms).unwrap();
        assert_eq!(freed, "2 files with 10 bytes removed");
        assert!(folder.path().join("new").exists() && inner.exists());
        let gone = folder.path().join("gone").display().to_string();
        assert!(free(&[gone], before_ms).unwrap_err().starts_with("0 files"));
    }
}

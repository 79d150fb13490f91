//! How full a file system is, asked so that one that never answers delays nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use barograph_model::{Clock, SystemClock};

use crate::Error;
use crate::parse::statvfs::Space;

type Answer = Result<Option<Space>, Error>;

/// What became of a question.
#[derive(Debug)]
pub(super) enum Asked {
    Answered(Answer),
    /// No answer has come yet: the device, or the program behind the file system, hangs.
    Hangs,
}

/// Asks on a thread. A thread that hangs is left alone with its file system until it comes back,
/// and the next one asks the others.
#[derive(Debug)]
pub(super) struct SpaceAsker {
    /// Mount points are relative to this folder.
    root: PathBuf,
    clock: Arc<dyn Clock>,
    idle: Option<Worker>,
    hanging: Vec<(String, Worker)>,
    /// Until when the questions of this reading are waited for, monotonic.
    until: Duration,
}

#[derive(Debug)]
struct Worker {
    questions: Sender<String>,
    answers: Receiver<Answer>,
}

impl SpaceAsker {
    /// For all questions of a reading together; well within what a collector may take.
    const PATIENCE: Duration = Duration::from_millis(250);
    /// Each holds a thread for as long as it hangs.
    const MAX_HANGING: usize = 16;

    pub(super) fn new(root: PathBuf) -> Self {
        let clock = Arc::new(SystemClock::new());
        Self { root, clock, idle: None, hanging: Vec::new(), until: Duration::ZERO }
    }

    /// Starts a reading.
    pub(super) fn begin(&mut self) {
        self.until = self.clock.monotonic() + Self::PATIENCE;
    }

    pub(super) fn ask(&mut self, mount_point: &str) -> Asked {
        if let Some(at) = self.hanging.iter().position(|(known, _)| known == mount_point) {
            match self.hanging[at].1.answers.try_recv() {
                Err(TryRecvError::Empty) => return Asked::Hangs,
                // It answers again: the old answer is that of an old moment.
                Ok(_) => self.idle = Some(self.hanging.swap_remove(at).1),
                Err(TryRecvError::Disconnected) => drop(self.hanging.swap_remove(at)),
            }
        }
        if self.hanging.len() >= Self::MAX_HANGING {
            return Asked::Hangs;
        }
        let worker = match self.idle.take().map_or_else(|| Worker::start(&self.root), Ok) {
            Ok(worker) => worker,
            Err(error) => return Asked::Answered(Err(error)),
        };
        // A worker that has ended is noticed at the answer.
        let _sent = worker.questions.send(mount_point.to_owned());
        let patience = self.until.saturating_sub(self.clock.monotonic());
        match worker.answers.recv_timeout(patience.max(Duration::from_millis(1))) {
            Ok(answer) => {
                self.idle = Some(worker);
                Asked::Answered(answer)
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(mount_point, "file system hangs, the others go on without it");
                self.hanging.push((mount_point.to_owned(), worker));
                Asked::Hangs
            }
            Err(RecvTimeoutError::Disconnected) => Asked::Hangs,
        }
    }
}

impl Worker {
    /// Ends when nobody asks any more.
    fn start(root: &Path) -> Result<Self, Error> {
        let (questions, asked) = channel::<String>();
        let (reply, answers) = channel();
        let root = root.to_owned();
        thread::Builder::new()
            .name("barograph-space".into())
            .spawn(move || {
                while let Ok(mount_point) = asked.recv() {
                    if reply.send(space(&root, &mount_point)).is_err() {
                        break;
                    }
                }
            })
            .map_err(|source| Error::Call {
                call: "spawn",
                object: "thread barograph-space".into(),
                source,
            })?;
        Ok(Self { questions, answers })
    }
}

/// Nothing for what is no folder (containers mount single files) or has no size. Comes back when
/// the file system answers.
pub(super) fn space(root: &Path, mount_point: &str) -> Answer {
    let path = root.join(mount_point.trim_start_matches('/'));
    let is_folder =
        fs::metadata(&path).map_err(|source| Error::Read { path: path.clone(), source })?.is_dir();
    let answer = rustix::fs::statvfs(&path).map_err(|errno| Error::Call {
        call: "statvfs",
        object: path.display().to_string(),
        source: errno.into(),
    })?;
    Ok((is_folder && answer.f_blocks > 0).then(|| Space {
        mount_point: mount_point.to_owned(),
        block_bytes: answer.f_frsize,
        blocks: answer.f_blocks,
        free_blocks: answer.f_bfree,
        available_blocks: answer.f_bavail,
        files: (answer.f_files > 0).then_some([answer.f_files, answer.f_ffree]),
        is_read_only: Some(answer.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY)),
    }))
}

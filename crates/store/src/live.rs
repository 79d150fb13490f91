//! The live file of a partition: what is written to. Its newest samples are in the head, the
//! older ones in blocks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::Labels;
use rusqlite::{Connection, ErrorCode, params};
use tracing_mutex::stdsync::{Mutex, RwLock};

use crate::blocks::Blocks;
use crate::codec::batch::{Chain, Frame, Sorter};
use crate::codec::bytes::Decoded;
use crate::codec::names;
use crate::columns::{self, Columns};
use crate::db::{Database, Meta, Table, is_corruption};
use crate::error::{AppendError, OpenError};
use crate::head::Head;
use crate::index::Index;
use crate::load::{Contents, Lost};
use crate::partition::Facts;
use crate::registry::{Registry, SeriesRef};
use crate::sequence::{self, SequenceFile};
use crate::settings::Settings;
use crate::span::Span;
use crate::sync::{lock, read, write};

/// Samples of one time, by process-wide series: as many values as series.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    pub series: Vec<SeriesRef>,
    pub values: Vec<f64>,
}

/// Samples that a commit left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Refused {
    /// Their series would have been too many.
    pub(crate) too_many: u64,
    /// Their ids are not valid any more.
    pub(crate) expired: u64,
    /// The samples of their time have expired.
    pub(crate) too_old: u64,
}

/// Why a commit did not happen.
#[derive(Debug)]
pub(crate) struct CommitError {
    pub(crate) error: AppendError,
    /// The file is damaged; another try needs another file.
    pub(crate) damaged: bool,
}

/// What only the one who writes needs.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` after an error that leaves the file's state unclear, until it is opened again.
    pub(crate) connection: Option<Connection>,
    /// Process-wide id to local id plus one.
    local_of: Vec<u32>,
    next_seq: i64,
    sequence: SequenceFile,
    /// What the next batch may refer to.
    pub(crate) chain: Chain,
    sorter: Sorter,
}

/// What readers see; changed in single steps.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) meta: Meta,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) head: Head,
    /// The part of the head that is being sealed.
    pub(crate) frozen: Option<Arc<Frozen>>,
    pub(crate) next_seq: i64,
    /// Of the batches in the head.
    pub(crate) batch_bytes: u64,
    /// When the oldest batch in the head was committed.
    pub(crate) head_since: Option<Duration>,
    pub(crate) last_commit: Duration,
}

#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) head: Head,
    /// Batches below this are in it.
    pub(crate) through_seq: i64,
}

#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) span: Span,
    pub(crate) database: Database,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) index: RwLock<Index>,
    pub(crate) state: RwLock<State>,
    /// Held while sealing.
    pub(crate) sealing: Mutex<()>,
    /// What opening found to be lost.
    pub(crate) lost: Lost,
}

/// What opening a live file needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) registry: &'a RwLock<Registry>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) now: Duration,
}

impl Live {
    /// Opens the file, makes it when there is none, and rebuilds the head.
    pub(crate) fn open(path: PathBuf, span: Span, opening: Opening<'_>) -> Result<Self, OpenError> {
        let database = Database::new(path);
        let (connection, meta) = database.writer(span, opening.max_bytes)?;
        let failed = |source| OpenError::Database { path: database.path.clone(), source };
        let mut contents = clean_up(&connection, &meta)
            .and_then(|()| Contents::read(&connection, meta))
            .map_err(failed)?;
        contents.expect(sequence::read(&database.path, meta.uuid));
        let sequence = SequenceFile::open(&database.path, meta.uuid);
        let Contents { index, blocks, head, next_seq, batch_bytes, lost, .. } = contents;
        let mut local_of = Vec::new();
        let mut registry = write(opening.registry);
        for (local, labels) in index.iter() {
            if let Ok(id) = registry.resolve(labels, usize::MAX) {
                let id = id.index as usize;
                local_of.resize(local_of.len().max(id + 1), 0);
                local_of[id] = local + 1;
            }
        }
        drop(registry);
        let head_since = (!head.is_empty()).then_some(opening.now);
        Ok(Self {
            span,
            database,
            max_bytes: opening.max_bytes,
            writer: Mutex::new(Writer {
                connection: Some(connection),
                local_of,
                next_seq,
                sequence,
                chain: Chain::default(),
                sorter: Sorter::default(),
            }),
            index: RwLock::new(index),
            state: RwLock::new(State {
                meta,
                blocks: Arc::new(blocks),
                head,
                frozen: None,
                next_seq,
                batch_bytes,
                head_since,
                last_commit: opening.now,
            }),
            sealing: Mutex::new(()),
            lost,
        })
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.database.path
    }

    /// Whether there are samples that are not sealed.
    pub(crate) fn has_head(&self) -> bool {
        let state = read(&self.state);
        !state.head.is_empty() || state.frozen.is_some()
    }

    /// How long nothing was written.
    pub(crate) fn quiet(&self, now: Duration) -> Duration {
        now.saturating_sub(read(&self.state).last_commit)
    }

    pub(crate) fn head_bytes(&self) -> usize {
        let state = read(&self.state);
        state.head.bytes + state.frozen.as_ref().map_or(0, |frozen| frozen.head.bytes)
    }

    /// Whether the head is large or old enough.
    pub(crate) fn wants_sealing(&self, settings: &Settings, now: Duration) -> bool {
        let state = read(&self.state);
        let series = state.head.n_series() as u64;
        let large = settings.seal_bytes + series * Settings::SEAL_SERIES_BYTES;
        let age = now.saturating_sub(state.head_since.unwrap_or(now));
        let has_long_chunks = state.head.samples >= series * Settings::SEAL_SERIES_SAMPLES;
        state.frozen.is_some()
            || state.batch_bytes >= large
            || age >= settings.seal_after && has_long_chunks
            || age >= settings.seal_at_latest
    }

    pub(crate) fn facts(&self) -> Facts {
        let series = u64::from(read(&self.index).len());
        let state = read(&self.state);
        let heads = [Some(&state.head), state.frozen.as_ref().map(|frozen| &frozen.head)];
        let head_samples = heads.into_iter().flatten().map(|head| head.samples).sum();
        let sealed = (state.meta.samples > 0).then_some(state.meta.range_ms);
        let ranges =
            sealed.into_iter().chain(heads.into_iter().flatten().filter_map(|head| head.range_ms));
        Facts {
            samples: head_samples + state.meta.samples,
            head_samples,
            series,
            range_ms: ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
            bytes: self.database.bytes(),
            uuid: None,
        }
    }

    /// Marks the process-wide ids that it has samples of.
    pub(crate) fn mark_series(&self, in_use: &mut Vec<bool>) {
        let writer = lock(&self.writer);
        in_use.resize(in_use.len().max(writer.local_of.len()), false);
        for (in_use, local) in in_use.iter_mut().zip(&writer.local_of) {
            *in_use |= *local > 0;
        }
    }

    /// Replaces `newest` by what the head has of a series in a range, and hands out the rest of
    /// the same moment: the blocks, and the part of the head that is being sealed.
    pub(crate) fn read_head(
        &self,
        series: u32,
        range_ms: (i64, i64),
        newest: &mut Columns,
    ) -> (Arc<Blocks>, Option<Arc<Frozen>>, Decoded<()>) {
        columns::clear(newest);
        let state = read(&self.state);
        let read = state.head.read(series, range_ms, newest);
        if read.is_err() {
            columns::clear(newest);
        }
        (Arc::clone(&state.blocks), state.frozen.clone(), read)
    }

    /// Makes rows durable in one transaction, then visible. For each of the rows, returns how
    /// many samples were refused.
    pub(crate) fn commit(
        &self,
        rows: &[Rows],
        registry: &RwLock<Registry>,
        max_series: usize,
        now: Duration,
    ) -> Result<Vec<Refused>, CommitError> {
        let mut guard = lock(&self.writer);
        let writer = &mut *guard;
        let mut draft = Draft::new(read(&self.index).len(), max_series);
        let Writer { local_of, sorter, .. } = writer;
        let frames = draft.frames(rows, local_of, sorter, &read(registry));
        if frames.is_empty() {
            return Ok(draft.refused);
        }
        let bytes = match self.write(writer, &frames, &draft) {
            Ok(bytes) => bytes,
            Err(error) => {
                writer.chain.end();
                for (id, _) in &draft.new {
                    writer.local_of[id.index as usize] = 0;
                }
                return Err(self.write_error(writer, &error));
            }
        };
        writer.next_seq += 1;
        let next_seq = writer.next_seq;
        writer.sequence.note(next_seq);
        let refused = draft.refused;
        if !draft.new.is_empty() {
            let mut index = write(&self.index);
            for (_, labels) in draft.new {
                index.push(labels);
            }
        }
        let mut state = write(&self.state);
        state.next_seq = writer.next_seq;
        state.batch_bytes += bytes;
        state.head_since.get_or_insert(now);
        state.last_commit = now;
        for frame in &frames {
            // Only a column that pco refuses can fail here, and it takes all numbers; the samples
            // are on disk in any case.
            state.head.push_all(&frame.series, frame.time_ms, &frame.values);
        }
        Ok(refused)
    }

    fn write(
        &self,
        writer: &mut Writer,
        frames: &[Frame],
        draft: &Draft,
    ) -> Result<u64, rusqlite::Error> {
        let meta = read(&self.state).meta;
        let seq = writer.next_seq;
        let n_series = draft.first_new + draft.len();
        let data = writer.chain.encode(frames, n_series, seq, meta.seed(Table::Batch, seq));
        let connection = self.connection(writer)?;
        let put_batch = |connection: &Connection| {
            connection
                .prepare_cached("INSERT INTO batch (seq, data) VALUES (?1, ?2)")?
                .execute(params![seq, data])
        };
        if draft.new.is_empty() {
            // A statement alone is a transaction, and a cheaper one.
            put_batch(connection)?;
            return Ok(data.len() as u64);
        }
        let transaction = connection.transaction()?;
        let labels: Vec<Labels> = draft.new.iter().map(|(_, labels)| labels.clone()).collect();
        let seed = meta.seed(Table::Series, i64::from(draft.first_new));
        transaction
            .prepare_cached("INSERT INTO series (first, data) VALUES (?1, ?2)")?
            .execute(params![draft.first_new, names::encode(&labels, seed)])?;
        put_batch(&transaction)?;
        transaction.commit()?;
        Ok(data.len() as u64)
    }

    /// The writer's connection, opened again after an error.
    pub(crate) fn connection<'a>(
        &self,
        writer: &'a mut Writer,
    ) -> Result<&'a mut Connection, rusqlite::Error> {
        if writer.connection.is_none() {
            let (connection, _) =
                self.database.writer(self.span, self.max_bytes).map_err(|error| match error {
                    OpenError::Database { source, .. } => source,
                    _ => rusqlite::Error::InvalidQuery,
                })?;
            // A commit that was reported as failed may have reached the disk all the same. Its
            // rows must not come back later under samples that were acknowledged since.
            connection.execute("DELETE FROM batch WHERE seq >= ?1", [writer.next_seq])?;
            connection
                .execute("DELETE FROM series WHERE first >= ?1", [read(&self.index).len()])?;
            writer.connection = Some(connection);
        }
        writer.connection.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }

    /// Takes the journal into the file and closes it; `false` if that fails.
    pub(crate) fn end_journal(&mut self) -> bool {
        self.database.close_idle();
        let mut writer = lock(&self.writer);
        let ended = self
            .connection(&mut writer)
            .and_then(|connection| connection.pragma_update(None, "journal_mode", "DELETE"));
        writer.connection = None;
        ended.is_ok()
    }

    fn write_error(&self, writer: &mut Writer, error: &rusqlite::Error) -> CommitError {
        let path = self.path().display().to_string();
        if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            return CommitError { error: AppendError::DiskFull { path }, damaged: false };
        }
        writer.connection = None;
        let error_text = error.to_string();
        CommitError {
            error: AppendError::Write { path, problem: error_text },
            damaged: is_corruption(error),
        }
    }
}

/// Removes what an interrupted sealing left over. Damage in the way is found by reading.
fn clean_up(connection: &Connection, meta: &Meta) -> rusqlite::Result<()> {
    let leftovers = [
        ("DELETE FROM batch WHERE seq < ?1", meta.sealed_seq),
        ("DELETE FROM block WHERE id >= ?1", i64::from(meta.blocks)),
    ];
    for (query, limit) in leftovers {
        match connection.execute(query, [limit]) {
            Err(error) if !is_corruption(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// New series of one commit, before they are certain.
#[derive(Debug)]
struct Draft {
    first_new: u32,
    max_series: usize,
    new: Vec<(SeriesRef, Labels)>,
    /// For each of the rows.
    refused: Vec<Refused>,
}

impl Draft {
    fn new(first_new: u32, max_series: usize) -> Self {
        Self { first_new, max_series, new: Vec::new(), refused: Vec::new() }
    }

    #[expect(clippy::cast_possible_truncation, reason = "series have u32 ids")]
    fn len(&self) -> u32 {
        self.new.len() as u32
    }

    /// Translates rows into frames of local ids.
    fn frames(
        &mut self,
        rows: &[Rows],
        local_of: &mut Vec<u32>,
        sorter: &mut Sorter,
        registry: &Registry,
    ) -> Vec<Frame> {
        let mut frames = Vec::with_capacity(rows.len());
        for rows in rows {
            let mut frame = Frame { time_ms: rows.time_ms, ..Frame::default() };
            let mut refused = Refused::default();
            frame.series.reserve(rows.series.len());
            frame.values.reserve(rows.series.len());
            for (id, value) in rows.series.iter().zip(&rows.values) {
                // Also where the local id is known: the id may be another series' by now.
                let Some(labels) = registry.labels(*id) else {
                    refused.expired += 1;
                    continue;
                };
                let Some(local) = self.local(*id, labels, local_of) else {
                    refused.too_many += 1;
                    continue;
                };
                frame.series.push(local);
                frame.values.push(*value);
            }
            self.refused.push(refused);
            frame.normalise(sorter);
            frames.push(frame);
        }
        frames.retain(|frame| !frame.series.is_empty());
        frames
    }

    fn local(&mut self, id: SeriesRef, labels: &Labels, local_of: &mut Vec<u32>) -> Option<u32> {
        let index = id.index as usize;
        if let Some(known) = local_of.get(index).filter(|local| **local > 0) {
            return Some(known - 1);
        }
        let local = self.first_new.checked_add(self.len())?;
        if local as usize >= self.max_series {
            return None;
        }
        if index >= local_of.len() {
            local_of.resize(index + 1, 0);
        }
        local_of[index] = local + 1;
        self.new.push((id, labels.clone()));
        Some(local)
    }
}

#[cfg(test)]
mod tests;

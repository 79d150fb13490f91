//! What is still to be sent, on disk: records in segment files.
//!
//! A record is `length u32, crc32c u32, samples u32, newest time i64`, little-endian, and the bytes;
//! the checksum covers all that follows it. An append that returned is on disk. What a torn or
//! damaged record hides of its segment is given up and counted; later segments are read on.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use tracing_mutex::stdsync::{Mutex, MutexGuard};

/// A place in the spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: u64,
    pub(super) age_ms: i64,
}

#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    bounds: Bounds,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    segments: VecDeque<Segment>,
    /// The last segment, when it can be written on.
    file: Option<File>,
    next: u64,
    /// Samples that were given up unsent.
    lost: u64,
    damaged: u64,
    /// Where the sender is: what lies before it was sent.
    sent: Position,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    bytes: u64,
    samples: u64,
    newest_ms: i64,
}

/// Records one after the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) records: Vec<Vec<u8>>,
    pub(super) samples: u64,
    pub(super) newest_ms: i64,
    pub(super) end: Position,
}

/// What `/metrics` shows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpoolStats {
    pub(super) bytes: u64,
    pub(super) waiting_samples: u64,
    pub(super) lost: u64,
    pub(super) damaged: u64,
}

const HEAD: usize = 20;
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
pub(super) const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

impl Spool {
    /// # Errors
    /// The folder cannot be read or written.
    pub(super) fn open(folder: &Path, bounds: Bounds) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut numbers: Vec<u64> = fs::read_dir(folder)?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".seg")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let mut inner =
            Inner { next: numbers.last().map_or(1, |last| last + 1), ..Inner::default() };
        for number in numbers {
            let (segment, is_whole) = scan(&path(folder, number), number)?;
            inner.damaged += u64::from(!is_whole);
            inner.segments.push_back(segment);
        }
        Ok(Self { folder: folder.to_owned(), bounds, inner: Mutex::new(inner) })
    }

    /// Adds a record and waits for the disk.
    ///
    /// # Errors
    /// It is not on disk. The next record goes into a new segment.
    pub(super) fn append(
        &self,
        bytes: &[u8],
        samples: u32,
        newest_ms: i64,
        now_ms: i64,
    ) -> io::Result<()> {
        let mut inner = self.inner();
        let record = encode(bytes, samples, newest_ms)?;
        inner.give_up(&self.folder, self.bounds, record.len() as u64, now_ms)?;
        let is_full = inner.segments.back().is_some_and(|last| last.bytes >= SEGMENT_BYTES);
        if inner.file.is_none() || is_full {
            inner.begin(&self.folder)?;
        }
        let Some(mut file) = inner.file.take() else { return Ok(()) };
        file.write_all(&record)?;
        file.sync_data()?;
        inner.file = Some(file);
        if let Some(last) = inner.segments.back_mut() {
            last.bytes += record.len() as u64;
            last.samples += u64::from(samples);
            last.newest_ms = last.newest_ms.max(newest_ms);
        }
        Ok(())
    }

    /// The records from a place on: at least one if there is one, at most about `max_samples`, none
    /// that begins at `until` or after it.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub(super) fn read(
        &self,
        from: Position,
        max_samples: u64,
        until: Option<Position>,
    ) -> io::Result<Option<Found>> {
        let inner = self.inner();
        let mut found = Found { end: from, ..Found::default() };
        for segment in inner.segments.iter().filter(|one| one.number >= from.segment) {
            let offset = if segment.number == from.segment { from.offset } else { 0 };
            if offset >= segment.bytes {
                continue;
            }
            let mut file = File::open(path(&self.folder, segment.number))?;
            file.seek(SeekFrom::Start(offset))?;
            let mut at = Position { segment: segment.number, offset };
            while at.offset < segment.bytes
                && until.is_none_or(|until| at < until)
                && (found.records.is_empty() || found.samples < max_samples)
            {
                let Some((head, bytes)) = next_record(&mut file)? else {
                    // Damaged since it was written: the rest of the segment cannot be told apart.
                    at.offset = segment.bytes;
                    break;
                };
                at.offset += (HEAD + bytes.len()) as u64;
                found.samples += u64::from(head.samples);
                found.newest_ms = found.newest_ms.max(head.newest_ms);
                found.records.push(bytes);
            }
            found.end = found.end.max(at);
            if found.samples >= max_samples {
                break;
            }
        }
        Ok((!found.records.is_empty()).then_some(found))
    }

    /// Where the next record goes, unless it begins a new segment.
    pub(super) fn end(&self) -> Position {
        let inner = self.inner();
        let last = inner.segments.back();
        last.map_or_else(Position::default, |it| Position { segment: it.number, offset: it.bytes })
    }

    /// How much lies between two places; nothing if the second is not after the first.
    pub(super) fn bytes_between(&self, from: Position, to: Position) -> u64 {
        if to <= from {
            return 0;
        }
        let part = |one: &Segment| {
            let begin = if one.number == from.segment { from.offset } else { 0 };
            let end = if one.number == to.segment { to.offset } else { one.bytes };
            end.saturating_sub(begin)
        };
        let inner = self.inner();
        let meant = |one: &&Segment| (from.segment..=to.segment).contains(&one.number);
        inner.segments.iter().filter(meant).map(part).sum()
    }

    /// Everything before `position` was sent.
    pub(super) fn sent(&self, position: Position) {
        let mut inner = self.inner();
        inner.sent = inner.sent.max(position);
    }

    /// Nothing before `position` will be asked for again: segments before it are deleted.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub(super) fn forget_before(&self, position: Position) -> io::Result<()> {
        let mut inner = self.inner();
        while inner.segments.len() > 1
            && inner.segments.front().is_some_and(|first| first.number < position.segment)
        {
            if let Some(first) = inner.segments.pop_front() {
                fs::remove_file(path(&self.folder, first.number))?;
            }
        }
        Ok(())
    }

    pub(super) fn stats(&self) -> SpoolStats {
        let inner = self.inner();
        let waiting = inner.segments.iter().filter(|one| one.number >= inner.sent.segment);
        let waiting_samples = waiting
            .map(|one| {
                // In the segment that is being sent, by its share of bytes.
                let is_current = one.number == inner.sent.segment && one.bytes > 0;
                let sent = if is_current { inner.sent.offset } else { 0 };
                one.samples * one.bytes.saturating_sub(sent) / one.bytes.max(1)
            })
            .sum();
        SpoolStats {
            bytes: inner.segments.iter().map(|one| one.bytes).sum(),
            waiting_samples,
            lost: inner.lost,
            damaged: inner.damaged,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn begin(&mut self, folder: &Path) -> io::Result<()> {
        let number = self.next;
        let file = OpenOptions::new().create_new(true).append(true).open(path(folder, number))?;
        sync_folder(folder)?;
        self.next += 1;
        self.segments.push_back(Segment { number, bytes: 0, samples: 0, newest_ms: i64::MIN });
        self.file = Some(file);
        Ok(())
    }

    /// Makes room for `more` bytes, the oldest segments first.
    fn give_up(&mut self, folder: &Path, bounds: Bounds, more: u64, now_ms: i64) -> io::Result<()> {
        let mut total: u64 = self.segments.iter().map(|one| one.bytes).sum();
        while self.segments.len() > 1 {
            let Some(first) = self.segments.front() else { break };
            let is_old = first.newest_ms < now_ms.saturating_sub(bounds.age_ms);
            if !is_old && total + more <= bounds.bytes {
                break;
            }
            if first.number >= self.sent.segment {
                self.lost += first.samples;
            }
            total -= first.bytes;
            fs::remove_file(path(folder, first.number))?;
            self.segments.pop_front();
        }
        Ok(())
    }
}

struct Head {
    samples: u32,
    newest_ms: i64,
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}.seg"))
}

/// So that a new file's name survives a power cut. Systems that cannot do it need not.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

fn encode(bytes: &[u8], samples: u32, newest_ms: i64) -> io::Result<Vec<u8>> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|_| bytes.len() <= MAX_RECORD_BYTES)
        .ok_or_else(|| io::Error::other("a record is larger than 16 MiB"))?;
    let mut record = Vec::with_capacity(HEAD + bytes.len());
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(&samples.to_le_bytes());
    record.extend_from_slice(&newest_ms.to_le_bytes());
    record.extend_from_slice(bytes);
    let sum = crc32c::crc32c(record.get(8..).unwrap_or_default());
    if let Some(place) = record.get_mut(4..8) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    Ok(record)
}

/// Nothing at the end, or where the file is damaged.
fn next_record(file: &mut File) -> io::Result<Option<(Head, Vec<u8>)>> {
    let mut head = [0; HEAD];
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3, rest @ ..] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_RECORD_BYTES {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let sum = crc32c::crc32c_append(crc32c::crc32c(&rest), &bytes);
    if sum != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Ok(None);
    }
    let [s0, s1, s2, s3, time @ ..] = rest;
    let head =
        Head { samples: u32::from_le_bytes([s0, s1, s2, s3]), newest_ms: i64::from_le_bytes(time) };
    Ok(Some((head, bytes)))
}

/// What a segment holds up to its end or its first damage, and whether that is all.
fn scan(path: &Path, number: u64) -> io::Result<(Segment, bool)> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut segment = Segment { number, bytes: 0, samples: 0, newest_ms: i64::MIN };
    while let Some((head, bytes)) = next_record(&mut file)? {
        segment.bytes += (HEAD + bytes.len()) as u64;
        segment.samples += u64::from(head.samples);
        segment.newest_ms = segment.newest_ms.max(head.newest_ms);
    }
    let is_whole = segment.bytes == size;
    Ok((segment, is_whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1 << 30, age_ms: 1 << 40 };
    const START: Position = Position { segment: 0, offset: 0 };

    fn all(spool: &Spool, from: Position) -> Vec<Vec<u8>> {
        let (mut records, mut at) = (Vec::new(), from);
        while let Some(found) = spool.read(at, 2, None).unwrap() {
            assert!(found.end > at);
            at = found.end;
            records.extend(found.records);
        }
        records
    }

    #[test]
    fn records_are_there_after_a_restart_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), BOUNDS).unwrap();
        for number in 0..5_u8 {
            spool.append(&[number; 10], 1, 0, 0).unwrap();
        }
        drop(spool);
        let spool = Spool::open(folder.path(), BOUNDS).unwrap();
        spool.append(&[5; 10], 1, 0, 0).unwrap();
        let expected: Vec<_> = (0..6).map(|number| vec![number; 10]).collect();
        assert_eq!(all(&spool, START), expected);
        let until = spool.read(START, 3, None).unwrap().unwrap().end;
        assert_eq!(spool.read(START, 100, Some(until)).unwrap().unwrap().records, expected[..3]);
        assert_eq!(spool.read(until, 100, Some(until)).unwrap(), None);
    }

    #[test]
    fn a_torn_end_loses_that_record_only() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), BOUNDS).unwrap();
        for number in 0..3_u8 {
            spool.append(&[number; 10], 1, 0, 0).unwrap();
        }
        drop(spool);
        let segment = path(folder.path(), 1);
        let whole = fs::read(&segment).unwrap();
        for cut in 61..90 {
            fs::write(&segment, whole.get(..cut).unwrap()).unwrap();
            let spool = Spool::open(folder.path(), BOUNDS).unwrap();
            spool.append(&[9; 10], 1, 0, 0).unwrap();
            assert_eq!(all(&spool, START), [[0; 10], [1; 10], [9; 10]], "cut at {cut}");
            assert_eq!(spool.stats().damaged, 1);
            drop(spool);
            fs::remove_file(path(folder.path(), 2)).unwrap();
        }
    }

    #[test]
    fn a_flipped_bit_hides_no_later_segment() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..2_u8 {
            Spool::open(folder.path(), BOUNDS).unwrap().append(&[number; 10], 1, 0, 0).unwrap();
        }
        let segment = path(folder.path(), 1);
        let whole = fs::read(&segment).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&segment, damaged).unwrap();
            let spool = Spool::open(folder.path(), BOUNDS).unwrap();
            assert_eq!(all(&spool, START), [[1; 10]], "bit {bit}");
        }
    }

    #[test]
    fn the_oldest_goes_when_too_much_waits() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Bounds { bytes: 9 << 20, age_ms: 1000 }).unwrap();
        for number in 0..5_u8 {
            spool.append(&vec![number; 4 << 20], 10, 0, 0).unwrap();
        }
        assert_eq!(all(&spool, START).iter().map(|one| one[0]).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(spool.stats().lost, 30);
        spool.append(&[9; 10], 1, 5000, 5000).unwrap();
        assert_eq!(spool.stats().lost, 40, "what is too old, but for the segment being written");
        spool.forget_before(Position { segment: 6, offset: 0 }).unwrap();
        assert_eq!(all(&spool, START).len(), 1);
    }
}

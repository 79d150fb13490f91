//! A connection over which D-Bus methods are called, on a bus or straight to the one who answers.
//!
//! Our own and not a library's: three methods are called, by one thread, that waits; libraries
//! for D-Bus bring an executor with threads of its own and some thirty packages for that.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::parse::dbus::{Call, Incoming, START_BYTES, Value, decode, message_length};

/// Signed in, and ready for calls.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    path: PathBuf,
    /// Others than the one who answers listen, too.
    is_bus: bool,
    serial: u32,
}

/// What came of one call: the answer, or what the other side says against it.
pub(super) type Answer = Result<Vec<Value>, Refusal>;

/// An error that a method answers with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refusal {
    pub(super) name: String,
    text: String,
}

impl Refusal {
    /// The method is newer than the one who was asked.
    pub(super) fn is_unknown_method(&self) -> bool {
        self.name == "org.freedesktop.DBus.Error.UnknownMethod"
    }
}

impl Connection {
    /// Longer than any answer takes, shorter than anybody waits.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// Calls under way at once; more might fill the socket in both directions.
    const MAX_UNDER_WAY: usize = 64;

    /// Connects to a socket and signs in as the user that this process runs as.
    ///
    /// # Errors
    /// [`Error::Call`] if nobody listens, or refuses.
    pub(super) fn open(path: &Path, is_bus: bool) -> Result<Self, Error> {
        let failed = |call: &'static str| {
            move |source| Error::Call { call, object: path.display().to_string(), source }
        };
        let mut stream = UnixStream::connect(path).map_err(failed("connect"))?;
        stream
            .set_read_timeout(Some(Self::PATIENCE))
            .and_then(|()| stream.set_write_timeout(Some(Self::PATIENCE)))
            .map_err(failed("setsockopt"))?;
        sign_in(&mut stream).map_err(failed("sign-in"))?;
        Ok(Self { stream, path: path.to_owned(), is_bus, serial: 0 })
    }

    /// Makes one call.
    pub(super) fn call(&mut self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut answers = self.call_all(std::slice::from_ref(call))?;
        answers.pop().ok_or_else(|| self.failed(io::ErrorKind::UnexpectedEof.into()))
    }

    /// Makes many calls without waiting for each answer; as many answers, in the same order.
    ///
    /// # Errors
    /// [`Error::Call`] if the connection breaks, does not answer in time, or answers nonsense. It
    /// is of no use after that.
    pub(super) fn call_all(&mut self, calls: &[Call<'_>]) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls.chunks(Self::MAX_UNDER_WAY) {
            let first = self.serial.wrapping_add(1).max(1);
            let mut bytes = Vec::new();
            for (serial, call) in (first..).zip(calls) {
                let destination = call.destination.filter(|_| self.is_bus);
                bytes.extend(Call { destination, ..*call }.encode(serial));
                self.serial = serial;
            }
            self.stream.write_all(&bytes).map_err(|source| self.failed(source))?;
            let mut slots: Vec<Option<Answer>> = vec![None; calls.len()];
            let mut left = calls.len();
            while left > 0 {
                let incoming = self.receive().map_err(|source| self.failed(source))?;
                let index = incoming.answers.and_then(|serial| serial.checked_sub(first));
                let slot = index.and_then(|index| slots.get_mut(usize::try_from(index).ok()?));
                // Signals, and answers to what was given up, are passed over.
                if let Some(slot @ None) = slot {
                    *slot = Some(answer(incoming));
                    left -= 1;
                }
            }
            answers.extend(slots.into_iter().flatten());
        }
        Ok(answers)
    }

    fn receive(&mut self) -> io::Result<Incoming> {
        let broken = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut start = [0; START_BYTES];
        self.stream.read_exact(&mut start)?;
        let length = message_length(&start).map_err(broken)?;
        let mut message = start.to_vec();
        message.resize(length, 0);
        self.stream.read_exact(&mut message[START_BYTES..])?;
        decode(&message).map_err(broken)
    }

    pub(super) fn failed(&self, source: io::Error) -> Error {
        Error::Call { call: "D-Bus", object: self.path.display().to_string(), source }
    }
}

fn answer(incoming: Incoming) -> Answer {
    match &incoming.error {
        None => Ok(incoming.body),
        Some(name) => Err(Refusal { name: name.clone(), text: incoming.to_string() }),
    }
}

/// The kernel tells the other side who we are; it wants the user's number said all the same.
fn sign_in(stream: &mut UnixStream) -> io::Result<()> {
    let user = fs::metadata("/proc/self")?.uid().to_string();
    // In hexadecimal digits; a decimal digit's code is 3 and itself.
    let hex: String = user.chars().flat_map(|digit| ['3', digit]).collect();
    // Said at once: systemd overlooks a call that comes together with a `BEGIN` of its own, until
    // something more comes.
    stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        const MAX_LINE_BYTES: usize = 512;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        answer.extend(byte);
        if answer.len() > MAX_LINE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is no line"));
        }
    }
    if !answer.starts_with(b"OK ") {
        let answer = String::from_utf8_lossy(answer.trim_ascii()).into_owned();
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, answer));
    }
    Ok(())
}

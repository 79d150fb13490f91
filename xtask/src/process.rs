//! The one place where xtask starts other programs, and says what it started when one fails.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::place;

/// A program to be started in the checkout's top folder.
#[expect(clippy::disallowed_methods, reason = "xtask is made of other programs; Barograph is not")]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(place::root());
    command
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The file that `program` stands for in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .flat_map(|folder| {
            endings.iter().map(move |ending| folder.join(format!("{program}{ending}")))
        })
        .find(|file| file.is_file())
}

/// Runs to the end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns what was written to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", shown(command), output.status, complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the program can be started and ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program said while it ran.
#[derive(Debug)]
pub(crate) struct Heard {
    /// It ended with exit code 0.
    pub success: bool,
    /// Both its output streams, line by line as they came.
    pub text: String,
}

/// Output that comes later than this after the one before, and after the end, is not waited for.
const SILENCE: Duration = Duration::from_millis(200);

/// Runs to the end, passing output on while keeping it.
pub(crate) fn listen(command: &mut Command) -> Result<Heard> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let (sender, lines) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as _),
        child.stderr.take().map(|stream| Box::new(stream) as _),
    ];
    for stream in streams.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || pass_on(stream, &sender));
    }
    drop(sender);
    let waiting = thread::spawn(move || child.wait());

    let mut text = String::new();
    let mut keep = |line: String| {
        text.push_str(line.trim_end_matches('\r'));
        text.push('\n');
        // A reader that went away (`| head`) is no reason to lose the count of tests.
        drop(writeln!(std::io::stdout(), "{line}"));
    };
    // What the program has started in the background may hold its streams open for ever, so their
    // end is not waited for.
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => keep(line),
            Err(RecvTimeoutError::Timeout) if !waiting.is_finished() => {}
            Err(_) => break,
        }
    }
    let status = waiting.join().map_err(|_| anyhow!("the thread that waits has panicked"))?;
    let status = status.with_context(|| format!("lost track of {}", shown(command)))?;
    Ok(Heard { success: status.success(), text })
}

fn pass_on(from: impl Read, to: &mpsc::Sender<String>) {
    for line in BufReader::new(from).split(b'\n') {
        let Ok(line) = line else { return };
        if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

/// The command line, for messages.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_and_the_end_are_heard() {
        let mut rustc = command("rustc");
        rustc.args(["--version", "--no-such-flag"]);
        let heard = listen(&mut rustc).unwrap();
        assert!(!heard.success);
        assert!(heard.text.contains("no-such-flag"), "{}", heard.text);
    }

    #[test]
    #[cfg(unix)]
    fn a_program_left_in_the_background_is_not_waited_for() {
        let mut shell = command("sh");
        shell.args(["-c", "sleep 60 & echo $!; exit 3"]);
        let heard = listen(&mut shell).unwrap();
        let left = heard.text.trim();
        assert!(!heard.success);
        assert!(succeeds(command("kill").arg(left)), "{left} has ended: it was waited for");
    }

    #[test]
    fn a_failure_names_the_command_line_and_the_complaint() {
        let error = read(command("rustc").arg("--no-such-flag")).unwrap_err().to_string();
        assert!(error.contains("`rustc --no-such-flag`"), "{error}");
        assert!(error.contains("Unrecognized option"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = run(&mut command("barograph-no-such-program")).unwrap_err().to_string();
        assert_eq!(error, "cannot start `barograph-no-such-program`");
        assert_eq!(find("barograph-no-such-program"), None);
    }
}

//! Programs that the machine's owner allows: argv, no shell, no longer than a deadline.

use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::failure::{Failure, Receipt, said};

/// What is kept of what a program says; it may say more, and nobody hears it.
const MAX_OUTPUT_BYTES: u64 = 4096;

/// A program to be run by its name in the list of those that are allowed.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Run {
    /// Its end comes with that of the future: whoever drops it ends the program.
    pub(crate) async fn run(&self, argv: &[String]) -> Result<Receipt, Failure> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(Failure::permanent(format!("the command `{}` has no program", self.name)));
        };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().stdin(Stdio::piped());
        for kept in KEPT {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            Failure::unreached(format!("the command `{}` does not start: {error}", self.name))
        })?;
        let (input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let give = async {
            if let Some(mut input) = input {
                // A program may not care for its input.
                let given = input.write_all(&self.input).await;
                drop(given);
            }
        };
        let (status, (), output, errors) =
            tokio::join!(child.wait(), give, heard(output), heard(errors));
        let status = status.map_err(|error| Failure::passing(error.to_string()))?;
        if status.success() {
            return Ok(Receipt { text: said(&output) });
        }
        let said = said(if errors.trim().is_empty() { &output } else { &errors });
        Err(Failure::passing(format!("the command `{}` ended with {status}: {said}", self.name)))
    }

    pub(crate) fn shown(&self) -> String {
        let variables = self.variables.iter().map(|(name, value)| format!("{name}={value:?}"));
        let lines: Vec<String> = variables.collect();
        let input = String::from_utf8_lossy(&self.input);
        format!("run {}\n{}\n\n{input}", self.name, lines.join("\n"))
    }
}

/// Variables without which programs do not start, on some systems.
static KEPT: &[&str] = &["PATH", "SystemRoot", "TEMP", "TMPDIR", "LANG"];

/// The beginning of what is said, while all of it is read.
async fn heard(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut kept = Vec::new();
    let read = (&mut from).take(MAX_OUTPUT_BYTES).read_to_end(&mut kept).await;
    if read.is_ok() {
        let rest = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
        drop(rest);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

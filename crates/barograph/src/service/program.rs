//! Runs the programs of checks: the one place of Barograph that starts other programs.

use std::process::Stdio;

use barograph_server::{Ended, Program, RunProgram};
use tokio::io::{AsyncRead, AsyncReadExt as _, copy, sink};
use tokio::process::{Child, Command};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Runs programs as the server's checks want them run.
pub(crate) fn runner() -> RunProgram {
    std::sync::Arc::new(|program| Box::pin(run(program)))
}

async fn run(program: Program) -> Ended {
    let mut child = match start(&program) {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(error),
    };
    // Dropped at the deadline, or when the server stops: it takes the whole group with it.
    let group = system::Group::of(&child);
    let most = program.max_output_bytes;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let (mut printed, complaints) = tokio::try_join!(read(stdout, most), read(stderr, most))?;
        printed.extend(complaints);
        printed.truncate(most);
        let status = child.wait().await?;
        Ok::<_, std::io::Error>((status, printed))
    };
    match tokio::time::timeout(program.timeout, ended).await {
        Err(_) => Ended::TimedOut,
        Ok(Err(error)) => Ended::NotStarted(error.to_string()),
        Ok(Ok((status, printed))) => {
            group.has_ended();
            status.code().map_or(Ended::Killed, |code| Ended::Exit { code, printed })
        }
    }
}

/// What comes through a pipe, so much of it; the rest is thrown away.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(most as u64).read_to_end(&mut bytes).await?;
        copy(&mut pipe, &mut sink()).await?;
    }
    Ok(bytes)
}

/// With no input, and none of the server's own settings around it.
fn start(program: &Program) -> Result<Child, String> {
    let (name, arguments) = program.argv.split_first().ok_or("there is no program to run")?;
    #[expect(
        clippy::disallowed_methods,
        reason = "checks are programs, listed in the configuration"
    )]
    let mut command = std::process::Command::new(name);
    let stderr = if program.with_stderr { Stdio::piped() } else { Stdio::null() };
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    system::prepare(&mut command, program.user.as_deref())?;
    let mut command = Command::from(command);
    command.kill_on_drop(true).spawn().map_err(|error| format!("`{name}`: {error}"))
}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use rustix::process::{Pid, Signal, kill_process_group};
    use tokio::process::Child;

    /// A child and all that it started, as long as they do not leave the group.
    pub(super) struct Group(Option<Pid>);

    impl Group {
        pub(super) fn of(child: &Child) -> Self {
            let number = child.id().and_then(|id| i32::try_from(id).ok());
            Self(number.and_then(Pid::from_raw))
        }

        pub(super) fn has_ended(mut self) {
            self.0 = None;
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            if let Some(group) = self.0.take() {
                // It may have ended by itself just now.
                kill_process_group(group, Signal::KILL).unwrap_or_default();
            }
        }
    }

    pub(super) fn prepare(command: &mut Command, user: Option<&str>) -> Result<(), String> {
        const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8").process_group(0);
        if let Some(user) = user {
            let text = std::fs::read_to_string("/etc/passwd")
                .map_err(|error| format!("/etc/passwd: {error}"))?;
            let (uid, gid) = numbers(&text, user)
                .ok_or_else(|| format!("`user` is `{user}`, who is not in /etc/passwd"))?;
            command.uid(uid).gid(gid);
        }
        Ok(())
    }

    fn numbers(passwd: &str, user: &str) -> Option<(u32, u32)> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    #[cfg(test)]
    mod tests {
        use std::time::Duration;

        use barograph_server::{Ended, Program};

        fn shell(script: &str) -> Program {
            Program {
                argv: ["/bin/sh", "-c", script].map(str::to_owned).into(),
                user: None,
                timeout: Duration::from_secs(20),
                max_output_bytes: 10,
                with_stderr: false,
            }
        }

        #[tokio::test]
        async fn code_and_bounded_output_are_told() {
            let ended = super::super::run(shell("echo 0123456789abcdef; exit 2")).await;
            assert_eq!(ended, Ended::Exit { code: 2, printed: b"0123456789".into() });
            assert_eq!(super::super::run(shell("kill -9 $$")).await, Ended::Killed);
            let absent = Program { argv: vec!["/no/such".into()], ..shell("") };
            let Ended::NotStarted(why) = super::super::run(absent).await else { panic!() };
            assert!(why.starts_with("`/no/such`: "), "{why}");
        }

        #[tokio::test]
        async fn complaints_are_told_where_they_are_wanted() {
            let complaining = shell("echo no >&2; echo yes; exit 1");
            let told = async |with_stderr| {
                super::super::run(Program { with_stderr, ..complaining.clone() }).await
            };
            assert_eq!(told(false).await, Ended::Exit { code: 1, printed: b"yes\n".into() });
            assert_eq!(told(true).await, Ended::Exit { code: 1, printed: b"yes\nno\n".into() });
        }

        #[tokio::test]
        async fn the_deadline_ends_what_a_program_started() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("pid");
            let script = format!("sleep 600 & echo $! > {}; wait", file.display());
            let program = Program { timeout: Duration::from_secs(2), ..shell(&script) };
            assert_eq!(super::super::run(program).await, Ended::TimedOut);
            let pid: u32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
            let state = || {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
                stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
            };
            let gone = async {
                while state().is_some_and(|state| state != 'Z') {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok());
        }

        #[tokio::test]
        async fn a_program_runs_as_its_user_with_a_clean_environment() {
            let who = "echo $(id -u) $BAROGRAPH_DATA $HOME";
            let program = Program { max_output_bytes: 100, ..shell(who) };
            let own = rustix::process::geteuid().as_raw().to_string();
            let ended = super::super::run(program.clone()).await;
            assert_eq!(ended, Ended::Exit { code: 0, printed: format!("{own}\n").into() });
            if own == "0" {
                let nobody = Program { user: Some("nobody".into()), ..program.clone() };
                let ended = super::super::run(nobody).await;
                assert_eq!(ended, Ended::Exit { code: 0, printed: b"65534\n".into() });
            }
            let stranger = Program { user: Some("no-such-user".into()), ..program };
            let Ended::NotStarted(why) = super::super::run(stranger).await else { panic!() };
            assert_eq!(why, "`user` is `no-such-user`, who is not in /etc/passwd");
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::process::Command;

    use tokio::process::Child;

    /// The child alone ends at its deadline: it is killed when it is dropped.
    pub(super) struct Group;

    impl Group {
        pub(super) fn of(_: &Child) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "other systems have something to let go")]
        pub(super) fn has_ended(self) {}
    }

    pub(super) fn prepare(_: &mut Command, user: Option<&str>) -> Result<(), String> {
        match user {
            None => Ok(()),
            Some(_) => Err("`user` is not possible on Windows".to_owned()),
        }
    }
}

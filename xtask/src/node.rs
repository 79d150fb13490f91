//! Node, which builds and tests the page.

use anyhow::{Context, Result, bail};

use crate::process;

/// The oldest release that the page's build tools support.
const OLDEST: (u32, u32) = (20, 19);

pub(crate) const ADVICE: &str = "Node 20.19 or newer is needed to build the page: install it from nodejs.org or your system's packages, so that `node` and `npm` are in PATH";

/// An error that says what is wrong with this machine's Node, if something is.
pub(crate) fn check() -> Result<()> {
    if process::find("npm").is_none() {
        bail!("no `npm` in PATH. {ADVICE}");
    }
    let said = process::read(process::command("node").arg("--version"))
        .with_context(|| format!("no usable `node` in PATH. {ADVICE}"))?;
    judge(said.trim())
}

fn judge(said: &str) -> Result<()> {
    let version = parse(said).with_context(|| format!("`node --version` says `{said}`"))?;
    if version < OLDEST {
        bail!("this machine has Node {said}. {ADVICE}");
    }
    Ok(())
}

fn parse(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_and_newer_releases_pass() {
        for said in ["v20.19.0", "v20.20.2", "v22.0.1", "v100.1.0-nightly"] {
            assert!(judge(said).is_ok(), "{said}");
        }
    }

    #[test]
    fn an_older_release_is_named_with_what_is_needed() {
        let error = judge("v18.20.4").unwrap_err().to_string();
        assert!(error.starts_with("this machine has Node v18.20.4."), "{error}");
        assert!(error.contains("20.19"), "{error}");
        assert!(judge("v20.18.9").is_err());
    }

    #[test]
    fn an_answer_that_is_no_version_is_quoted() {
        let error = judge("hello").unwrap_err().to_string();
        assert_eq!(error, "`node --version` says `hello`");
    }
}

//! Links in messages by which somebody acknowledges an incident once, without signing in.
//!
//! A link holds what it is for and a signature; nothing is kept of it until it is used.

use std::sync::Arc;

use barograph_model::Clock;
use barograph_state::{State, StateError, View};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PURPOSE: &str = "acknowledge";
/// Links that were used, by what they hold, until they expire.
const USED: &str = "used-links";
const LASTS_MS: i64 = 24 * 3_600_000;
const SIGNATURE_BYTES: usize = 16;
const MAX_CHARS: usize = 1000;

/// Makes and reads links.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) state: Arc<State>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where people reach this server.
    pub(crate) external_url: String,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// 0: it answers a test of a pager.
    pub(crate) incident: u64,
    pub(crate) expires_ms: i64,
    /// Who got it.
    pub(crate) who: String,
    /// Tells links apart.
    key: String,
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("this link is not complete, or was not made here")]
    Forged,
    #[error("this link has expired")]
    Expired,
    #[error("this link was used already")]
    Used,
    #[error("it cannot be looked up whether this link was used")]
    State(#[from] StateError),
}

impl Links {
    /// A link for whoever gets a message; of incident 0 for a test of their pager.
    pub(crate) fn acknowledge(&self, incident: u64, message: &str, who: &str) -> String {
        let expires_ms = self.clock.now_ms().saturating_add(LASTS_MS);
        let told = format!("{:08x}", crc32c::crc32c(message.as_bytes()));
        let content = format!("{incident}~{expires_ms}~{told}~{who}");
        let signature = self.state.sign(PURPOSE, &content);
        let signature = signature.get(..SIGNATURE_BYTES).unwrap_or_default();
        let encoded = URL_SAFE_NO_PAD.encode(&content);
        let signature = URL_SAFE_NO_PAD.encode(signature);
        format!("{}/acknowledge/{encoded}.{signature}", self.external_url.trim_end_matches('/'))
    }

    /// What a link is for, if it may still be used.
    ///
    /// # Errors
    /// It was not made here, has expired or was used.
    pub(crate) fn read(&self, token: &str) -> Result<Link, LinkError> {
        let link = self.parse(token).ok_or(LinkError::Forged)?;
        if link.expires_ms <= self.clock.now_ms() {
            return Err(LinkError::Expired);
        }
        self.state.read(|view| link.check_unused(view))?;
        Ok(link)
    }

    fn parse(&self, token: &str) -> Option<Link> {
        if token.len() > MAX_CHARS {
            return None;
        }
        let (content, signature) = token.split_once('.')?;
        let content = String::from_utf8(URL_SAFE_NO_PAD.decode(content).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // A part of the signature is sent, so that links stay short; it is compared in whole.
        let whole = self.state.sign(PURPOSE, &content);
        let (sent, rest) = whole.split_at_checked(SIGNATURE_BYTES)?;
        let mut offered = signature.clone();
        offered.extend_from_slice(rest);
        if signature.len() != sent.len() || !self.state.is_signed(PURPOSE, &content, &offered) {
            return None;
        }
        let mut parts = content.splitn(4, '~');
        let incident = parts.next()?.parse().ok()?;
        let expires_ms = parts.next()?.parse().ok()?;
        let told = parts.next()?.to_owned();
        let who = parts.next()?.to_owned();
        let key = format!("{incident}~{expires_ms}~{told}~{:08x}", crc32c::crc32c(who.as_bytes()));
        Some(Link { incident, expires_ms, who, key })
    }
}

impl Link {
    pub(crate) fn check_unused(&self, view: &View<'_>) -> Result<(), LinkError> {
        match view.entry(USED, &self.key)? {
            Some(_) => Err(LinkError::Used),
            None => Ok(()),
        }
    }

    /// Uses the link up, together with what it is used for.
    ///
    /// # Errors
    /// It was used, or the database cannot be written.
    pub(crate) fn use_up(&self, change: &mut barograph_state::Change<'_>) -> Result<(), LinkError> {
        self.check_unused(change)?;
        let now_ms = change.now_ms();
        for (key, expires_ms) in change.entries(USED)?.items {
            let expires_ms = String::from_utf8(expires_ms).ok().and_then(|it| it.parse().ok());
            if expires_ms.is_none_or(|it: i64| it <= now_ms) {
                change.remove_entry(USED, &key)?;
            }
        }
        change.set_entry(USED, &self.key, self.expires_ms.to_string().as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use barograph_testkit::FakeClock;

    use super::*;

    fn links() -> (tempfile::TempDir, Arc<FakeClock>, Links) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::new(1_700_000_000_000));
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let state = Arc::new(State::open(folder.path(), Arc::clone(&shared)).unwrap());
        let external_url = "http://127.0.0.1:7575/".to_owned();
        (folder, clock, Links { state, clock: shared, external_url })
    }

    fn token(links: &Links) -> String {
        let link = links.acknowledge(7, "7/0/1/0/mail/anna", "anna");
        link.strip_prefix("http://127.0.0.1:7575/acknowledge/").unwrap().to_owned()
    }

    #[test]
    fn a_link_is_used_once() {
        let (_folder, _clock, links) = links();
        let token = token(&links);
        let link = links.read(&token).unwrap();
        assert_eq!((link.incident, link.who.as_str()), (7, "anna"));
        links.state.write(|change| link.use_up(change)).unwrap();
        assert!(matches!(links.read(&token), Err(LinkError::Used)));
        let again = links.state.write(|change| link.use_up(change));
        assert!(matches!(again, Err(LinkError::Used)));
    }

    #[test]
    fn a_link_expires() {
        let (_folder, clock, links) = links();
        let token = token(&links);
        clock.advance(Duration::from_secs(86_400));
        assert!(matches!(links.read(&token), Err(LinkError::Expired)));
    }

    #[test]
    fn a_changed_link_is_refused() {
        let (_folder, _clock, links) = links();
        let token = token(&links);
        let content = URL_SAFE_NO_PAD.encode("8~9999999999999~00000000~anna");
        let signature = token.split_once('.').unwrap().1;
        let others = [format!("{content}.{signature}"), content, String::new(), "a.b".to_owned()];
        for other in others {
            assert!(matches!(links.read(&other), Err(LinkError::Forged)), "{other}");
        }
        for cut in 0..token.len() {
            let part: String = token.chars().take(cut).collect();
            assert!(matches!(links.read(&part), Err(LinkError::Forged)), "{cut}");
        }
    }
}

//! Sends.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError};

use barograph_fetch::{Network, Reach};
use barograph_model::Clock;
use tracing_mutex::stdsync::Mutex;

use crate::carry::own_log::SystemLog;
use crate::carry::{Parcel, http};
use crate::channel::{Channel, Telling};
use crate::failure::{Failure, Receipt};
use crate::notification::Notification;
use crate::secret::{FindSecret, Secrets};

/// What the machine's owner allows channels, whoever writes them.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Internal addresses that channels may connect to.
    pub internal_networks: Vec<Network>,
}

/// What of this machine channels may use.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Programs that may be run, by name: each with its arguments.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Where the syslog of the system is, if there is one.
    pub system_log: Option<Arc<dyn SystemLog>>,
    /// The event log, on systems that have one.
    pub event_log: Option<Arc<dyn SystemLog>>,
}

/// Delivers notifications by channels.
pub struct Notifier {
    reach: Reach,
    internal_networks: Vec<Network>,
    machine: Machine,
    secrets: FindSecret,
    clock: Arc<dyn Clock>,
    /// Which receivers of which notifications have theirs, while others of the same one fail.
    delivered: Mutex<VecDeque<(String, String)>>,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Notifier {
    /// Receivers that are remembered; the oldest are forgotten first, and told twice at worst.
    const MAX_DELIVERED: usize = 4096;

    pub fn new(setup: Setup, secrets: FindSecret, clock: Arc<dyn Clock>) -> Self {
        let Setup { internal_networks } = setup;
        let reach = Reach::Public { and: internal_networks.clone() };
        let delivered = Mutex::default();
        let machine = Machine::default();
        Self { reach, internal_networks, machine, secrets, clock, delivered }
    }

    /// Lets channels use this machine; without it they may not.
    #[must_use]
    pub fn on(self, machine: Machine) -> Self {
        Self { machine, ..self }
    }

    /// Delivers a notification to all receivers of a channel. After a failure it can be called
    /// again with the same notification: receivers that have it do not get it twice, unless the
    /// program was started anew meanwhile.
    ///
    /// # Errors
    /// Some receiver does not have it.
    pub async fn deliver(
        &self,
        channel: &Channel,
        notification: &Notification,
    ) -> Result<Receipt, Failure> {
        let mut receipts = Vec::new();
        let (parcels, secrets) = self.compose(channel, notification)?;
        let (mut failures, mut has_some) = (Vec::new(), false);
        for parcel in parcels {
            let key = format!("{}\u{0}{}", channel.name(), parcel.receiver());
            if self.has(&notification.id, &key) {
                has_some = true;
                continue;
            }
            let sending = self.carry(channel, &parcel);
            let outcome = tokio::time::timeout(channel.timeout(), sending).await;
            let outcome = outcome.unwrap_or_else(|_| {
                let seconds = channel.timeout().as_secs();
                Err(Failure::passing(format!("no answer within {seconds} s")))
            });
            match outcome {
                Ok(receipt) => {
                    self.remember(&notification.id, key);
                    has_some = true;
                    receipts.push(scrub(&secrets, &receipt.text));
                }
                Err(failure) => {
                    let text = scrub(&secrets, &failure.text);
                    failures.push((parcel.receiver().to_owned(), Failure { text, ..failure }));
                }
            }
        }
        if failures.is_empty() {
            receipts.retain(|it| !it.is_empty());
            return Ok(Receipt { text: receipts.join("; ") });
        }
        let failure = together(&failures);
        Err(Failure { untaken: failure.untaken && !has_some, ..failure })
    }

    /// Not a part of `deliver`: what opens secrets must not be held while waiting.
    fn compose(
        &self,
        channel: &Channel,
        notification: &Notification,
    ) -> Result<(Vec<Parcel>, Vec<String>), Failure> {
        let secrets = Secrets::new(Arc::clone(&self.secrets));
        let now_ms = self.clock.now_ms();
        let telling = Telling { channel, notification, secrets: &secrets, now_ms };
        let parcels = channel.way().compose(&telling)?;
        if parcels.is_empty() {
            return Err(Failure::permanent("the channel has nobody to tell"));
        }
        Ok((parcels, secrets.opened()))
    }

    async fn carry(&self, channel: &Channel, parcel: &Parcel) -> Result<Receipt, Failure> {
        match parcel {
            Parcel::Http(call) => {
                let answer = http::send(call, &self.reach).await?;
                channel.way().judge(&answer)
            }
            Parcel::Mail(letter) => letter.send(&self.internal_networks).await,
            Parcel::Log(entry) => entry.write(&self.reach).await,
            Parcel::OwnLog(own) => own.write(&self.machine).await,
            Parcel::Run(run) => match self.machine.commands.get(&run.name) {
                Some(argv) => run.run(argv).await,
                None => Err(Failure::permanent(format!(
                    "the machine's owner allows no command `{}`: [notify.commands] has none",
                    run.name
                ))),
            },
        }
    }

    fn has(&self, id: &str, receiver: &str) -> bool {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.iter().any(|(known, to)| known == id && to == receiver)
    }

    fn remember(&self, id: &str, receiver: String) {
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        if delivered.len() >= Self::MAX_DELIVERED {
            delivered.pop_front();
        }
        delivered.push_back((id.to_owned(), receiver));
    }
}

fn scrub(secrets: &[String], text: &str) -> String {
    crate::secret::scrub(secrets, text)
}

/// One failure of several: worth another try if one of them is.
fn together(failures: &[(String, Failure)]) -> Failure {
    let permanent = failures.iter().all(|(_, it)| it.permanent);
    let untaken = failures.iter().all(|(_, it)| it.untaken);
    let retry_after = failures.iter().filter_map(|(_, it)| it.retry_after).max();
    let text = match failures {
        [(_, only)] => only.text.clone(),
        several => {
            let texts = several.iter().map(|(to, it)| format!("{to}: {}", it.text));
            texts.collect::<Vec<_>>().join("; ")
        }
    };
    Failure {
        permanent,
        untaken,
        retry_after,
        text: crate::text::cut(&text, Failure::MAX_CHARS * 2),
    }
}

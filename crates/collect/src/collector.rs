//! What a source of samples is.

use std::time::Duration;

use barograph_model::Desc;

use crate::Error;

/// One source of samples.
pub trait Collector: Send {
    /// A short name for people and for the status page: `disk`.
    fn name(&self) -> &'static str;

    /// Everything that [`Collector::collect`] may emit; the metric reference is made from it.
    fn descs(&self) -> &'static [&'static Desc];

    /// How often the source deserves to be read. The runner never reads it more often.
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Whether a reading waits for a device. These run last, so that the others are not late.
    fn may_block(&self) -> bool {
        false
    }

    /// Whether it is to be read at every tick as long as possible, while collecting takes more
    /// processor time than it may: what people look at first when a machine is in trouble.
    fn is_essential(&self) -> bool {
        false
    }

    /// Reads the machine once. May block: the runner watches the time, catches panics, and times
    /// and counts each run.
    ///
    /// # Errors
    /// [`Error::Absent`] switches the collector off quietly, until it is tried again five minutes
    /// later; any other error is counted, logged, and tried again at the next tick. Samples pushed before it are kept.
    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error>;
}

/// Takes samples.
pub trait Sink {
    /// One sample. `values` are those of `desc.labels`, in that order; labels at the end can be
    /// left out, and then the sample does not have them.
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64);

    /// One sample of what this system may lack: nothing if it is absent.
    fn push_some(&mut self, desc: &'static Desc, values: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.push(desc, values, value);
        }
    }
}

//! Volumes with a drive letter, by the counters that the driver keeps for each.

use super::disk::{DiskCounters, some};
use super::drive;
use crate::Error;
use crate::readings::Volume;
use crate::roots::Roots;
use crate::rows::Rows;

const WHAT: &str = "disk counters of volumes";

/// Asks the driver of each fixed drive.
#[derive(Debug)]
pub(crate) struct VolumeReader {
    volumes: Rows<Volume>,
    /// By letter.
    drives: [DiskCounters; 26],
}

impl VolumeReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { volumes: Rows::default(), drives: Default::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&Rows<Volume>, Error> {
        self.volumes.clear();
        let mut refusal = None;
        for letter in drive::fixed_letters()? {
            let Some(place) = (letter as usize).checked_sub('A' as usize) else { continue };
            let Some(counters) = self.drives.get_mut(place) else { continue };
            match counters.read(&format!(r"\\.\{letter}:")) {
                Some(Ok(device)) => {
                    let volume = self.volumes.add();
                    volume.mount_point = format!("{letter}:");
                    volume.device = device;
                }
                Some(Err(error)) => refusal = Some(error),
                None => {}
            }
        }
        some(&self.volumes, refusal, WHAT, "no fixed drive can be opened")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::windows::wine::under_wine;

    #[test]
    fn volumes_are_counted_by_letter_or_said_to_be_absent() {
        let mut reader = VolumeReader::new(&Roots::default());
        match reader.read() {
            Ok(volumes) => {
                let names: Vec<_> = volumes.iter().map(|it| it.mount_point.as_str()).collect();
                assert!(names.contains(&"C:"), "{names:?}");
                assert!(volumes.iter().all(|it| it.device.read_seconds >= 0.0), "{volumes:?}");
            }
            Err(error) => assert!(error.is_absent() && under_wine(), "{error}"),
        }
    }
}

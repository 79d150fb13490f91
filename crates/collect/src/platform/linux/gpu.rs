//! Graphics adapters.

use std::path::PathBuf;

use super::small_file::{number, numbered};
use crate::Error;
use crate::readings::Gpu;
use crate::roots::Roots;

/// Reads what drivers put into `/sys/class/drm`; AMD's does.
#[derive(Debug)]
pub(crate) struct GpuReader {
    folder: PathBuf,
    gpus: Vec<Gpu>,
}

impl GpuReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { folder: roots.sys.join("class/drm"), gpus: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Result<&[Gpu], Error> {
        self.gpus.clear();
        for card in numbered(&self.folder, "card") {
            let folder = self.folder.join(format!("card{card}/device"));
            let gpu = Gpu {
                name: format!("card{card}"),
                busy_percent: number(&folder.join("gpu_busy_percent")),
                memory_used_bytes: number(&folder.join("mem_info_vram_used")),
                memory_total_bytes: number(&folder.join("mem_info_vram_total")),
            };
            if gpu.busy_percent.is_some() || gpu.memory_used_bytes.is_some() {
                self.gpus.push(gpu);
            }
        }
        if self.gpus.is_empty() {
            return Err(Error::Absent {
                what: "graphics adapters",
                why: "no driver that tells in /sys; AMD's does".into(),
            });
        }
        Ok(&self.gpus)
    }
}

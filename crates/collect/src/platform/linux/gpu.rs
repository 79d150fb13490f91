//! Graphics adapters, and who works on them.

use std::path::PathBuf;

use super::drm_clients::DrmClients;
use super::small_file::{number, numbered};
use crate::Error;
use crate::readings::Gpu;
use crate::readings::Graphics;
use crate::roots::Roots;

/// Reads what drivers put into `/sys/class/drm`, as AMD's does, and what they count for each
/// process.
#[derive(Debug)]
pub(crate) struct GpuReader {
    folder: PathBuf,
    clients: DrmClients,
    graphics: Graphics,
}

impl GpuReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            folder: roots.sys.join("class/drm"),
            clients: DrmClients::new(roots),
            graphics: Graphics::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&Graphics, Error> {
        let cards = numbered(&self.folder, "card");
        if cards.is_empty() {
            return Err(Error::Absent {
                what: "graphics adapters",
                why: "the kernel has no driver for one".into(),
            });
        }
        let Self { folder, clients, graphics } = self;
        graphics.gpus.clear();
        for card in &cards {
            let folder = folder.join(format!("card{card}/device"));
            let gpu = Gpu {
                name: format!("card{card}"),
                busy_percent: number(&folder.join("gpu_busy_percent")),
                memory_used_bytes: number(&folder.join("mem_info_vram_used")),
                memory_total_bytes: number(&folder.join("mem_info_vram_total")),
            };
            if gpu.busy_percent.is_some() || gpu.memory_used_bytes.is_some() {
                graphics.gpus.push(gpu);
            }
        }
        clients.read(&cards);
        graphics.engines = clients.engines().collect();
        graphics.programs = clients.programs().collect();
        Ok(graphics)
    }
}

//! Modules, semaphores, shared memory.

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::{ParseError, kernel_objects};
use crate::readings::KernelObjects;
use crate::roots::Roots;

/// Reads `/proc/modules` and `/proc/sysvipc`. Kernels are built without either.
#[derive(Debug)]
pub(crate) struct KernelObjectsReader {
    modules: KeptFile,
    semaphores: KeptFile,
    segments: KeptFile,
    objects: KernelObjects,
}

impl KernelObjectsReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let file = |name: &str| KeptFile::new(roots.proc.join(name));
        Self {
            modules: file("modules"),
            semaphores: file("sysvipc/sem"),
            segments: file("sysvipc/shm"),
            objects: KernelObjects::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&KernelObjects, Error> {
        self.objects = KernelObjects {
            module_bytes: some(&mut self.modules, kernel_objects::module_bytes)?,
            semaphores: some(&mut self.semaphores, kernel_objects::semaphores)?,
            shared_segments: some(&mut self.segments, |text| {
                Ok(kernel_objects::shared_segments(text))
            })?,
        };
        if self.objects == KernelObjects::default() {
            return Err(Error::Absent {
                what: "modules, semaphores and shared memory",
                why: "built without them, or hidden in this container".into(),
            });
        }
        Ok(&self.objects)
    }
}

fn some(
    file: &mut KeptFile,
    parse: impl FnOnce(&[u8]) -> Result<u64, ParseError>,
) -> Result<Option<u64>, Error> {
    match file.read_if_there("a list of the kernel", "", parse) {
        Err(error) if error.is_absent() => Ok(None),
        result => result.map(Some),
    }
}

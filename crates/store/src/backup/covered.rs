//! Which partitions of samples a copied file stands for.

use std::path::Path;

use crate::sealed::Sealed;
use crate::tiers::Tier;

/// How the paths of the partitions begin that a tier's file covers; nothing for other files. `copy`
/// is where it was copied to.
pub(super) fn covered(path: &str, copy: &Path) -> Vec<String> {
    let folder = path.split('/').next().unwrap_or_default();
    if Tier::ROLLED_UP.iter().all(|tier| tier.name() != folder) {
        return Vec::new();
    }
    // A damaged one covers nothing, as for who brings it back.
    let covers = Sealed::covers(copy.to_owned()).unwrap_or_default();
    let raw = Tier::Raw.name();
    covers.iter().map(|cover| format!("{raw}/{}", cover.span.name())).collect()
}

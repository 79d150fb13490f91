//! What a tier's file covers, told by the buckets in it: for one whose list of that is damaged.

use std::collections::BTreeSet;

use barograph_model::Buckets;

use super::Cover;
use crate::blocks::Damage;
use crate::buckets;
use crate::columns::ALL_TIMES;
use crate::load::Lost;
use crate::partition::Partition;
use crate::source::Readers;
use crate::span::Span;

/// No final form has it, so buckets that are covered so are made anew as long as there are samples.
const UNKNOWN: u64 = 0;

/// Nothing when there is other damage: then buckets may be missing, and nobody could tell of which
/// partitions.
pub(super) fn covers(partition: &Partition, raw_ms: i64) -> Option<Vec<Cover>> {
    let sources = partition.sources().sources;
    partition.forget();
    let [source] = &sources[..] else { return None };
    if source.lost() != Lost::default() {
        return None;
    }
    let mut readers = Readers::new(&sources);
    let (mut all, mut spans) = (Buckets::default(), BTreeSet::new());
    for (id, labels) in source.select(&[]) {
        buckets::clear(&mut all);
        if readers.read_buckets((0, id), &labels, ALL_TIMES, &mut all) != Damage::default() {
            return None;
        }
        spans.extend(all.last_times.iter().filter_map(|time| Span::holding(*time, raw_ms)));
    }
    Some(spans.into_iter().map(|span| Cover { span, uuid: UNKNOWN }).collect())
}

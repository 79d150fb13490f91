//! What metrics mean.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use barograph_model::Unit;

use super::error::Refused;
use super::params::Params;
use super::respond;
use super::text::push_json_string;
use crate::app::Context;

/// Type, help and unit of one metric.
type Meaning = (String, String, String);

pub(super) async fn metadata(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let limit = params.whole("limit", "limit must be a number")?;
    // There is never more than one meaning of a metric here.
    params.whole("limit_per_metric", "limit_per_metric must be a number")?;
    // Below zero is no limit; zero is one.
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let wanted = params.get("metric");
    let mut meanings: BTreeMap<String, Meaning> = context
        .ingest
        .infos()
        .all()
        .into_iter()
        .map(|(name, info)| (name, (info.kind.as_str().to_owned(), info.help, info.unit)))
        .collect();
    for desc in &context.descs {
        let unit = if desc.unit == Unit::Count { "" } else { desc.unit.as_str() };
        let meaning = (desc.kind.as_str().to_owned(), desc.help.to_owned(), unit.to_owned());
        meanings.insert(desc.name.to_owned(), meaning);
    }
    let mut data = String::from("{");
    let shown = meanings.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    for (place, (name, meaning)) in shown.take(limit).enumerate() {
        if place > 0 {
            data.push(',');
        }
        push_json_string(&mut data, name);
        data.push_str(":[{\"type\":");
        push_json_string(&mut data, &meaning.0);
        data.push_str(",\"help\":");
        push_json_string(&mut data, &meaning.1);
        data.push_str(",\"unit\":");
        push_json_string(&mut data, &meaning.2);
        data.push_str("}]");
    }
    data.push('}');
    Ok(respond::success(&data, &[], &[]))
}

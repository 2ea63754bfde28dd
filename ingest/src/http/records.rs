//! `PUT /streams/{stream}/records`: several messages, and what became of each.

use access::{Role, Signed, Visit, policy};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use store::{PublishError, Published};

use super::body::{Bounded, kind};
use super::error::{HttpError, answer, code};
use super::record::{Envelope, Put, parse};
use super::{Entry, stream_of};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Envelopes<'a> {
    #[serde(borrow)]
    records: Vec<Envelope<'a>>,
    // What AWS SDKs send along, and what means nothing here.
    #[serde(default, rename = "StreamName")]
    _stream_name: Option<serde::de::IgnoredAny>,
    #[serde(default, rename = "StreamARN")]
    _stream_arn: Option<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    failed_record_count: usize,
    records: Vec<Outcome>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Put(Put),
    #[serde(rename_all = "PascalCase")]
    Failed {
        error_code: &'static str,
        error_message: String,
    },
}

/// Puts several messages.
pub(super) async fn put_records(
    Signed(caller): Signed,
    visit: Visit,
    Extension(entry): Extension<Entry>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, HttpError> {
    policy::require(&caller, Role::Write).map_err(access::AuthError::from)?;
    let stream = stream_of(path)?;
    kind(&headers, false)?;
    let whole = Bounded::new(body, &headers, &entry)?.all().await?;
    let body = &whole.bytes;
    let expected = r#"{"Records": [{"Data": …, "PartitionKey": "…"}, …]}"#;
    let Envelopes { records, .. } = parse(body, expected)?;
    let (count, limit) = (records.len(), entry.limits.records_per_call);
    if count > limit {
        return Err(HttpError::bad_request(format!(
            "the call holds {count} records, and at most {limit} are accepted: send them in several calls"
        )));
    }
    let mut requests = Vec::with_capacity(count);
    // Those that can't be read have their answer already; the others get one from the log.
    let mut verdicts: Vec<Option<PublishError>> = Vec::with_capacity(count);
    for envelope in records {
        match envelope.request(&stream, body) {
            Ok(request) => {
                requests.push(request);
                verdicts.push(None);
            }
            Err(error) => verdicts.push(Some(error)),
        }
    }
    let bytes = requests.iter().map(|request| request.data.len()).sum();
    visit.rates().messages(&caller, requests.len(), bytes)?;
    let mut answers = entry.publish.publish(&caller, requests).await.into_iter();
    let none = || Err(PublishError::Unavailable("the log gave no answer".into()));
    let settle = |verdict: Option<PublishError>| match verdict {
        Some(error) => Err(error),
        None => answers.next().unwrap_or_else(none),
    };
    Ok(summary(verdicts.into_iter().map(settle).collect()))
}

fn summary(outcomes: Vec<Result<Published, PublishError>>) -> Response {
    let unavailable = |outcome: &Result<_, _>| matches!(outcome, Err(PublishError::Unavailable(_)));
    let all_unavailable = !outcomes.is_empty() && outcomes.iter().all(unavailable);
    let status = if all_unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let failed_record_count = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let outcome = |outcome| match outcome {
        Ok(published) => Outcome::Put(Put::from(published)),
        Err(error) => Outcome::Failed { error_code: code(&error), error_message: error.to_string() },
    };
    answer(status, Answer { failed_record_count, records: outcomes.into_iter().map(outcome).collect() })
}

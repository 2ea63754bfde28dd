//! The body of a request, bounded in size and in the time that it may take to come. What is wrong is said in the words of the
//! routes that messages come in by.

use std::time::Duration;

use access::{Bodies, Held};
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::error::{Code, GraphqlError};
use crate::settings::GatewaySettings;

/// A body that came whole, and its room in memory, which is held for as long as this is.
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _held: Held,
}

type Refused = (StatusCode, GraphqlError);

impl Whole {
    pub(super) async fn read(
        request: Request,
        settings: &GatewaySettings,
        bodies: &Bodies,
    ) -> Result<Self, Refused> {
        let wait = Duration::from_millis(settings.execution_ms);
        let read = read(request, settings.body_bytes, bodies.hold());
        tokio::time::timeout(wait, read).await.unwrap_or_else(|_| {
            let message = format!("the request body did not come within {} ms", wait.as_millis());
            Err(refused(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message))
        })
    }
}

async fn read(request: Request, limit: usize, mut held: Held) -> Result<Whole, Refused> {
    let too_large = || {
        let message = format!(
            "the request body is larger than {limit} bytes, which is the most that is accepted: send the messages in several requests"
        );
        refused(StatusCode::PAYLOAD_TOO_LARGE, Code::LimitExceeded, message)
    };
    let body = request.into_body();
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let (mut pieces, mut all) = (body.into_data_stream(), BytesMut::new());
    while let Some(piece) = pieces.next().await {
        let broken = "the request body broke off before its end";
        let piece = piece.map_err(|_| refused(StatusCode::BAD_REQUEST, Code::BadRequest, broken))?;
        if piece.len() > limit - all.len() {
            return Err(too_large());
        }
        let room = held.grow(piece.len()).await;
        room.map_err(|full| refused(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, full.to_string()))?;
        all.extend_from_slice(&piece);
    }
    Ok(Whole { bytes: all.freeze(), _held: held })
}

fn refused(status: StatusCode, code: Code, message: impl Into<String>) -> Refused {
    (status, GraphqlError::new(code, message))
}

//! Scalars of the control plane.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use bytes::Bytes;
use schema::Timestamp;

/// Any JSON value. What `publish` is given comes back with the digits that were sent.
#[derive(Clone, Debug)]
pub struct JsonText(pub Bytes);

#[Scalar(name = "JSON")]
impl ScalarType for JsonText {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            // How the pipeline hands over JSON: as the text that was sent.
            Value::Binary(text) => Ok(Self(text)),
            other => {
                serde_json::to_vec(&other).map(|text| Self(text.into())).map_err(InputValueError::custom)
            }
        }
    }

    fn to_value(&self) -> Value {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

/// A point in time: ISO 8601, UTC, with microseconds. Where a time is asked for, also such as now-15m.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

#[Scalar(name = "Time")]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Timestamp::from_text(text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom(format!("{text:?} is not a time")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

//! `__schema` and `__type`, answered from the snapshot by the compiler's own executor.

use apollo_compiler::introspection::{check_max_depth, partial_execute};
use serde_json::Value;

use super::{Answer, Execution};
use crate::error::{Code, GraphqlError};

impl Execution<'_> {
    pub(super) fn introspect(&self, key: &str) -> Answer {
        match self.introspection(key) {
            Ok(answer) => answer,
            Err(error) => Answer::failed(key, error),
        }
    }

    fn introspection(&self, key: &str) -> Result<Answer, GraphqlError> {
        let operation = self.prepared.operation()?;
        let refused = |error: apollo_compiler::request::RequestError| {
            GraphqlError::new(Code::LimitExceeded, error.message().to_string())
        };
        check_max_depth(&self.prepared.document, operation).map_err(refused)?;
        let executed = partial_execute(
            &self.snapshot.schema,
            &self.snapshot.implementers,
            &self.prepared.document,
            operation,
            self.variables,
        )
        .map_err(refused)?;
        let internal = |error: serde_json::Error| GraphqlError::new(Code::Internal, error.to_string());
        let data = serde_json::to_value(executed.data).map_err(internal)?;
        let value = data.get(key).unwrap_or(&Value::Null);
        Ok(Answer { value: serde_json::to_vec(value).map_err(internal)?, ..Answer::default() })
    }
}

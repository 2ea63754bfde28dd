//! Documents that were validated before, and the plans that were compiled of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::Operation;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use quick_cache::sync::Cache;

use super::{Conditions, Owner, Plan, compile, condition_variables};
use crate::document;
use crate::error::{Code, GraphqlError};
use crate::request::GraphqlRequest;
use crate::settings::GatewaySettings;
use crate::snapshot::Snapshot;

/// Longest document that is kept, in bytes: the cache counts documents, so this bounds its memory.
const DOCUMENT_BYTES: usize = 16 << 10;
/// Plans that are kept of one document, for different values of the variables in its conditions.
const PLANS_PER_DOCUMENT: usize = 16;

/// A validated document, and one operation of it.
#[derive(Debug)]
pub struct Prepared {
    /// The document.
    pub document: Valid<ExecutableDocument>,
    operation_name: Option<String>,
    /// The variables in its `@skip` and `@include`, by name.
    condition_variables: Vec<String>,
    /// Plans by the values of these variables.
    plans: Mutex<HashMap<Vec<Option<bool>>, Arc<Plan>>>,
    schema_version: String,
}

/// A bounded number of documents, the least used making room.
///
/// An entry serves as long as the streams that it touches are those that it was made for, whatever changes beside them.
#[derive(Debug)]
pub struct Documents {
    /// By what is hidden from those who ask, document and operation.
    prepared: Cache<(Arc<str>, String, Option<String>), Arc<Prepared>>,
}

impl Documents {
    /// Room for `capacity` of them.
    pub fn new(capacity: usize) -> Self {
        Self { prepared: Cache::new(capacity) }
    }

    /// The document of a request, validated against `snapshot` if it was not yet.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn prepare(
        &self,
        request: &GraphqlRequest,
        snapshot: &Snapshot,
        settings: &GatewaySettings,
    ) -> Result<Arc<Prepared>, Vec<GraphqlError>> {
        let key = (snapshot.hidden.clone(), request.query.clone(), request.operation_name.clone());
        if let Some(known) = self.prepared.get(&key).filter(|known| known.serves(snapshot)) {
            return Ok(known);
        }
        let document = document::validate(&request.query, snapshot, settings)?;
        let operation =
            operation(&document, request.operation_name.as_deref()).map_err(|error| vec![error])?;
        let prepared = Arc::new(Prepared {
            condition_variables: condition_variables(&document, operation).into_iter().collect(),
            operation_name: request.operation_name.clone(),
            plans: Mutex::default(),
            schema_version: snapshot.version.clone(),
            document,
        });
        if request.query.len() <= DOCUMENT_BYTES {
            self.prepared.insert(key, prepared.clone());
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// The operation that was asked for.
    ///
    /// # Errors
    /// There is none: [`Documents::prepare`] has refused that already.
    pub fn operation(&self) -> Result<&Operation, GraphqlError> {
        operation(&self.document, self.operation_name.as_deref())
    }

    /// The plan for these values of variables, compiled if it was not yet.
    ///
    /// # Errors
    /// The operation can't be planned.
    pub fn plan(
        &self,
        snapshot: &Snapshot,
        variables: &JsonMap,
        settings: &GatewaySettings,
    ) -> Result<Arc<Plan>, GraphqlError> {
        let value = |name: &String| variables.get(name.as_str()).and_then(|value| value.as_bool());
        let values: Vec<Option<bool>> = self.condition_variables.iter().map(value).collect();
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&values) {
            return Ok(plan.clone());
        }
        let named = self.condition_variables.iter().zip(&values);
        let conditions: Conditions =
            named.filter_map(|(name, value)| Some((name.clone(), (*value)?))).collect();
        let plan = Arc::new(compile(
            snapshot,
            &self.document,
            self.operation()?,
            &conditions,
            settings.root_fields,
        )?);
        if plans.len() == PLANS_PER_DOCUMENT {
            plans.clear();
        }
        plans.insert(values, plan.clone());
        Ok(plan)
    }

    /// Whether nothing that the document touches has changed since it was validated.
    fn serves(&self, snapshot: &Snapshot) -> bool {
        if self.schema_version == snapshot.version {
            return true;
        }
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        // A plan of any values tells the streams only if no condition hides one; introspection shows the whole schema.
        self.condition_variables.is_empty()
            && plans.values().next().is_some_and(|plan| {
                plan.roots.iter().all(|root| match root.owner.stream() {
                    Some(then) => snapshot
                        .streams
                        .get(&then.record.root_field)
                        .is_some_and(|now| now.same_version(then)),
                    None => !matches!(root.owner, Owner::Introspection),
                })
            })
    }
}

fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d Operation, GraphqlError> {
    document.operations.get(name).map(|node| &**node).map_err(|_| {
        let message = match name {
            Some(name) => format!("the document has no operation named {name:?}"),
            None => "the document has several operations: name one by operationName".to_owned(),
        };
        GraphqlError::new(Code::BadRequest, message)
    })
}

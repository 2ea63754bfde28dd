//! Execution: each root field by its owner, at once; their bytes put together in the order of the selection.

mod control;
mod data;
mod introspect;
mod page;
mod subscribe;
mod topics;
mod write;

use std::sync::Arc;
use std::time::Duration;

use access::{Principal, Right, policy};
use apollo_compiler::executable::OperationType;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use futures_util::future::join_all;
use schema::Clock;
use store::{Store, StoreError};

pub(crate) use page::{Ask, Page, read};
pub use subscribe::{Batch, Event, Started, Subscription};
pub(crate) use topics::Chosen;
pub(crate) use write::cursor;

use crate::coerce;
use crate::control::ControlSchema;
use crate::document;
use crate::error::{Code, GraphqlError};
use crate::live::Hub;
use crate::plan::{Documents, Owner, Plan, Prepared};
use crate::request::GraphqlRequest;
use crate::response::{self, Body};
use crate::settings::{GatewaySettings, LiveSettings};
use crate::snapshot::{Snapshot, Snapshots};

/// What a mutation is told that comes by GET.
const QUERIES_ONLY: &str = "a GET may only query: send mutations by POST";

/// What a subscription is told that comes by a way which has one answer.
const ONE_ANSWER: &str = "a subscription has many answers: open a WebSocket at /graphql with the subprotocol \
    graphql-transport-ws, or send Accept: text/event-stream";

/// The query pipeline: limits ▸ parse ▸ validate ▸ coerce ▸ policy ▸ plan ▸ execute ▸ write.
pub struct Pipeline {
    pub(crate) settings: GatewaySettings,
    pub(crate) limits: schema::Limits,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) snapshots: Snapshots,
    pub(crate) documents: Documents,
    pub(crate) control: ControlSchema,
    pub(crate) clock: Clock,
    pub(crate) hub: Arc<Hub>,
    pub(crate) live: LiveSettings,
}

/// An answer: `data`, or none of it where the request could not be executed at all.
pub struct Response {
    /// The body.
    pub body: Vec<u8>,
    /// Whether execution began: GraphQL over HTTP answers otherwise with another status.
    pub executed: bool,
    /// Errors in it.
    pub errors: usize,
    /// The version of the schema that it was made with.
    pub schema_version: String,
}

impl Response {
    fn new(body: Body, snapshot: &Snapshot) -> Self {
        let Body { bytes: body, executed, errors } = body;
        Self { body, executed, errors, schema_version: snapshot.version.clone() }
    }
}

/// The value of one root field, as JSON, and the errors in it.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) value: Vec<u8>,
    pub(crate) errors: Vec<GraphqlError>,
    /// Errors that were too many to be listed.
    pub(crate) unlisted: usize,
}

impl Answer {
    /// Null, and why.
    fn failed(key: &str, error: GraphqlError) -> Self {
        Self { value: b"null".to_vec(), errors: vec![error.at(key)], unlisted: 0 }
    }
}

/// A request, validated, its variables coerced, its operation compiled.
struct Planned {
    kind: OperationType,
    prepared: Arc<Prepared>,
    plan: Arc<Plan>,
    variables: Valid<JsonMap>,
}

/// One request on its way.
pub(crate) struct Execution<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) caller: &'a Principal,
    pub(crate) request: &'a GraphqlRequest,
    pub(crate) prepared: &'a Prepared,
    pub(crate) variables: &'a Valid<JsonMap>,
}

impl Pipeline {
    /// Answers a request. `queries_only` refuses what changes something, as for a GET.
    pub async fn execute(
        &self,
        caller: &Principal,
        request: &GraphqlRequest,
        queries_only: bool,
    ) -> Response {
        let snapshot = match self.seen_by(caller).await {
            Ok(snapshot) => snapshot,
            Err(answer) => return answer,
        };
        let refused = |kind| match kind {
            OperationType::Subscription => Some(ONE_ANSWER),
            OperationType::Mutation if queries_only => Some(QUERIES_ONLY),
            _ => None,
        };
        match self.plan(&snapshot, caller, request, refused) {
            Ok(planned) => self.run(&snapshot, caller, request, &planned).await,
            Err(errors) => Response::new(response::refused(&errors), &snapshot),
        }
    }

    /// Executes what was planned, and answers.
    async fn run(
        &self,
        snapshot: &Arc<Snapshot>,
        caller: &Principal,
        request: &GraphqlRequest,
        planned: &Planned,
    ) -> Response {
        let Planned { prepared, plan, variables, .. } = planned;
        let execution = Execution { pipeline: self, snapshot, caller, request, prepared, variables };
        let limit = Duration::from_millis(self.settings.execution_ms);
        let body = match tokio::time::timeout(limit, execution.run(plan)).await {
            Ok(answers) => response::assemble(plan, answers, self.settings.response_bytes),
            Err(_) => {
                let message =
                    format!("the operation took longer than {} ms: ask for less at once", limit.as_millis());
                response::refused(&[GraphqlError::new(Code::Timeout, message)])
            }
        };
        Response::new(body, snapshot)
    }

    /// The schema that `caller` sees, or what is answered where there is none.
    async fn seen_by(&self, caller: &Principal) -> Result<Arc<Snapshot>, Response> {
        self.snapshots.seen_by(caller).await.map_err(|error| {
            tracing::error!(error, "the schema of a caller can't be built");
            let message = "the schema of this caller can't be built: it is told in the log why";
            let errors = [GraphqlError::new(Code::Internal, message)];
            Response::new(response::refused(&errors), &self.snapshots.current())
        })
    }

    /// The version of the schema that `caller` sees.
    pub(crate) async fn version(&self, caller: &Principal) -> String {
        self.seen_by(caller).await.map_or_else(|answer| answer.schema_version, |seen| seen.version.clone())
    }

    /// What kind of operation a request asks for; `None` where that can't be told, which its execution will say.
    pub(crate) async fn kind(&self, caller: &Principal, request: &GraphqlRequest) -> Option<OperationType> {
        let snapshot = self.seen_by(caller).await.ok()?;
        let prepared = self.documents.prepare(request, &snapshot, &self.settings).ok()?;
        Some(prepared.operation().ok()?.operation_type)
    }

    /// Plans a request, unless `refused` says why operations of its kind are not taken.
    fn plan(
        &self,
        snapshot: &Snapshot,
        caller: &Principal,
        request: &GraphqlRequest,
        refused: impl FnOnce(OperationType) -> Option<&'static str>,
    ) -> Result<Planned, Vec<GraphqlError>> {
        let prepared = self.documents.prepare(request, snapshot, &self.settings);
        let prepared = prepared.map_err(|errors| with_reason(caller, request, errors))?;
        let one = |error| vec![error];
        let operation = prepared.operation().map_err(one)?;
        let kind = operation.operation_type;
        if let Some(why) = refused(kind) {
            return Err(one(GraphqlError::new(Code::BadRequest, why)));
        }
        let variables = coerce::variables(snapshot, operation, request).map_err(one)?;
        let plan = prepared.plan(snapshot, &variables, &self.settings).map_err(one)?;
        Ok(Planned { kind, prepared, plan, variables })
    }
}

impl Execution<'_> {
    /// The answers of all roots, in their order. The control plane's are executed as one document of its own.
    async fn run(&self, plan: &Plan) -> Vec<Answer> {
        let control = async {
            match &plan.control {
                Some(document) => self.control(document, plan).await,
                None => Vec::new(),
            }
        };
        let data = join_all(plan.roots.iter().map(|root| async move {
            match &root.owner {
                Owner::Typename(name) => {
                    Answer { value: format!("\"{name}\"").into_bytes(), ..Answer::default() }
                }
                Owner::Introspection => self.introspect(&root.key),
                // Taken from the control plane's answers below.
                Owner::Control | Owner::Live(_) => Answer::default(),
                Owner::Data(data) => match self.data(&root.key, data).await {
                    Ok(answer) => answer,
                    Err(error) => Answer::failed(&root.key, error),
                },
            }
        }));
        let (mut answers, control) = tokio::join!(data, control);
        let own =
            plan.roots.iter().zip(&mut answers).filter(|(root, _)| matches!(root.owner, Owner::Control));
        for ((_, answer), control) in own.zip(control) {
            *answer = control;
        }
        answers
    }
}

/// Why a document is not valid, where its caller may read nothing at all: no stream is in its schema, which would be a riddle.
fn with_reason(
    caller: &Principal,
    request: &GraphqlRequest,
    mut errors: Vec<GraphqlError>,
) -> Vec<GraphqlError> {
    if errors.iter().all(|error| error.code == Code::GraphqlValidationFailed)
        && document::only_reads(&request.query)
        && let Err(denied) = policy::require_some(caller, Right::Read)
    {
        errors.insert(0, GraphqlError::new(Code::Forbidden, denied.to_string()));
    }
    errors
}

fn unavailable(error: &StoreError) -> GraphqlError {
    tracing::warn!(error = error as &dyn std::error::Error, "a read failed");
    GraphqlError::from(error)
}

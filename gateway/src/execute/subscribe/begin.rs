//! Where a subscription begins: now, at a time, or behind a cursor.

use std::sync::Arc;

use access::Principal;
use apollo_compiler::executable::OperationType;
use schema::{HistoryMark, Places, ResumeCursor, TimeRange, Timestamp};

use super::super::{Chosen, Pipeline, Planned, QUERIES_ONLY, Response, topics, unavailable};
use super::{Started, Subscription};
use crate::coerce::{Arguments, bad_input};
use crate::error::GraphqlError;
use crate::live::{History, MemoKey, Reader, Selection, Source, checkpoints};
use crate::plan::{LiveRoot, Owner};
use crate::request::GraphqlRequest;
use crate::response;
use crate::snapshot::StreamView;

impl Pipeline {
    /// Starts any operation; `queries_only` refuses what changes something, as for a GET. `resume` is a resume cursor that
    /// stands in for a `resume` argument, as that of SSE's `Last-Event-ID`.
    pub async fn start(
        self: &Arc<Self>,
        caller: &Principal,
        request: &GraphqlRequest,
        queries_only: bool,
        resume: Option<&str>,
    ) -> Started {
        let snapshot = match self.seen_by(caller).await {
            Ok(snapshot) => snapshot,
            Err(answer) => return Started::Answer(answer),
        };
        let refused = |kind| (queries_only && kind == OperationType::Mutation).then_some(QUERIES_ONLY);
        let begun = match self.plan(&snapshot, caller, request, refused) {
            Ok(planned) if planned.kind != OperationType::Subscription => {
                return Started::Answer(self.run(&snapshot, caller, request, &planned).await);
            }
            Ok(planned) => self.subscribe(caller, &planned, resume).await.map_err(|error| vec![error]),
            Err(errors) => Err(errors),
        };
        match begun {
            Ok(subscription) => Started::Live(Box::new(subscription)),
            Err(errors) => Started::Answer(Response::new(response::refused(&errors), &snapshot)),
        }
    }

    async fn subscribe(
        self: &Arc<Self>,
        caller: &Principal,
        planned: &Planned,
        resume: Option<&str>,
    ) -> Result<Subscription, GraphqlError> {
        // Validation has seen to it that there is one root field, and that it is a stream's.
        let root = planned.plan.roots.iter().find_map(|root| match &root.owner {
            Owner::Live(root) => Some(root),
            _ => None,
        });
        let root = root.ok_or_else(|| bad_input("the subscription selects nothing"))?;
        let arguments = Arguments::new(&root.arguments, &planned.variables);
        self.begin(caller, root, &arguments, resume).await.map_err(|error| error.at(&root.key))
    }

    async fn begin(
        self: &Arc<Self>,
        caller: &Principal,
        root: &Arc<LiveRoot>,
        arguments: &Arguments<'_>,
        resume: Option<&str>,
    ) -> Result<Subscription, GraphqlError> {
        let (view, stream) = (&root.stream, root.stream.record.name());
        let named = topics::named(arguments, &self.settings)?;
        let chosen = topics::chosen(caller, view, named, &self.settings)?;
        let from = arguments.time("from", &self.clock)?;
        let given = arguments.text("resume")?;
        if given.is_some() && from.is_some() {
            return Err(bad_input("give from or resume, not both"));
        }
        let cursor = resume.map(ToOwned::to_owned).or(given);
        let cursor = cursor.map(|text| ResumeCursor::decode(&text, stream)).transpose();
        let cursor = cursor.map_err(|error| bad_input(format!("resume: {error}")))?;
        // Places in another incarnation mean nothing here: all of this one follows.
        let anew = cursor.as_ref().is_some_and(|cursor| cursor.incarnation != view.record.incarnation);
        let selection = Selection::of(chosen.clone());
        let key = MemoKey::new(root.number, selection.clone());
        let source = self.source(view, selection);
        let reader = match (cursor, from) {
            (Some(_), _) if anew => Reader::from_places(source, Places::default()),
            (Some(ResumeCursor { places, history: Some(mark), .. }), _) => {
                self.history(source, view, chosen, places, (mark.time, Some(mark))).await?
            }
            (Some(ResumeCursor { places, history: None, .. }), _) => Reader::from_places(source, places),
            (None, Some(from)) => {
                let fence = checkpoints(stream, &*self.store).await.map_err(|error| unavailable(&error))?;
                self.history(source, view, chosen, fence, (from, None)).await?
            }
            (None, None) => Reader::from_now(source).await.map_err(|error| unavailable(&error))?,
        };
        Ok(Subscription { pipeline: self.clone(), root: root.clone(), reader, key, anew })
    }

    /// A reader in history, from a time or behind a mark on.
    async fn history(
        &self,
        source: Source,
        view: &StreamView,
        chosen: Chosen,
        fence: Places,
        (from, mark): (Timestamp, Option<HistoryMark>),
    ) -> Result<Reader, GraphqlError> {
        let range = TimeRange { from, to: TimeRange::ALL.to };
        // Listed after the fence was taken, so that none is missing which has rows within it.
        let topics = topics::active(chosen, view, range, &*self.store, &self.settings).await?;
        Ok(Reader::in_history(source, History::new(fence, topics, from, mark)))
    }

    /// What a reader of `view` reads.
    pub(in crate::execute) fn source(&self, view: &StreamView, selection: Selection) -> Source {
        let (snapshots, incarnation) = (self.snapshots.clone(), view.record.incarnation);
        let (root_field, stream) = (view.record.root_field.clone(), view.record.name().clone());
        let is_current = move || {
            let snapshot = snapshots.current();
            snapshot.streams.get(&root_field).is_some_and(|view| view.record.incarnation == incarnation)
        };
        Source {
            hub: self.hub.clone(),
            store: self.store.clone(),
            stream,
            selection,
            is_current: Arc::new(is_current),
        }
    }
}

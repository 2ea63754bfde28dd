//! Documents: parsed, bounded, validated against a snapshot.

use std::collections::HashMap;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{OperationType, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};

use crate::error::{Code, GraphqlError, Location};
use crate::settings::GatewaySettings;
use crate::snapshot::Snapshot;

/// Most validation errors that are told at once.
const ERRORS_TOLD: usize = 20;

/// The parser counts several levels of its own for one of a document.
const PARSER_LEVELS: usize = 4;

/// Parses and validates `text`.
///
/// The size of the document with its fragments resolved is bounded before it is validated: a few hundred bytes of
/// nested fragments can stand for billions of fields.
///
/// # Errors
/// Everything that is wrong with it, with locations.
pub fn validate(
    text: &str,
    snapshot: &Snapshot,
    settings: &GatewaySettings,
) -> Result<Valid<ExecutableDocument>, Vec<GraphqlError>> {
    let mut parser = Parser::new()
        .token_limit(settings.document_tokens)
        .recursion_limit(settings.document_depth * PARSER_LEVELS);
    let ast = parser.parse_ast(text, "query").map_err(|error| unparsed(&error.errors, settings))?;
    let document = ast
        .to_executable(&snapshot.schema)
        .map_err(|error| told(&error.errors, Code::GraphqlValidationFailed))?;
    bounded(&document, settings).map_err(|error| vec![error])?;
    document.validate(&snapshot.schema).map_err(|error| told(&error.errors, Code::GraphqlValidationFailed))
}

/// Whether no operation of a document changes anything.
pub fn only_reads(text: &str) -> bool {
    let parsed = Parser::new().parse_ast(text, "query");
    parsed.is_ok_and(|document| {
        !document
            .definitions
            .iter()
            .filter_map(|definition| definition.as_operation_definition())
            .any(|operation| operation.operation_type == OperationType::Mutation)
    })
}

/// Why a document does not parse. Where a limit stopped the parser, that alone is told: with the limit, and what to do.
fn unparsed(errors: &DiagnosticList, settings: &GatewaySettings) -> Vec<GraphqlError> {
    let told = told(errors, Code::GraphqlParseFailed);
    let is = |words: &str| told.iter().any(|error| error.message.contains(words));
    let limit = if is("token limit reached") {
        format!("more than {} tokens", settings.document_tokens)
    } else if is("recursion limit reached") {
        format!("more than {} levels", settings.document_depth * PARSER_LEVELS)
    } else {
        return told;
    };
    let message = format!("the document has {limit}, which is the most that is read: ask for less at once");
    vec![GraphqlError::new(Code::LimitExceeded, message)]
}

fn told(errors: &DiagnosticList, code: Code) -> Vec<GraphqlError> {
    let tell = |diagnostic: apollo_compiler::diagnostic::Diagnostic<'_, _>| {
        let error: apollo_compiler::response::GraphQLError = diagnostic.unstable_to_json_compat();
        let locations =
            error.locations.iter().map(|at| Location { line: at.line, column: at.column }).collect();
        GraphqlError { locations, ..GraphqlError::new(code, error.message) }
    };
    errors.iter().take(ERRORS_TOLD).map(tell).collect()
}

fn bounded(document: &ExecutableDocument, settings: &GatewaySettings) -> Result<(), GraphqlError> {
    let mut sizes = Sizes { document, known: HashMap::new() };
    for operation in document.operations.iter() {
        let size = sizes.of(&operation.selection_set);
        let exceeded = |what: &str, is: usize, most: usize| {
            let message = format!(
                "the document has {is} {what} once its fragments are resolved, and at most {most} are answered"
            );
            Err(GraphqlError::new(Code::LimitExceeded, message))
        };
        if size.depth > settings.document_depth {
            return exceeded("levels", size.depth, settings.document_depth);
        }
        if size.fields > settings.document_fields {
            return exceeded("fields", size.fields, settings.document_fields);
        }
    }
    Ok(())
}

/// Fields and levels of a selection, its fragments resolved.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    depth: usize,
}

/// Sizes of fragments, each computed once.
struct Sizes<'d> {
    document: &'d ExecutableDocument,
    /// `None` while a fragment is being measured: validation refuses one that contains itself.
    known: HashMap<&'d str, Option<Size>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, set: &'d SelectionSet) -> Size {
        let mut total = Size::default();
        for selection in &set.selections {
            let part = match selection {
                Selection::Field(field) => {
                    let below = self.of(&field.selection_set);
                    Size { fields: below.fields.saturating_add(1), depth: below.depth.saturating_add(1) }
                }
                Selection::InlineFragment(fragment) => self.of(&fragment.selection_set),
                Selection::FragmentSpread(spread) => self.fragment(spread.fragment_name.as_str()),
            };
            total.fields = total.fields.saturating_add(part.fields);
            total.depth = total.depth.max(part.depth);
        }
        total
    }

    fn fragment(&mut self, name: &'d str) -> Size {
        if let Some(known) = self.known.get(name) {
            return known.unwrap_or_default();
        }
        self.known.insert(name, None);
        let document = self.document;
        let size =
            document.fragments.get(name).map(|fragment| self.of(&fragment.selection_set)).unwrap_or_default();
        self.known.insert(name, Some(size));
        size
    }
}

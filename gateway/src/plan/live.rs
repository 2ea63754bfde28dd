//! The selection of a subscription's root field.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::collect::Collected;
use super::data::{Compiler, quoted};
use super::{EventField, GapField, LiveRoot};

/// The root field of a subscription.
pub(super) fn root(compiler: &Compiler<'_>, of: &Collected<'_>) -> Arc<LiveRoot> {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let type_name = &compiler.stream.record.type_name;
    let event = compiler.slots(of, |field| {
        Some(match field.field().name.as_str() {
            "cursor" => EventField::Cursor,
            "late" => EventField::Late,
            "message" => EventField::Message(compiler.message(field)),
            "gap" => EventField::Gap(compiler.slots(field, |field| {
                Some(match field.field().name.as_str() {
                    "reason" => GapField::Reason,
                    "from" => GapField::From,
                    "to" => GapField::To,
                    _ => GapField::Typename,
                })
            })),
            _ => EventField::Typename(quoted(&format!("{type_name}Event"))),
        })
    });
    Arc::new(LiveRoot {
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        key: of.key.to_owned(),
        prefix: format!("{{\"data\":{{\"{}\":", of.key).into_bytes().into(),
        stream: compiler.stream.clone(),
        arguments: of.field().arguments.clone(),
        event,
    })
}

//! What rules come to for a caller: by stream, which topics it may read and write, and which fields it does not see.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use schema::StreamName;
use schema::shape::{FieldPath, Hidden};

use super::glob::{Glob, Globs};
use super::settings::{Effect, Right};
use crate::{Role, Roles};

/// Most streams of which it is kept what somebody may do there.
const STREAMS_MAX: usize = 1_000;

/// A rule as it is for one caller: its conditions hold, and its patterns have the caller's values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Grant {
    pub(super) effect: Effect,
    pub(super) streams: Globs,
    /// `None` where all is meant that a stream's own rule gives, or, of a rule that denies, all.
    pub(super) topics: Option<Globs>,
    pub(super) rights: Vec<Right>,
    pub(super) fields: Vec<FieldPath>,
}

/// All that rules come to for somebody. Callers for whom they come to the same share it.
pub(crate) struct Grants {
    serial: u64,
    /// What its roles give without any rule.
    roles: Roles,
    rules: Vec<Grant>,
    /// Without rules, this is so in each stream.
    everywhere: Arc<StreamRights>,
    by_stream: RwLock<HashMap<StreamName, Arc<StreamRights>>>,
}

/// What somebody may do in a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamRights {
    pub(crate) read: Reach,
    pub(crate) write: Reach,
    pub(crate) admin: bool,
    /// What it does not see of messages.
    pub(crate) hidden: Arc<Hidden>,
}

/// Which topics of a stream are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Those that the stream's own rule gives.
    pub(crate) as_ruled: bool,
    /// These besides.
    pub(crate) allowed: Globs,
    /// And of all of them none of these.
    pub(crate) denied: Globs,
}

impl Reach {
    /// Whether there may be any.
    pub(crate) fn is_any(&self) -> bool {
        let is_taken = |glob| self.denied.iter().any(|denied| denied == glob);
        !self.denied.is_any() && (self.as_ruled || !self.allowed.iter().all(is_taken))
    }
}

impl Grants {
    pub(super) fn new(roles: Roles, rules: Vec<Grant>) -> Self {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let everywhere = Arc::new(StreamRights::of_roles(&roles));
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        Self { serial, roles, rules, everywhere, by_stream: RwLock::default() }
    }

    /// No other has this number.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether both come to the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.serial == other.serial || self.roles == other.roles && self.rules == other.rules
    }

    /// Whether the same is so in every stream, and nothing is hidden: then its roles tell all.
    pub(crate) fn is_uniform(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether something may be read or written in some stream, one that is there or not.
    pub(crate) fn gives(&self, right: Right) -> bool {
        let allows = |rule: &Grant| rule.effect == Effect::Allow && rule.rights.contains(&right);
        self.everywhere.gives(right) || self.rules.iter().any(allows)
    }

    /// What is so in `stream`.
    pub(crate) fn stream(&self, stream: &StreamName) -> Arc<StreamRights> {
        if self.rules.is_empty() {
            return self.everywhere.clone();
        }
        // A map of answers is whole whatever its last user met with.
        let known = self.by_stream.read().unwrap_or_else(PoisonError::into_inner).get(stream).cloned();
        if let Some(known) = known {
            return known;
        }
        let rights = Arc::new(self.find(stream));
        let mut by_stream = self.by_stream.write().unwrap_or_else(PoisonError::into_inner);
        if by_stream.len() >= STREAMS_MAX {
            by_stream.clear();
        }
        by_stream.insert(stream.clone(), rights.clone());
        rights
    }

    fn find(&self, stream: &StreamName) -> StreamRights {
        let mut rights = StreamRights::of_roles(&self.roles);
        let [mut read, mut write] = [(); 2].map(|()| (Vec::new(), Vec::new()));
        let (mut is_admin_denied, mut hidden) = (false, Vec::new());
        for rule in self.rules.iter().filter(|rule| rule.streams.matches(stream.as_str())) {
            hidden.extend(rule.fields.iter().cloned());
            // A rule that hides something takes nothing else.
            let takes =
                |right| rule.fields.is_empty() && (rule.rights.is_empty() || rule.rights.contains(&right));
            match rule.effect {
                Effect::Allow => {
                    rights.admin |= takes(Right::Admin);
                    for (right, reach, topics) in [
                        (Right::Read, &mut rights.read, &mut read.0),
                        (Right::Write, &mut rights.write, &mut write.0),
                    ] {
                        match &rule.topics {
                            _ if !takes(right) => {}
                            Some(globs) => topics.extend(globs.iter().cloned()),
                            None => reach.as_ruled = true,
                        }
                    }
                }
                Effect::Deny => {
                    is_admin_denied |= takes(Right::Admin) && rule.topics.is_none();
                    for (right, topics) in [(Right::Read, &mut read.1), (Right::Write, &mut write.1)] {
                        if takes(right) {
                            match &rule.topics {
                                Some(globs) => topics.extend(globs.iter().cloned()),
                                None => topics.push(Glob::any()),
                            }
                        }
                    }
                }
            }
        }
        rights.admin &= !is_admin_denied;
        rights.hidden = Arc::new(Hidden::new(hidden));
        for (reach, (allowed, denied)) in [(&mut rights.read, read), (&mut rights.write, write)] {
            (reach.allowed, reach.denied) = (Globs::new(allowed), Globs::new(denied));
        }
        rights
    }
}

impl StreamRights {
    fn of_roles(roles: &Roles) -> Self {
        let reach = |role| Reach { as_ruled: roles.contains(role), ..Reach::default() };
        Self {
            read: reach(Role::Read),
            write: reach(Role::Write),
            admin: roles.contains(Role::Admin),
            hidden: Arc::default(),
        }
    }

    pub(crate) fn gives(&self, right: Right) -> bool {
        match right {
            Right::Read => self.read.is_any(),
            Right::Write => self.write.is_any(),
            Right::Admin => self.admin,
        }
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("roles", &self.roles)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

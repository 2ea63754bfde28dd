//! Whom denials hit, in the form that each request asks.

use std::collections::{HashMap, HashSet};

use schema::Timestamp;

use super::denial::DenialTarget;
use crate::{IssuerName, Principal};

/// All that is denied.
#[derive(Debug, Default)]
pub(super) struct Denied {
    before: Option<Timestamp>,
    by_issuer: HashMap<IssuerName, OfIssuer>,
}

/// What is denied of one issuer's tokens.
#[derive(Debug, Default)]
struct OfIssuer {
    before: Option<Timestamp>,
    tokens: HashSet<String>,
    subjects: HashSet<String>,
    clients: HashSet<String>,
}

impl Denied {
    pub(super) fn new<'a>(targets: impl IntoIterator<Item = &'a DenialTarget>) -> Self {
        let mut denied = Self::default();
        for target in targets {
            denied.add(target);
        }
        denied
    }

    fn add(&mut self, target: &DenialTarget) {
        match target {
            DenialTarget::Token { issuer, id } => drop(self.of(issuer).tokens.insert(id.clone())),
            DenialTarget::Subject { issuer, subject } => {
                self.of(issuer).subjects.insert(subject.clone());
            }
            DenialTarget::Client { issuer, client_id } => {
                self.of(issuer).clients.insert(client_id.clone());
            }
            DenialTarget::Before { issuer: Some(issuer), time } => {
                let before = &mut self.of(issuer).before;
                *before = (*before).max(Some(*time));
            }
            DenialTarget::Before { issuer: None, time } => self.before = self.before.max(Some(*time)),
        }
    }

    fn of(&mut self, issuer: &str) -> &mut OfIssuer {
        self.by_issuer.entry(IssuerName::from_text(issuer)).or_default()
    }

    /// Whether this caller is denied. It costs next to nothing where nothing is.
    pub(super) fn denies(&self, principal: &Principal) -> bool {
        is_before(self.before, principal)
            || !self.by_issuer.is_empty()
                && self.by_issuer.get(principal.issuer()).is_some_and(|of| of.denies(principal))
    }
}

impl OfIssuer {
    fn denies(&self, principal: &Principal) -> bool {
        is_before(self.before, principal)
            || self.subjects.contains(principal.subject())
            || self.clients.contains(principal.client_id())
            || principal.token_id().is_some_and(|id| self.tokens.contains(id))
    }
}

/// Whether its token was given before this time, or may have been: it may not say.
fn is_before(time: Option<Timestamp>, principal: &Principal) -> bool {
    time.is_some_and(|time| principal.issued_at().is_none_or(|issued| issued < time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, Policy};

    fn caller(issuer: IssuerName, issued: Option<i64>, token: Option<&str>) -> Principal {
        let (issued_at, token_id) = (issued.map(Timestamp), token.map(ToOwned::to_owned));
        let identity = Identity { issued_at, token_id, ..Identity::new(issuer, "alice", "app") };
        Principal::of(identity, &Policy::default()).unwrap()
    }

    #[test]
    fn each_target_hits_its_own_and_nobody_else() {
        let corp = || Some("corp".to_owned());
        let [here, there] = [IssuerName::Embedded, IssuerName::Named("corp".into())]
            .map(|issuer| caller(issuer, Some(100), Some("t1")));
        let mute = caller(IssuerName::Named("corp".into()), None, None);
        let subject = |issuer: &str, subject: &str| DenialTarget::Subject {
            issuer: issuer.into(),
            subject: subject.into(),
        };
        let token = |issuer: &str, id: &str| DenialTarget::Token { issuer: issuer.into(), id: id.into() };
        let client = |issuer: &str, client: &str| DenialTarget::Client {
            issuer: issuer.into(),
            client_id: client.into(),
        };
        let before = |issuer, time| DenialTarget::Before { issuer, time: Timestamp(time) };
        for (target, expect) in [
            (token("corp", "t1"), [false, true, false]),
            (token("corp", "t2"), [false; 3]),
            (token("corp", ""), [false; 3]),
            (subject("corp", "alice"), [false, true, true]),
            (subject("embedded", "alice"), [true, false, false]),
            (subject("corp", "app"), [false; 3]),
            (client("corp", "app"), [false, true, true]),
            (client("corp", "alice"), [false; 3]),
            (before(corp(), 100), [false, false, true]),
            (before(corp(), 101), [false, true, true]),
            (before(None, 100), [false, false, true]),
            (before(None, 101), [true, true, true]),
            (before(Some("keys".into()), 101), [false; 3]),
        ] {
            let denied = Denied::new([&target]);
            let hit = [&here, &there, &mute].map(|caller| denied.denies(caller));
            assert_eq!(hit, expect, "{target:?}");
        }
        let both = Denied::new([&before(corp(), 101), &before(corp(), 50), &token("embedded", "t1")]);
        assert_eq!([&here, &there].map(|caller| both.denies(caller)), [true, true]);
        assert!(!Denied::default().denies(&mute));
    }
}

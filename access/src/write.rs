//! A principal as the way in sees it: [`WritePolicy`].
//!
//! The trait asks about stream and routed topic only, so the rule of streams whose topic is the caller is kept by two
//! parts together: [`Principal::own_topic`] says which topic is the caller's own, and whoever accepts a message for such
//! a stream passes exactly that topic as the named one, and refuses a request that names another
//! (or asks [`crate::policy::decide`], where the stream's rule is at hand).

use schema::{StreamName, Topic};
use store::WritePolicy;

use crate::Principal;
use crate::policy::{writable, writes_some};

impl WritePolicy for Principal {
    fn may_write(&self, stream: &StreamName, topic: &Topic) -> Result<(), String> {
        writable(self, stream, topic).map_err(|denied| denied.to_string())
    }

    fn may_write_some(&self, stream: &StreamName) -> Result<(), String> {
        writes_some(self, stream).map_err(|denied| denied.to_string())
    }

    fn own_topic(&self) -> Topic {
        Self::own_topic(self).clone()
    }
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;

    use super::*;
    use crate::{IssuerName, Role, Roles};

    #[test]
    fn writing_needs_its_role() {
        for (roles, expect) in [
            (Roles::from([Role::Write]), true),
            (Roles::from([Role::Read, Role::Admin]), false),
            (Roles::default(), false),
        ] {
            let issuer = IssuerName::Named("corp".into());
            let principal = Principal::new(issuer, "alice", "app", roles, Timestamp(0)).unwrap();
            let policy: &dyn WritePolicy = &principal;
            let own = policy.own_topic();
            assert_eq!(own.as_str(), "corp/alice");
            let answer = policy.may_write(&StreamName::new("s").unwrap(), &own);
            assert_eq!(answer.is_ok(), expect, "{:?}", principal.roles());
            assert!(answer.err().is_none_or(|text| text.contains("data.write")));
        }
    }
}

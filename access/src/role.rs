//! Roles: what a token says that its bearer is, by the names of OAuth scopes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A role that means something by itself. The names are those of OAuth scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// `data.read`: query and subscribe.
    #[serde(rename = "data.read")]
    Read,
    /// `data.write`: publish.
    #[serde(rename = "data.write")]
    Write,
    /// `data.admin`: dead letters and what else concerns the running of it; with `data.read`, every caller's topic.
    #[serde(rename = "data.admin")]
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// As it is written in tokens and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "data.read",
            Self::Write => "data.write",
            Self::Admin => "data.admin",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of roles: those that mean something by themselves, and others, which mean what rules say.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roles {
    own: u8,
    named: Option<Arc<BTreeSet<Box<str>>>>,
}

impl Roles {
    /// Every role that means something by itself.
    pub const ALL: Self =
        Self { own: Self::bit(Role::Read) | Self::bit(Role::Write) | Self::bit(Role::Admin), named: None };

    const fn bit(role: Role) -> u8 {
        1 << role as u8
    }

    /// The roles that a scope (RFC 6749, section 3.3) names.
    pub fn from_scope(scope: &str) -> Self {
        scope.split(' ').filter(|name| !name.is_empty()).collect()
    }

    /// Whether `role` is among them.
    pub fn contains(&self, role: Role) -> bool {
        self.own & Self::bit(role) != 0
    }

    /// Whether the role of this name is among them.
    pub fn has(&self, name: &str) -> bool {
        match Role::from_name(name) {
            Some(role) => self.contains(role),
            None => self.named.as_ref().is_some_and(|named| named.contains(name)),
        }
    }

    /// Whether all of `others` are among them.
    pub fn contains_all(&self, others: &Self) -> bool {
        others.names().all(|name| self.has(name))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// These and `role`.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self { own: self.own | Self::bit(role), ..self }
    }

    /// Those that mean something by themselves.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(|role| self.contains(*role))
    }

    /// The name of each of them, once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let named = self.named.iter().flat_map(|named| named.iter().map(|name| &**name));
        let own = self.iter().map(|role| -> &str { role.as_str() });
        own.chain(named)
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
    }
}

impl<'a> FromIterator<&'a str> for Roles {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let (mut roles, mut named) = (Self::default(), BTreeSet::new());
        for name in names {
            match Role::from_name(name) {
                Some(role) => roles = roles.with(role),
                None => drop(named.insert(name.into())),
            }
        }
        roles.named = (!named.is_empty()).then(|| Arc::new(named));
        roles
    }
}

impl<const N: usize> From<[Role; N]> for Roles {
    fn from(roles: [Role; N]) -> Self {
        roles.into_iter().collect()
    }
}

impl fmt::Display for Roles {
    /// As a scope: names parted by a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_written_as_a_scope() {
        for (scope, expect) in [
            ("", ""),
            ("data.write data.read", "data.read data.write"),
            ("openid  data.admin data.admin DATA.READ", "data.admin DATA.READ openid"),
            ("data.read,data.write", "data.read,data.write"),
        ] {
            let roles = Roles::from_scope(scope);
            assert_eq!(roles.to_string(), expect, "{scope}");
            assert_eq!(Roles::from_scope(expect), roles);
            assert_eq!(roles.is_empty(), expect.is_empty());
        }
        assert_eq!(Role::ALL.into_iter().collect::<Roles>(), Roles::ALL);
        assert!(Roles::ALL.contains_all(&Roles::from([Role::Admin])));
        assert!(!Roles::from([Role::Admin]).contains_all(&Roles::ALL));
    }

    #[test]
    fn other_roles_are_told_apart_by_their_names() {
        let roles = Roles::from_scope("data.read partner");
        assert!(roles.has("partner") && roles.has("data.read") && !roles.has("data.write"));
        assert!(!roles.has("Partner") && !roles.has("partner ") && !roles.has(""));
        assert!(roles.contains_all(&Roles::from_scope("partner")));
        assert!(!roles.contains_all(&Roles::from_scope("partner supplier")));
        assert!(!Roles::ALL.contains_all(&Roles::from_scope("partner")));
    }
}

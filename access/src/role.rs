//! Roles: the rights that a token carries, by the names of OAuth scopes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a client may do. The names are those of OAuth scopes.
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

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Every role.
    pub const ALL: Self = Self(Self::bit(Role::Read) | Self::bit(Role::Write) | Self::bit(Role::Admin));

    const fn bit(role: Role) -> u8 {
        1 << role as u8
    }

    /// The roles that a scope (RFC 6749, section 3.3) names; what else it names is nothing to us.
    pub fn from_scope(scope: &str) -> Self {
        scope.split(' ').filter_map(Role::from_name).collect()
    }

    /// Whether `role` is among them.
    pub fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// Whether all of `others` are among them.
    pub fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and `role`.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | Self::bit(role))
    }

    /// Each of them once.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
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
        for (n, role) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(role.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Role::as_str)).finish()
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
            ("openid data.admin data.admin DATA.READ", "data.admin"),
            ("data.read,data.write", ""),
        ] {
            assert_eq!(Roles::from_scope(scope).to_string(), expect, "{scope}");
        }
        assert_eq!(Role::ALL.into_iter().collect::<Roles>(), Roles::ALL);
        assert!(Roles::ALL.contains_all(Roles::from([Role::Admin])));
        assert!(!Roles::from([Role::Admin]).contains_all(Roles::ALL));
    }
}

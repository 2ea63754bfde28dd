//! What tokens of well-known issuers look like: where they keep what they say, and what parts an access token from others.

use serde::{Deserialize, Serialize};

/// Whose tokens they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Access tokens by RFC 9068, with roles in `scope`.
    #[default]
    Standard,
    /// Amazon Cognito: no audience, the client in `client_id`, scopes behind the resource server's name.
    Cognito,
    /// Keycloak: the client in `azp`, realm roles in `realm_access`.
    Keycloak,
    /// Microsoft Entra ID, tokens of version 1 (`appid`) and 2 (`azp`), with application roles in `roles`.
    Entra,
    /// Auth0: the client in `azp`, permissions in `scope` or `permissions`.
    Auth0,
    /// Okta: the client in `cid`, scopes in the list `scp`.
    Okta,
}

/// What a preset stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Types that a header may name; `None` among them is a header that names none.
    pub(super) types: &'static [Option<&'static str>],
    /// Where the client stands: the first that is there.
    pub(super) client: &'static [&'static str],
    /// Where roles stand: all of them count.
    pub(super) roles: &'static [&'static str],
    /// What must be there, and what it must be.
    pub(super) required: &'static [(&'static str, &'static str)],
    /// Whether its access tokens say whom they are for.
    pub(super) has_audience: bool,
}

/// Its type, where the issuer follows the RFC.
const STRICT: &[Option<&str>] = &[Some("at+jwt")];
/// Issuers that came before it say `JWT` of all their tokens, or nothing.
const LOOSE: &[Option<&str>] = &[None, Some("jwt"), Some("at+jwt")];

impl Preset {
    pub(super) fn look(self) -> Look {
        let loose =
            |client, roles, required| Look { types: LOOSE, client, roles, required, has_audience: true };
        match self {
            Self::Standard => Look {
                types: STRICT,
                client: &["/client_id"],
                roles: &["/scope", "/roles"],
                required: &[],
                has_audience: true,
            },
            Self::Cognito => Look {
                has_audience: false,
                ..loose(&["/client_id"], &["/scope"], &[("/token_use", "access")])
            },
            Self::Keycloak => {
                loose(&["/azp", "/client_id"], &["/realm_access/roles", "/scope"], &[("/typ", "Bearer")])
            }
            Self::Entra => loose(&["/azp", "/appid"], &["/roles", "/scp"], &[]),
            Self::Auth0 => loose(&["/azp", "/client_id"], &["/scope", "/permissions"], &[]),
            Self::Okta => loose(&["/cid"], &["/scp"], &[]),
        }
    }
}

//! Why a socket is closed: codes of graphql-transport-ws, and of WebSocket itself.

use access::AuthError;

/// Most bytes of a reason: a control frame has 125, of which the code takes two.
const REASON_BYTES_MAX: usize = 123;

/// A code and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: impl AsRef<str>) -> Self {
        Self { code, reason: cut(reason.as_ref(), REASON_BYTES_MAX).to_owned() }
    }

    pub(super) fn going_away() -> Self {
        Self::new(1001, "Going away: the server is stopping; resume by cursor")
    }

    pub(super) fn not_websocket() -> Self {
        Self::new(1002, "A frame broke the rules of WebSocket")
    }

    pub(super) fn not_text() -> Self {
        Self::new(1007, "A text frame was not UTF-8")
    }

    pub(super) fn too_big(most: usize) -> Self {
        Self::new(1009, format!("Message too big: {most} bytes are the most that is accepted"))
    }

    pub(super) fn unread() -> Self {
        Self::new(1013, "Try again later: what was sent was not read in time; resume by cursor")
    }

    pub(super) fn bad_message(fault: &str) -> Self {
        Self::new(4400, format!("Invalid message: {fault}"))
    }

    pub(super) fn not_acknowledged() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(super) fn revoked() -> Self {
        Self::new(4401, "Revoked: the access token, or its bearer, is not let in any more")
    }

    pub(super) fn refused(error: &AuthError) -> Self {
        Self::new(
            match error {
                AuthError::IssuerAway | AuthError::TooMany(..) => 1013,
                _ => 4403,
            },
            match error {
                AuthError::IssuerAway => "Try again later: the issuer of the token can't be asked now",
                AuthError::TooMany(..) => "Try again later: too many sign-ins of this address failed",
                AuthError::Missing => {
                    "Forbidden: send a token in connection_init, as payload: {\"Authorization\": \"Bearer …\"}"
                }
                AuthError::SeveralHeaders => "Forbidden: send one Authorization, not several",
                AuthError::InvalidToken(refusal) if refusal.is_expired() => {
                    "Forbidden: the access token has expired"
                }
                AuthError::InvalidToken(_) | AuthError::Denied(_) => {
                    "Forbidden: the access token is not valid here"
                }
            },
        )
    }

    pub(super) fn two_callers() -> Self {
        Self::new(
            4403,
            "Forbidden: the tokens of the upgrade and of connection_init are of different callers",
        )
    }

    pub(super) fn another_caller() -> Self {
        Self::new(4403, "Forbidden: the token of the ping is another caller's")
    }

    pub(super) fn other_rights() -> Self {
        Self::new(4403, "Forbidden: the token of the ping gives other rights; connect again with it")
    }

    pub(super) fn expired() -> Self {
        Self::new(4403, "Forbidden: the access token has expired; connect again with a new one")
    }

    pub(super) fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn taken(id: &str) -> Self {
        let (before, behind) = ("Subscriber for ", " already exists");
        let id = cut(id, REASON_BYTES_MAX - before.len() - behind.len());
        Self::new(4409, format!("{before}{id}{behind}"))
    }

    pub(super) fn second_init() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }
}

/// The beginning of `text`, in whole characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_its_frame_in_whole_characters() {
        for (fault, bytes) in [("x".repeat(200), 123), ("ü".repeat(200), 123), ("€".repeat(200), 122)] {
            let close = Close::bad_message(&fault);
            assert!(close.reason.len() <= 123 && close.reason.len() >= bytes - 2, "{}", close.reason.len());
        }
        let close = Close::taken(&"€".repeat(200));
        assert!(close.reason.len() <= 123, "{}", close.reason.len());
        assert!(close.reason.ends_with("€ already exists"), "{}", close.reason);
    }

    #[test]
    fn no_reason_of_ours_is_cut() {
        for close in [
            Close::refused(&AuthError::Missing),
            Close::refused(&AuthError::SeveralHeaders),
            Close::two_callers(),
            Close::another_caller(),
            Close::other_rights(),
            Close::expired(),
            Close::revoked(),
            Close::unread(),
            Close::going_away(),
            Close::too_big(usize::MAX),
        ] {
            assert!(close.reason.len() < REASON_BYTES_MAX, "{close:?}");
        }
    }
}

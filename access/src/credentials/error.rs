//! Why a credential could not be changed.

use store::StoreError;

use crate::NoRandomness;

/// Why a credential could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It can't be called so.
    #[error("{0:?} can't be a name: expected 1 to 128 letters, digits, '-', '_' and '.'")]
    Name(String),
    /// There is one of this name.
    #[error("there is a key {0:?} already: choose another name, or rotate or revoke that one")]
    Taken(String),
    /// There is a client of this name.
    #[error("there is a client {0:?} already: choose another name, or rotate or remove that one")]
    TakenClient(String),
    /// It is not one that can be made.
    #[error("client {0:?} is one of the configuration, or Tidegate's own: choose another name")]
    Reserved(String),
    /// There is no such client.
    #[error("there is no client {0:?} but perhaps in the configuration: list those that there are")]
    NoClient(String),
    /// There is none.
    #[error("there is no key {0:?}: list those that there are")]
    NoKey(String),
    /// It could do nothing.
    #[error("it needs roles: some of data.read, data.write, data.admin, or of those that a [[rule]] names")]
    NoRoles,
    /// Rules know no such role.
    #[error(
        "there is no role {0:?}: expected data.read, data.write, data.admin, or one that a [[rule]] names"
    )]
    UnknownRole(String),
    /// Nobody gives more than it has.
    #[error("it gets no role that you do not have yourself, and {0} is none of yours")]
    Beyond(String),
    /// It would be good no more.
    #[error("a key's end must lie ahead")]
    Ended,
    /// Neither of the two.
    #[error("the old secret may go on for 0 seconds to 30 days")]
    Overlap,
    /// There are too many.
    #[error("there are {0} already, which is the most ({1}): remove some, or raise it")]
    Full(usize, &'static str),
    /// What is to be denied can't be.
    #[error("this can't be denied: {0}")]
    Target(&'static str),
    /// Whoever asks would shut itself out.
    #[error("that is yourself: somebody else has to do it, or deny what was given before now instead")]
    Yourself,
    /// There is no such denial.
    #[error("there is no denial {0:?}: list those that there are")]
    NoDenial(String),
    /// Others change the same.
    #[error("others change the same just now: try again")]
    Busy,
    /// No secret could be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The store can't be asked.
    #[error("the store can't answer now: try again")]
    Store(#[from] StoreError),
}

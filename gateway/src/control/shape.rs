//! What is known of a stream's JSON, place by place.

use async_graphql::{Context, Error, SimpleObject};
use schema::shape::{Below, Learned};

use super::{store, stream, unavailable};

/// What is known of a stream's JSON.
#[derive(SimpleObject)]
pub struct Shape {
    /// Counts its changes.
    version: u64,
    /// Whether something was too much to be learned: too many fields, too deep, a name too long.
    cut: bool,
    /// Every place at which a value was seen.
    places: Vec<Place>,
}

/// A place in a stream's JSON.
#[derive(SimpleObject)]
pub struct Place {
    /// Where: a JSON pointer, `*` standing for any element of a list or any member of a map.
    path: String,
    /// The kinds of values seen there: null, boolean, integer, float, text, object, array.
    kinds: Vec<&'static str>,
    /// Whether some of them were JSON inside strings.
    opened: bool,
}

pub(super) async fn places(ctx: &Context<'_>, name: &str) -> Result<Option<Shape>, Error> {
    let stream = stream(ctx, name)?;
    let shape = store(ctx)?.shape(stream.record.name()).await.map_err(|error| unavailable(&error))?;
    Ok(shape.map(|shape| {
        let mut places = Vec::new();
        let cut = walk(&shape.learned, "", &stream.hidden.root(), &mut places);
        Shape { version: shape.version, cut, places }
    }))
}

/// Appends `learned` and all below it that is not hidden; says whether anything there was cut.
fn walk(learned: &Learned, path: &str, hidden: &Below<'_>, places: &mut Vec<Place>) -> bool {
    if hidden.is_hidden() {
        return false;
    }
    let mut cut = learned.cut;
    let map = learned.map.iter().map(|below| ("*", &**below, hidden.any_member()));
    let elements = learned.elements.iter().map(|below| ("*", &**below, hidden.element()));
    let named = learned.fields.iter().map(|(name, below)| (&**name, below, hidden.member(name)));
    places.push(Place { path: path.to_owned(), kinds: learned.kinds.names(), opened: learned.opened });
    for (name, below, hidden) in named.chain(map).chain(elements) {
        let segment = name.replace('~', "~0").replace('/', "~1");
        cut |= walk(below, &format!("{path}/{segment}"), &hidden, places);
    }
    cut
}

//! The catalog: compared and set, so that nobody's change is lost.

use schema::shape::Shape;
use schema::{Stream, StreamName, Timestamp};

use super::Outcome;
use super::fixture::{fresh_stream, sound};
use crate::{Store, StoreError, StreamRecord};

/// An entry is written only over the one it was made from.
pub async fn streams_are_compared_and_set<S: Store>(store: &S) -> Outcome {
    let name = fresh_stream("catalog");
    let first = record(&name);
    let before = store.catalog_revision().await?;
    let mut ahead = first.clone();
    ahead.version = 2;
    assert!(!store.put_stream(&ahead).await?, "there is no version 1");
    assert!(store.put_stream(&first).await?);
    assert!(!store.put_stream(&first).await?, "version 1 is there");
    assert_eq!(find(store, &name).await?.as_ref(), Some(&first));
    let after = store.catalog_revision().await?;
    assert_ne!(before, after, "the revision tells of the change");

    let mut definition = first.current().clone();
    definition.time = Some(sound("/at".parse()));
    let Some(second) = first.redefined(definition, Timestamp(7)) else { return Ok(()) };
    assert!(store.put_stream(&second).await?);
    assert!(!store.put_stream(&first).await?);
    assert!(!store.put_stream(&second).await?);
    assert_eq!(find(store, &name).await?, Some(second));
    assert_ne!(store.catalog_revision().await?, after);
    let names: Vec<StreamName> = store.streams().await?.iter().map(|record| record.name().clone()).collect();
    assert!(names.is_sorted(), "{names:?}");
    Ok(())
}

/// So is a shape.
pub async fn shapes_are_compared_and_set<S: Store>(store: &S) -> Outcome {
    let name = fresh_stream("shape");
    assert_eq!(store.shape(&name).await?, None);
    let shape = |version| Shape { version, ..Shape::default() };
    assert!(!store.put_shape(&name, &shape(2)).await?, "there is no version 1");
    assert!(!store.put_shape(&name, &shape(0)).await?, "versions begin at 1");
    for version in 1..4 {
        let before = store.catalog_revision().await?;
        assert!(store.put_shape(&name, &shape(version)).await?);
        assert_ne!(store.catalog_revision().await?, before, "the revision tells of the change");
        assert!(!store.put_shape(&name, &shape(version)).await?);
        assert_eq!(store.shape(&name).await?, Some(shape(version)));
    }
    assert_eq!(store.shape(&fresh_stream("shape")).await?, None);
    Ok(())
}

/// Of several that write the same version at once, one is told that it did.
pub async fn of_writers_at_once_one_wins<S: Store>(store: &S) -> Outcome {
    let name = fresh_stream("race");
    let first = record(&name);
    let put = || store.put_stream(&first);
    let (a, b, c, d) = tokio::join!(put(), put(), put(), put());
    let won = [a?, b?, c?, d?].into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    Ok(())
}

fn record(name: &StreamName) -> StreamRecord {
    StreamRecord::new(Stream::with_defaults(name.clone()), &[])
}

async fn find<S: Store>(store: &S, name: &StreamName) -> Result<Option<StreamRecord>, StoreError> {
    Ok(store.streams().await?.into_iter().find(|record| record.name() == name))
}

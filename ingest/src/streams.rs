//! The streams that are known here: those of the catalog, held in memory for routing, and made on first use where that is
//! allowed.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use schema::{Stream, StreamName, Timestamp, TopicRule};
use store::{Store, StoreError, StreamRecord};
use tokio::sync::Mutex;

/// The stream of `POST /data`: a caller writes, and reads, its own topic.
pub(crate) const OWN_DATA: &str = "data";

/// Why a stream can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamsError {
    /// It does not exist, and the configuration does not let it be made.
    #[error("add it to the configuration, as [[stream]] with name = \"{0}\"")]
    NotConfigured(StreamName),
    /// There are as many as there may be.
    #[error("there are {0} streams already, and that is the most that may be made on first use")]
    TooMany(usize),
    /// The catalog can't be read or written now.
    #[error("the catalog of streams can't be reached")]
    Store(#[from] StoreError),
}

/// The known streams. Clones share them.
#[derive(Clone)]
pub(crate) struct Streams {
    store: Arc<dyn Store>,
    known: Arc<RwLock<Known>>,
    /// Held while the catalog is read or changed, so that many first uses at once are one.
    changing: Arc<Mutex<()>>,
    streams_max: usize,
    create: bool,
}

#[derive(Default)]
struct Known {
    records: BTreeMap<StreamName, Arc<StreamRecord>>,
    /// The catalog's revision that they were read at.
    revision: Option<u64>,
}

impl Streams {
    /// Reads the catalog.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        streams_max: usize,
        create: bool,
    ) -> Result<Self, StoreError> {
        let (known, changing) = (Arc::default(), Arc::default());
        let streams = Self { store, known, changing, streams_max, create };
        streams.refresh().await?;
        Ok(streams)
    }

    /// Puts what the configuration says of streams into the catalog, in force `since` then.
    pub(crate) async fn define(&self, definitions: Vec<Stream>, since: Timestamp) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        for definition in definitions {
            loop {
                let known = self.get(&definition.name);
                let next = match &known {
                    Some(record) => record.redefined(definition.clone(), since),
                    None => Some(self.first_record(definition.clone())),
                };
                let Some(next) = next else { break };
                if self.put(next).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The stream of that name, if it is known here.
    pub(crate) fn get(&self, name: &StreamName) -> Option<Arc<StreamRecord>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).records.get(name).cloned()
    }

    /// All streams known here.
    pub(crate) fn all(&self) -> Vec<Arc<StreamRecord>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).records.values().cloned().collect()
    }

    /// Whether a stream of that name is known, here or in the catalog, or may be made; nothing is made.
    ///
    /// `None` where it would have to be made, and may be.
    pub(crate) async fn find(&self, name: &StreamName) -> Result<Option<Arc<StreamRecord>>, StreamsError> {
        if let Some(record) = self.get(name) {
            return Ok(Some(record));
        }
        let _changing = self.changing.lock().await;
        self.refresh().await?;
        match self.get(name) {
            Some(record) => Ok(Some(record)),
            None => self.may_create(name).map(|()| None),
        }
    }

    /// The stream of that name, made now where that is allowed.
    pub(crate) async fn get_or_create(&self, name: &StreamName) -> Result<Arc<StreamRecord>, StreamsError> {
        self.ensure(name, true).await
    }

    /// The stream of that name, made now in any case: for records that were accepted, and must not be lost with a
    /// catalog that does not know their stream (any more).
    pub(crate) async fn restore(&self, name: &StreamName) -> Result<Arc<StreamRecord>, StreamsError> {
        self.ensure(name, false).await
    }

    async fn ensure(&self, name: &StreamName, bounded: bool) -> Result<Arc<StreamRecord>, StreamsError> {
        loop {
            if let Some(record) = self.get(name) {
                return Ok(record);
            }
            let _changing = self.changing.lock().await;
            self.refresh().await?;
            if self.get(name).is_some() {
                continue;
            }
            if bounded {
                self.may_create(name)?;
            }
            self.put(self.first_record(first_definition(name))).await?;
        }
    }

    fn may_create(&self, name: &StreamName) -> Result<(), StreamsError> {
        if !self.create {
            return Err(StreamsError::NotConfigured(name.clone()));
        }
        let count = self.known.read().unwrap_or_else(PoisonError::into_inner).records.len();
        if count >= self.streams_max { Err(StreamsError::TooMany(count)) } else { Ok(()) }
    }

    fn first_record(&self, definition: Stream) -> StreamRecord {
        let others: Vec<StreamRecord> = self.all().iter().map(|record| record.as_ref().clone()).collect();
        // Keyed by the operating system's randomness, so that a stream of the same name made anew is told from this one.
        let incarnation = RandomState::new().hash_one(&definition.name);
        StreamRecord { incarnation, ..StreamRecord::new(definition, &others) }
    }

    /// Writes an entry, and knows it from then on. `false` if another one was there first, which is known then.
    async fn put(&self, record: StreamRecord) -> Result<bool, StoreError> {
        if !self.store.put_stream(&record).await? {
            self.refresh().await?;
            return Ok(false);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.records.insert(record.name().clone(), Arc::new(record));
        Ok(true)
    }

    /// Reads the catalog again, if it has changed since.
    async fn refresh(&self) -> Result<(), StoreError> {
        let revision = Some(self.store.catalog_revision().await?);
        if self.known.read().unwrap_or_else(PoisonError::into_inner).revision == revision {
            return Ok(());
        }
        let records = self.store.streams().await?;
        let records = records.into_iter().map(|record| (record.name().clone(), Arc::new(record))).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { records, revision };
        Ok(())
    }
}

/// How a stream is defined that is made on first use.
pub(crate) fn first_definition(name: &StreamName) -> Stream {
    let mut definition = Stream::with_defaults(name.clone());
    if name.as_str() == OWN_DATA {
        definition.topic = TopicRule::Caller;
    }
    definition
}

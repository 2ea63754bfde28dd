//! The same rows by the driver alone: into a table like the store's, in the same batches, with nothing decided and nothing
//! remembered.

use std::collections::HashMap;

use futures_util::stream::{StreamExt, TryStreamExt, iter};
use schema::{Message, Topic};
use scylla::client::session::Session;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;

/// As the store has it.
const ROWS_A_REQUEST: usize = 100;
const AT_ONCE: usize = 64;

const TABLE: &str = "CREATE TABLE bare (stream text, topic text, width bigint, start bigint, part int, time bigint, \
    position blob, arrived_at bigint, time_source tinyint, partition_key text, raw blob, \
    PRIMARY KEY ((stream, topic, width, start, part), time, position)) WITH CLUSTERING ORDER BY (time DESC, position DESC)";
const INSERT: &str = "INSERT INTO bare (stream, topic, width, start, part, time, position, arrived_at, time_source, \
    partition_key, raw) VALUES ('s', ?, 1, 0, 0, ?, ?, ?, 0, ?, ?) USING TTL 2592000";
const NEWEST: &str = "SELECT time, position, arrived_at, time_source, partition_key, raw FROM bare \
    WHERE stream = 's' AND topic = ? AND width = 1 AND start = 0 AND part = 0 LIMIT 100";

/// The driver, and its statements.
pub struct Bare {
    session: Session,
    insert: PreparedStatement,
    newest: PreparedStatement,
}

impl Bare {
    pub async fn new(session: Session) -> Self {
        session.query_unpaged(TABLE, &[]).await.expect("a table");
        let insert = session.prepare(INSERT).await.expect("prepared");
        let newest = session.prepare(NEWEST).await.expect("prepared");
        Self { session, insert, newest }
    }

    /// Writes messages, each topic's together.
    pub async fn write(&self, messages: &[Message]) {
        let mut topics: HashMap<&Topic, Vec<&Message>> = HashMap::new();
        for message in messages {
            topics.entry(&message.topic).or_default().push(message);
        }
        let requests = topics.values().flat_map(|messages| messages.chunks(ROWS_A_REQUEST));
        let writes: Vec<_> = requests.map(|rows| self.request(rows)).collect();
        iter(writes).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
    }

    async fn request(&self, messages: &[&Message]) {
        let rows: Vec<_> = messages
            .iter()
            .map(|message| {
                let mut position = Vec::with_capacity(32);
                message.position.sequence.encode(&mut position);
                let (time, arrived_at) = (message.time.0, message.arrived_at.0);
                (message.topic.as_str(), time, position, arrived_at, &*message.key, &message.raw[..])
            })
            .collect();
        if let [row] = &rows[..] {
            self.session.execute_unpaged(&self.insert, row).await.expect("written");
            return;
        }
        let statements = vec![BatchStatement::PreparedStatement(self.insert.clone()); rows.len()];
        let batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        self.session.batch(&batch, &rows).await.expect("written");
    }

    /// The newest 100 of a topic, each column read; gives how many there are.
    pub async fn newest(&self, topic: &Topic) -> usize {
        let answer = self.session.execute_unpaged(&self.newest, (topic.as_str(),)).await.expect("an answer");
        let answer = answer.into_rows_result().expect("rows");
        let rows = answer.rows::<(i64, &[u8], i64, i8, &str, &[u8])>().expect("rows of these types");
        rows.map(|row| row.expect("a row").5.len()).filter(|bytes| *bytes > 0).count()
    }

    /// All rows of a topic, by the driver's own pages; gives how many there are.
    pub async fn all(&self, topic: &Topic) -> usize {
        let text = NEWEST.replace(" LIMIT 100", "");
        let statement = self.session.prepare(text).await.expect("prepared");
        let rows = self.session.execute_iter(statement, (topic.as_str(),)).await.expect("pages");
        let rows =
            rows.rows_stream::<(i64, Vec<u8>, i64, i8, String, Vec<u8>)>().expect("rows of these types");
        rows.try_fold(0, |count, _| async move { Ok(count + 1) }).await.expect("rows")
    }
}

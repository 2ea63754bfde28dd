//! Every statement, prepared once. The driver finds the replicas of a row by what it knows of a prepared statement's key.

use scylla::client::session::Session;
use scylla::errors::PrepareError;
use scylla::statement::Consistency;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;

macro_rules! statements {
    ($($name:ident = $cql:literal;)+) => {
        /// The statements, by what they do.
        #[derive(Debug)]
        pub(super) struct Statements {
            $(pub(super) $name: PreparedStatement,)+
        }

        impl Statements {
            /// Prepares all of them: the keyspace in use must have the tables.
            pub(super) async fn prepare(session: &Session) -> Result<Self, PrepareError> {
                let mut statements = Self { $($name: session.prepare($cql).await?,)+ };
                $(
                    let is_plain = !$cql.contains(" IF ");
                    statements.$name.set_is_idempotent(is_plain);
                    // Which columns an answer has is known: each is named, and no migration changes its type. A compare-and-set
                    // answers with those of the row only where it was refused.
                    statements.$name.set_use_cached_result_metadata(is_plain);
                )+
                // A compare-and-set that nobody has answered is settled by a read of this kind, and by no other.
                for serial in [&mut statements.lease_settled, &mut statements.entry_settled] {
                    serial.set_consistency(Consistency::Serial);
                }
                Ok(statements)
            }
        }
    };
}

statements! {
    insert_message = "INSERT INTO messages (stream, topic, width, start, part, time, position, arrived_at, time_source, partition_key, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?";
    messages_ascending = "SELECT time, position, arrived_at, time_source, partition_key, raw FROM messages WHERE stream = ? AND topic = ? AND width = ? AND start = ? AND part = ? AND (time, position) > (?, ?) AND (time, position) < (?, ?) ORDER BY time ASC, position ASC LIMIT ?";
    messages_descending = "SELECT time, position, arrived_at, time_source, partition_key, raw FROM messages WHERE stream = ? AND topic = ? AND width = ? AND start = ? AND part = ? AND (time, position) > (?, ?) AND (time, position) < (?, ?) LIMIT ?";
    count_messages = "SELECT COUNT(*) FROM messages WHERE stream = ? AND topic = ? AND width = ? AND start = ? AND part = ?";

    insert_bucket = "INSERT INTO topic_buckets (stream, topic, end_time, width, part, row_bytes) VALUES (?, ?, ?, ?, ?, ?) USING TTL ? AND TIMESTAMP ?";
    newest_part = "SELECT part, row_bytes FROM topic_buckets WHERE stream = ? AND topic = ? AND end_time = ? AND width = ? LIMIT 1";
    buckets_oldest = "SELECT end_time, width, part, row_bytes FROM topic_buckets WHERE stream = ? AND topic = ? AND end_time > ? ORDER BY end_time ASC, width DESC, part ASC LIMIT ?";
    buckets_newest = "SELECT end_time, width, part, row_bytes FROM topic_buckets WHERE stream = ? AND topic = ? AND end_time > ? AND end_time < ? LIMIT ?";
    buckets_ending = "SELECT end_time, width, part, row_bytes FROM topic_buckets WHERE stream = ? AND topic = ? AND end_time IN ?";

    insert_topic = "INSERT INTO topics (stream, shard, topic) VALUES (?, ?, ?) USING TTL ? AND TIMESTAMP ?";
    first_time = "UPDATE topics USING TTL ? AND TIMESTAMP ? SET first_time = ? WHERE stream = ? AND shard = ? AND topic = ?";
    last_time = "UPDATE topics USING TTL ? AND TIMESTAMP ? SET last_time = ? WHERE stream = ? AND shard = ? AND topic = ?";
    topics = "SELECT topic, first_time, last_time FROM topics WHERE stream = ? AND shard = ? AND topic >= ? LIMIT ?";

    insert_journal = "INSERT INTO journal (stream, partition, slot, last, after, messages) VALUES (?, ?, ?, ?, ?, ?) USING TTL ?";
    next_journal = "SELECT last, after, messages FROM journal WHERE stream = ? AND partition = ? AND slot = ? AND last > ? LIMIT ?";
    scan_journal = "SELECT last, after FROM journal WHERE stream = ? AND partition = ? AND slot = ? AND (last, after) > (?, ?) LIMIT ?";
    journal_row = "SELECT messages FROM journal WHERE stream = ? AND partition = ? AND slot = ? AND last = ? AND after = ?";

    insert_id = "INSERT INTO ids (stream, id, generation, sequence, sub, arrived_at) VALUES (?, ?, ?, ?, ?, ?) USING TTL ?";
    ids_before = "SELECT id, generation, sequence, sub, arrived_at FROM ids WHERE stream = ? AND id IN ? AND (generation, sequence, sub) < (?, ?, ?) PER PARTITION LIMIT ?";
    earlier_ids = "SELECT generation, sequence, sub, arrived_at FROM ids WHERE stream = ? AND id = ? AND (generation, sequence, sub) < (?, ?, ?) LIMIT ?";

    insert_partition = "INSERT INTO partitions (stream, partition) VALUES (?, ?)";
    delete_partition = "DELETE FROM partitions WHERE stream = ? AND partition = ?";
    partitions = "SELECT partition FROM partitions WHERE stream = ?";

    lease = "SELECT epoch, checkpoint, slots, slot_rows, slot_bytes, owner, parents, wanted_by, generation, registered_at, reads_from FROM leases WHERE stream = ? AND partition = ?";
    lease_settled = "SELECT epoch, checkpoint, slots, slot_rows, slot_bytes, owner, parents, wanted_by, generation, registered_at, reads_from FROM leases WHERE stream = ? AND partition = ?";
    first_lease = "INSERT INTO leases (stream, partition, epoch, checkpoint, slots, parents, generation, registered_at, reads_from, slot_rows, slot_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0) IF NOT EXISTS";
    claim_lease = "UPDATE leases SET epoch = ?, owner = ?, wanted_by = null WHERE stream = ? AND partition = ? IF epoch = ? AND checkpoint = ?";
    ask_for_lease = "UPDATE leases SET wanted_by = ? WHERE stream = ? AND partition = ? IF epoch = ?";
    release_lease = "UPDATE leases SET owner = null WHERE stream = ? AND partition = ? IF epoch = ?";
    checkpoint = "UPDATE leases SET checkpoint = ?, slots = ?, slot_rows = ?, slot_bytes = ? WHERE stream = ? AND partition = ? IF epoch = ? AND checkpoint = ?";

    delete_lease = "DELETE FROM leases WHERE stream = ? AND partition = ? IF checkpoint = ?";

    insert_heartbeat = "INSERT INTO heartbeats (stream, partition, epoch, beat, lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?";
    heartbeat = "SELECT beat, lag_ms, unmarked_ms, bytes_per_second, throttles, retries, dead_letters FROM heartbeats WHERE stream = ? AND partition = ? AND epoch = ?";

    entries = "SELECT name, version, document FROM catalog WHERE shelf = ? AND kind = ?";
    entry = "SELECT version, document FROM catalog WHERE shelf = ? AND kind = ? AND name = ?";
    entry_settled = "SELECT version, document FROM catalog WHERE shelf = ? AND kind = ? AND name = ?";
    first_entry = "INSERT INTO catalog (shelf, kind, name, version, document) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS";
    next_entry = "UPDATE catalog SET version = ?, document = ? WHERE shelf = ? AND kind = ? AND name = ? IF version = ?";
    remove_entry = "DELETE FROM catalog WHERE shelf = ? AND kind = ? AND name = ? IF version = ?";
    set_revision = "UPDATE catalog SET revision = ? WHERE shelf = ?";
    revision = "SELECT revision FROM catalog WHERE shelf = ? LIMIT 1";

    insert_dead_letter = "INSERT INTO dead_letters (stream, partition, sequence, sub, arrived_at, partition_key, reason, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?";
    dead_letters = "SELECT sequence, sub, arrived_at, partition_key, reason, raw, removed FROM dead_letters WHERE stream = ? AND partition = ? AND (sequence, sub) > (?, ?) LIMIT ?";
    dead_letter = "SELECT sequence, sub, arrived_at, partition_key, reason, raw, removed FROM dead_letters WHERE stream = ? AND partition = ? AND sequence = ? AND sub = ?";
    dead_letter_left = "SELECT arrived_at, TTL(arrived_at) FROM dead_letters WHERE stream = ? AND partition = ? AND sequence = ? AND sub = ?";
    remove_dead_letter = "UPDATE dead_letters USING TTL ? SET removed = true, partition_key = null, reason = null, raw = null WHERE stream = ? AND partition = ? AND sequence = ? AND sub = ?";
}

impl Statements {
    /// Changes an entry of a shelf by `write` and the revision to the new one, both or none.
    pub(super) fn with_revision(&self, write: &PreparedStatement) -> Batch {
        let statements = [write, &self.set_revision];
        let statements = statements.map(|statement| BatchStatement::PreparedStatement(statement.clone()));
        Batch::new_with_statements(BatchType::Unlogged, statements.into())
    }
}

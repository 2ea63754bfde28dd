//! How the node is set up: one token, loopback, little memory, a password, TLS for those who want it.

use std::fs;
use std::io;
use std::path::Path;

use super::tls;

/// When the node answers a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Once it is on disk: what was answered outlives the process.
    WhenSynced,
    /// At once. A node that is killed loses what it answered in its last tenth of a second, which a cluster has elsewhere.
    AtOnce,
}

/// Writes the files that the node reads at its start. `keys` has the node's key and certificate.
pub(super) fn write(
    folder: &Path,
    [port, storage_port]: [u16; 2],
    keys: &Path,
    answers: Answers,
) -> io::Result<()> {
    let commit_log = match answers {
        Answers::WhenSynced => "commitlog_sync: batch",
        Answers::AtOnce => "commitlog_sync: periodic\ncommitlog_sync_period: 1000ms",
    };
    let yaml = yaml(&folder.to_string_lossy(), port, storage_port, &keys.to_string_lossy());
    fs::write(folder.join("cassandra.yaml"), format!("{yaml}{commit_log}\n"))?;
    fs::write(folder.join("logback.xml"), LOGGING)
}

const LOGGING: &str = r#"<configuration>
<appender name="F" class="ch.qos.logback.core.FileAppender"><file>${cassandra.logdir}/system.log</file>
<encoder><pattern>%-5level %d{HH:mm:ss.SSS} [%thread] %F:%L %m%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="F"/></root></configuration>
"#;

fn yaml(folder: &str, port: u16, storage_port: u16, keys: &str) -> String {
    let keys_password = tls::PASSWORD;
    format!(
        r#"cluster_name: tidegate
num_tokens: 1
initial_token: "0"
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {storage_port}
native_transport_port: {port}
start_native_transport: true
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{{seeds: "127.0.0.1:{storage_port}"}}]
data_file_directories: ["{folder}/data"]
commitlog_directory: "{folder}/commitlog"
saved_caches_directory: "{folder}/saved_caches"
hints_directory: "{folder}/hints"
commitlog_disk_access_mode: legacy
storage_compatibility_mode: NONE
memtable_allocation_type: offheap_objects
memtable_heap_space: 128MiB
memtable_offheap_space: 256MiB
memtable:
  configurations:
    trie: {{class_name: TrieMemtable}}
    default: {{inherits: trie}}
sstable: {{selected_format: bti}}
file_cache_size: 128MiB
key_cache_size: 16MiB
counter_cache_size: 0MiB
concurrent_reads: 16
concurrent_writes: 32
concurrent_compactors: 1
auto_snapshot: false
hinted_handoff_enabled: false
authenticator: PasswordAuthenticator
role_manager: CassandraRoleManager
authorizer: AllowAllAuthorizer
client_encryption_options:
  enabled: true
  optional: true
  require_client_auth: false
  keystore: "{keys}"
  keystore_password: {keys_password}
  store_type: PKCS12
"#
    )
}

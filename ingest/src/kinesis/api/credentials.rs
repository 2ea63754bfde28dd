//! Whose name requests are signed in: what the environment, a profile, a role or the machine says.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_kinesis::config::{Region, SharedHttpClient};

/// Longest wait for a machine's own metadata. It answers at once where there is one; off AWS there is none, and who has forgotten
/// to name credentials is to hear it soon.
const METADATA_WAIT: Duration = Duration::from_millis(500);

/// The chain that AWS's own tools use: environment, profile, web identity, container, machine.
pub(super) async fn chain(region: Region, http: SharedHttpClient) -> DefaultCredentialsChain {
    let config = ProviderConfig::without_region().with_region(Some(region.clone())).with_http_client(http);
    let metadata = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(METADATA_WAIT)
        .read_timeout(METADATA_WAIT)
        .build();
    DefaultCredentialsChain::builder().imds_client(metadata).region(region).configure(config).build().await
}

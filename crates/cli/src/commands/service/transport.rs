//! From the settings to what distributes jobs.

use std::sync::Arc;

use fathom_config::{Config, TransportType};
use fathom_queue::{Kind, Settings, Transport, Type};

use crate::exit::Failure;

/// What distributes jobs, where the settings name something beside the store.
pub(super) async fn open(
    config: &Config,
    consumer: &str,
) -> Result<Option<Arc<dyn Transport>>, Failure> {
    let kind = match config.transport.kind {
        TransportType::Store => return Ok(None),
        TransportType::Folder => Type::Folder,
        TransportType::Redis => Type::Redis,
        TransportType::Amqp => Type::Amqp,
        TransportType::Kafka => Type::Kafka,
        TransportType::Http => {
            return Err(Failure::Usage(
                "transport.type: this version has no workers over http; let them use the store, or a \
                 broker"
                    .to_owned(),
            ));
        }
    };
    let given = &config.transport.config;
    let mut settings = Settings::new(kind);
    settings.urls = given.addresses().map(|url| url.expose().to_owned()).collect();
    settings.username = given.username.clone();
    settings.password = given.password.as_ref().map(|it| it.expose().to_owned());
    settings.authority = given.tls.ca_file.clone();
    settings.queue = match kind {
        Type::Redis => given.stream.clone(),
        Type::Kafka => given.topic.clone(),
        _ => given.queue.clone(),
    };
    settings.exchange = given.exchange.clone();
    settings.group = given.group.clone();
    settings.consumer = name(consumer);
    settings.pools = vec![config.worker.pool.clone()];
    settings.durable = given.durable;
    settings.prefetch = given.prefetch;
    settings.folder = given.folder.clone().unwrap_or_default();
    settings.max_body = usize::try_from(given.max_message.get()).unwrap_or(usize::MAX);
    match fathom_queue::open(&settings).await {
        Ok(transport) => Ok(Some(Arc::from(transport))),
        Err(error) => {
            let why = match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            let kind = format!("transport {}", kind_name(config.transport.kind));
            Err(match error.kind() {
                Kind::Invalid => Failure::Usage(format!("{kind}: {why}")),
                _ => fathom_block::Error::unreachable(kind, why).into(),
            })
        }
    }
}

fn kind_name(kind: TransportType) -> &'static str {
    match kind {
        TransportType::Store => "store",
        TransportType::Folder => "folder",
        TransportType::Http => "http",
        TransportType::Redis => "redis",
        TransportType::Amqp => "amqp",
        TransportType::Kafka => "kafka",
    }
}

/// A name that brokers take: names of hosts and people have more letters than they do.
fn name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = text.chars().map(|c| if plain(c) { c } else { '-' }).take(100).collect();
    name.trim_start_matches('.').to_owned()
}

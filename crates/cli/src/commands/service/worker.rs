//! `fathom worker`: does the jobs of a service elsewhere.

use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tracing::info;

use super::{block_on, host, open, path, paths, settings, transport, watched};
use crate::args::WorkerOptions;
use crate::exit::{Failure, Verdict};
use crate::interrupt::HalfWritten;

pub(crate) fn run(options: &WorkerOptions) -> Result<Verdict, Failure> {
    let config = settings(
        &options.settings,
        [
            ("log.level", options.logging.level.clone()),
            ("log.format", options.logging.format.clone()),
            ("worker.id", options.id.clone()),
            ("worker.pool", options.pool.clone()),
            ("worker.concurrency", options.concurrency.map(|places| places.to_string())),
            ("data_folder", path(options.data.as_ref())),
            ("worker.image_roots", paths(&options.images)),
        ],
    )?;
    let mut registry = Registry::default();
    let _watched = watched::begin(&config, &mut registry)?;
    let say = |message: &str| watched::say(&config, message);
    // What is being done is ended, not cut off.
    let _ending = HalfWritten::begin();
    block_on(async {
        let store = open(&config).await?;
        let transport = transport::open(&config, &host::name(&config)).await?;
        let places = host::Places::of(&config)?;
        let desk = host::desk(store.clone(), transport.clone(), Some(&places));
        let (stop, stopped) = watch::channel(false);
        let advisories = host::advisories(&config);
        let known = advisories.clone();
        let (worker, description) =
            host::worker(&config, &desk, transport, &places, known, &mut registry, stopped).await?;
        if config.metrics.enabled {
            let rules = fathom_server::Rules::default();
            let version = env!("CARGO_PKG_VERSION");
            let service = fathom_server::Service::new(desk.clone(), rules, registry, version);
            let at = config.metrics.address();
            let counted = fathom_server::metrics_only(service, at, &config.metrics.path)
                .map_err(Failure::host(format!("listening at {at} for what is counted")))?;
            let at = counted.address().map_err(Failure::host("listening"))?;
            tokio::spawn(counted.run());
            say(&format!("what is counted is at http://{at}{}", config.metrics.path));
        }
        let rematching = advisories.map(|known| host::rematching(store.clone(), known));
        let housekeeping = host::housekeeping(desk, &config);
        say(&format!(
            "worker {} of pool {} does {} jobs at once, kept in {}",
            description.worker_id,
            description.configuration.pool,
            description.configuration.concurrency,
            config.store.url
        ));
        host::told_to_end().await;
        info!("ending: what was begun is finished first; once more ends at once");
        stop.send_replace(true);
        let _ = worker.await;
        housekeeping.abort();
        rematching.inspect(tokio::task::JoinHandle::abort);
        store.close().await;
        Ok(Verdict::Done)
    })
}

//! Metrics for Prometheus: what the sources of a service report to the `metrics` facade.
//!
//! Switch the feature `metrics` on and install a recorder before the first token is fetched. Here one
//! request fails first, so that there is something to see.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;

use auth_sandbox::{Fault, Sandbox};
use manis_auth::{CachedTokenSource, Env, Manis};
use metrics_exporter_prometheus::PrometheusBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let prometheus = PrometheusBuilder::new().install_recorder()?;

    let sandbox = Sandbox::start().await?;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Status(503), 1);
    // In a service: `Manis::from_env()?`.
    let tokens = CachedTokenSource::new(Manis::read_env(&Env::from_pairs(manis.env()))?)?;
    for _ in 0..3 {
        tokens.token().await?;
    }

    // In a service: the answer of `GET /metrics`.
    let text = prometheus.render();
    print!("{text}");
    for line in [
        r#"auth_token_requests_total{provider="manis",outcome="Unavailable"} 1"#,
        r#"auth_token_requests_total{provider="manis",outcome="granted"} 1"#,
        r#"auth_token_reads_total{provider="manis",read="fresh"} 2"#,
    ] {
        if !text.contains(line) {
            return Err(format!("not reported: {line}").into());
        }
    }
    Ok(())
}

//! Traces for OpenTelemetry: each exchange is a span with the fields of the HTTP conventions.
//!
//! The crates speak `tracing`; `tracing-opentelemetry` passes its spans on. Here they are kept in memory and
//! printed, where a service would export them to a collector.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;

use auth_sandbox::Provider;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use papaya_auth::{CachedTokenSource, Papaya};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("payroll"));
    // Without the level, the HTTP client's own spans and events would come too.
    let level = tracing_subscriber::filter::LevelFilter::INFO;
    tracing_subscriber::registry().with(level).with(layer).init();

    // In a service: `Papaya::from_env()?`. Here the sandbox is used if nothing is set.
    let (env, _) = examples::settings(Provider::Papaya)?;
    let tokens =
        CachedTokenSource::builder(Papaya::read_env(&env)?).label("payroll run 7").build()?;
    tokens.token().await?;

    let spans = exporter.get_finished_spans()?;
    for span in &spans {
        println!("{} ({:?})", span.name, span.end_time.duration_since(span.start_time)?);
        for field in &span.attributes {
            println!("  {} = {}", field.key, field.value);
        }
        for event in span.events.iter() {
            println!("  - {}", event.name);
        }
    }
    let is_there = spans.iter().any(|span| span.name == "token_exchange");
    if is_there { Ok(()) } else { Err("no span of an exchange".into()) }
}

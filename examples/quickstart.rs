//! A token from each of the five providers.
//!
//! If a provider's variables are set, the request goes to the real endpoint, otherwise to a sandbox
//! inside this process. Each row shows a first token, a second call from the cache, and, on the
//! sandbox, the protected API's response.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use auth_sandbox::Provider;
use provider_auth::core::{CachedTokenSource, Env, Error as AuthError, SharedTokenSource};
use provider_auth::digishare::source_read_env;
use provider_auth::digitalpaye::Digitalpaye;
use provider_auth::manis::Manis;
use provider_auth::papaya::Papaya;
use provider_auth::tresorpay::TresorPay;

const PROVIDERS: [Provider; 5] = [
    Provider::Digitalpaye,
    Provider::Digishare,
    Provider::TresorPay,
    Provider::Papaya,
    Provider::Manis,
];

/// One source per provider. A service calls `from_env()` instead of `read_env`.
fn source(provider: Provider, env: &Env) -> Result<SharedTokenSource, AuthError> {
    Ok(match provider {
        Provider::Digitalpaye => CachedTokenSource::new(Digitalpaye::read_env(env)?)?.into(),
        Provider::Digishare => source_read_env(env)?,
        Provider::TresorPay => CachedTokenSource::new(TresorPay::read_env(env)?)?.into(),
        Provider::Papaya => CachedTokenSource::new(Papaya::read_env(env)?)?.into(),
        Provider::Manis => CachedTokenSource::new(Manis::read_env(env)?)?.into(),
        other => return Err(AuthError::config(format!("{other:?} is not known here"))),
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut rows =
        vec![["provider", "endpoint", "outcome", "lifetime", "took", "again"].map(String::from)];
    let mut faults = Vec::new();
    for provider in PROVIDERS {
        match row(provider).await {
            Ok(row) => rows.push(row),
            Err(fault) => {
                let name = provider.name();
                rows.push([name, "", "failed, see below", "", "", ""].map(String::from));
                // The crates' own errors already name the provider.
                let text = chain(&*fault);
                faults.push(if text.starts_with(name) { text } else { format!("{name}: {text}") });
            }
        }
    }
    print!("{}", table(&rows));
    if faults.is_empty() {
        println!("\n\"again\" is a second call: it is answered from the cache.");
        return ExitCode::SUCCESS;
    }
    eprintln!();
    for fault in faults {
        eprintln!("{fault}");
    }
    ExitCode::FAILURE
}

/// Requests a token from one provider and reports the outcome in a row.
async fn row(provider: Provider) -> Result<[String; 6], Box<dyn Error>> {
    let (env, api_url) = examples::settings(provider)?;
    let tokens = source(provider, &env)?;
    let began = now();
    let token = tokens.token().await?;
    let took = now().duration_since(began);
    let again = now();
    if !tokens.token().await?.ptr_eq(&token) {
        return Err("the second call did not come from the cache".into());
    }
    let again = now().duration_since(again);
    let (endpoint, outcome) = match &api_url {
        Some(url) => ("sandbox", format!("token, and the API said {}", call(url, tokens).await?)),
        None => ("real", "token".to_owned()),
    };
    let lifetime = token
        .expires_at()
        .and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH + wall()).ok())
        .map_or_else(|| "not stated".to_owned(), |left| span(left + Duration::from_millis(500)));
    let took = format!("{:.1} ms", took.as_secs_f64() * 1e3);
    let again = format!("{:.1} µs", again.as_secs_f64() * 1e6);
    Ok([provider.name().to_owned(), endpoint.to_owned(), outcome, lifetime, took, again])
}

/// Calls the protected route. The client puts the token on each request, and renews it after a 401.
async fn call(url: &str, tokens: SharedTokenSource) -> Result<String, Box<dyn Error>> {
    let api = auth_middleware::client(tokens)?;
    let status = api.get(url).header("accept", "application/json").send().await?.status();
    if status.is_success() {
        Ok(status.to_string())
    } else {
        Err(format!("the API said {status}").into())
    }
}

/// An error and its causes in one line.
fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        let _ = write!(text, " <- {inner}");
        cause = inner.source();
    }
    text
}

/// A duration for people.
fn span(left: Duration) -> String {
    match left.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 7_200 => format!("{} min", (seconds + 30) / 60),
        seconds if seconds < 172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        seconds => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

fn table(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let line: Vec<_> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
        if index == 0 {
            let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "{}", rule.join("  "));
        }
    }
    text
}

#[allow(clippy::disallowed_methods)] // how long a call took is for people
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods)] // what is left of a token is for people
fn wall() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

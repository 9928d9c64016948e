//! A warm request with a token put on it, against the same request with a ready header set by hand.
//!
//! Measured on one thread against an endpoint on loopback that answers at once: GET and read, one
//! after the other on one connection. Allocations are counted on that thread alone, which is not the
//! endpoint's. Over tower the layer is also counted above a service that answers without a network,
//! where nothing else allocates.

use auth_core::Endpoint;
use auth_middleware::{AuthLayer, AuthService, SendWith as _, TokenAuth};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use raw_client::{Client as Reqwest, Response};
use tokio::runtime::Runtime;
use tower::{Layer as _, Service, ServiceExt as _};

use super::{one_thread, warmed};
use crate::contender::{Typed, client};
use crate::loopback::Loopback;
use crate::report::{Report, Row};
use crate::timing::{Contender, now, number, take_turns};
use crate::{Failed, Options, Outcome};

/// Requests of one contender in one round.
const REQUESTS: u32 = 200;

type Body = Empty<&'static [u8]>;

/// One round of requests, in us each.
macro_rules! requests {
    ($name:literal, $runtime:expr, $answer:expr) => {{
        let round = move || {
            let took = $runtime.block_on(async {
                let began = now();
                for _ in 0..REQUESTS {
                    $answer;
                }
                Ok::<_, Failed>(began.elapsed())
            })?;
            Ok(took.as_secs_f64() * 1e6 / f64::from(REQUESTS))
        };
        ($name.to_owned(), Box::new(round) as Box<_>)
    }};
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let endpoint = Loopback::start()?;
    let runtime = one_thread()?;
    let url = &*endpoint.url();
    let tokens = warmed(&runtime, Typed::new(url, &client()?)?)?.0;
    let header = &runtime.block_on(tokens.token())?.authorization();
    let auth = &TokenAuth::new(tokens).host(Endpoint::parse(url)?);

    let policy = auth_middleware::redirect_policy();
    let plain = &Reqwest::builder().no_proxy().redirect(policy).build()?;
    let api = &auth_middleware::client_with(auth.clone(), Reqwest::builder())?;
    let hyper = &Client::builder(TokioExecutor::new()).build_http::<Body>();
    let layered = &AuthLayer::new(auth.clone())?.layer(hyper.clone());

    let on = &runtime;
    let contenders: Vec<Contender<'_>> = vec![
        requests!(
            "reqwest",
            on,
            whole(plain.get(url).header("authorization", header).send().await?).await?
        ),
        requests!("send_with", on, whole(plain.get(url).send_with(auth).await?).await?),
        requests!("client", on, whole(api.get(url).send().await?).await?),
        requests!("hyper", on, {
            let mut request = get(url)?;
            request.headers_mut().insert("authorization", header.clone());
            hyper.request(request).await?.into_body().collect().await?
        }),
        requests!("layer", on, {
            let answer = AuthService::oneshot(layered.clone(), get(url)?).await.map_err(boxed)?;
            answer.into_body().collect().await?
        }),
    ];
    let samples = take_turns(options, 60, contenders)?;
    let mut added = Vec::new();
    for (name, of) in [("reqwest", "reqwest"), ("send_with", "reqwest"), ("client", "reqwest")] {
        added.push((name, report.relative("attach", name, &samples, "us", of)));
    }
    for (name, of) in [("hyper", "hyper"), ("layer", "hyper")] {
        added.push((name, report.relative("attach", name, &samples, "us", of)));
    }
    let bare = tower::service_fn(async |request: http::Request<Body>| {
        drop(request);
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::new()))
    });
    let layered = AuthLayer::new(auth.clone())?.layer(bare);
    let (without, with) = (count(on, &bare, url)?, count(on, &layered, url)?);
    report.number("attach.layer.allocations", with - without, "allocations/request");

    let told = |name: &str| {
        let of = if name == "layer" { "hyper" } else { "reqwest" };
        format!("{name} {} × ({} us)", samples.ratio(name, of), samples.spread(name))
    };
    report.row(Row {
        scenario: "a warm request with a token put on it, on loopback",
        ours: format!(
            "{}; {}; {}; {} allocations of the layer's",
            told("client"),
            told("send_with"),
            told("layer"),
            number(with - without)
        ),
        must: "1.03 × the same request with the header set by hand",
        reached: added.iter().all(|(_, ratio)| ratio.median <= 1.03),
        references: format!(
            "reqwest {} us; hyper {} us",
            samples.spread("reqwest"),
            samples.spread("hyper")
        ),
    });
    Ok(())
}

fn get(url: &str) -> Outcome<http::Request<Body>> {
    Ok(http::Request::get(url).body(Body::new())?)
}

async fn whole(answer: Response) -> Outcome<bytes::Bytes> {
    Ok(answer.bytes().await?)
}

fn boxed(error: Box<dyn std::error::Error + Send + Sync>) -> Failed {
    Failed(error.to_string())
}

/// Allocations per request; those of `block_on` are in both runs and cancel out.
fn count<S>(runtime: &Runtime, service: &S, url: &str) -> Outcome<f64>
where
    S: Service<http::Request<Body>> + Clone,
{
    let mut counts = Vec::new();
    for requests in [100_u32, 1_100] {
        let mut outcome = Ok(());
        let info = allocation_counter::measure(|| {
            outcome = runtime.block_on(async {
                for _ in 0..requests {
                    let answer = service.clone().oneshot(get(url)?).await;
                    answer.map_err(|_| Failed("no answer".to_owned()))?;
                }
                Ok::<_, Failed>(())
            });
        });
        outcome?;
        counts.push(info.count_total as f64);
    }
    Ok(counts.iter().rev().copied().reduce(|more, less| more - less).unwrap_or(f64::NAN) / 1_000.0)
}

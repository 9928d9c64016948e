//! The control API: what a test does with a [`Handle`](crate::Handle), over HTTP and in any language. Its
//! page at `/` does the same by click.

mod fault;
mod guard;
mod page;
mod view;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::{Answer, JSON};
use crate::providers::Digishare;
use crate::request::Request;
use crate::{Account, Credentials, Handle, Provider};
use fault::Spec;

/// What the API answers, served as it stands.
const OPENAPI: &str = include_str!("control/openapi.json");

/// The control API of one sandbox.
pub(crate) struct Control {
    pub(crate) handles: [Handle; 5],
    pub(crate) digishare: Handle<Digishare>,
    /// The name under which other machines know this one.
    pub(crate) advertised: Option<String>,
}

/// A refusal: the status, and one line that says why.
type Refusal = (StatusCode, String);
type Answered = Result<Value, Refusal>;

/// Which provider, or all of them, and which of its accounts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    provider: Option<String>,
    account: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Injection {
    provider: Option<String>,
    account: Option<String>,
    fault: Spec,
    /// How much later, in seconds.
    delay: Option<f64>,
    /// For the next so many requests; without it, until it is cleared.
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    provider: String,
    account: Option<String>,
    secret: Option<String>,
    #[serde(default)]
    overlap: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    provider: Option<String>,
    seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    provider: Option<String>,
    refuse: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    provider: String,
    id: String,
    secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Control {
    /// The answer to a request. Nothing here waits.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let refused = guard::check(request, self.advertised.as_deref());
        let answered = refused
            .map_err(|(status, why)| (status, why.to_owned()))
            .and_then(|()| self.dispatch(request));
        guard::dress(answered.unwrap_or_else(|(status, why)| {
            Answer::new(status, JSON, json!({ "error": why }).to_string())
        }))
    }

    fn dispatch(&self, request: &Request) -> Result<Answer, Refusal> {
        if let Some(answer) = page::serve(request) {
            return Ok(answer);
        }
        let path = request.path().strip_prefix("/__sandbox/").unwrap_or_default();
        if (path, request.method.as_str()) == ("openapi.json", "GET") {
            return Ok(Answer::new(StatusCode::OK, JSON, OPENAPI));
        }
        let answered = match (path, request.method.as_str()) {
            ("health", "GET") => Ok(json!({
                "status": "ok",
                "version": env!("CARGO_PKG_VERSION"),
            })),
            ("providers", "GET") => Ok(view::providers(self)),
            ("accounts", "GET") => self.accounts(request),
            ("accounts", "POST") => self.add_account(read(request)?),
            ("journal", "GET") => view::journal(self, request),
            ("journal", "DELETE") => {
                self.journal().clear();
                Ok(json!({}))
            }
            ("counters", "GET") => Ok(view::counters(self)),
            ("counters", "DELETE") => {
                self.handles.iter().for_each(Handle::reset_counters);
                Ok(json!({}))
            }
            ("faults", "GET") => Ok(view::faults(self)),
            ("faults", "POST") => self.inject(read(request)?),
            ("faults", "DELETE") => self.clear(&query(request)?),
            ("revoke", "POST") => self.revoke(&read(request)?),
            ("rotate", "POST") => self.rotate(read(request)?),
            ("clock", "PUT") => self.set_clock(&read(request)?),
            ("lifetime", "PUT") => self.set_lifetime(&read(request)?),
            ("api", "PUT") => self.set_api(&read(request)?),
            ("reset", "POST") => read(request).map(|Nothing {}| {
                self.handles.iter().for_each(Handle::reset);
                self.journal().clear();
                json!({})
            }),
            _ => Err(nowhere(path)),
        };
        answered.map(|value| Answer::new(StatusCode::OK, JSON, value.to_string()))
    }

    fn journal(&self) -> &crate::journal::Journal {
        let [first, ..] = &self.handles;
        &first.shared().journal
    }

    /// The provider of this name, or all five.
    fn named(&self, name: Option<&str>) -> Result<Vec<&Handle>, Refusal> {
        let Some(name) = name else {
            return Ok(self.handles.iter().collect());
        };
        let found = self.handles.iter().find(|handle| handle.provider().name() == name);
        found.map(|handle| vec![handle]).ok_or_else(|| {
            let names = Provider::ALL.map(Provider::name).join(", ");
            bad(format!("no provider of this name: give one of {names}, or none for all"))
        })
    }

    /// The providers, or the one account, that a request is about.
    fn aimed(&self, target: &Target) -> Result<Aim<'_>, Refusal> {
        let handles = self.named(target.provider.as_deref())?;
        let Some(id) = &target.account else {
            return Ok(Aim::Providers(handles));
        };
        let accounts: Vec<_> = handles.iter().filter_map(|handle| handle.account(id)).collect();
        if accounts.is_empty() {
            return Err((StatusCode::NOT_FOUND, "no account has this id".to_owned()));
        }
        Ok(Aim::Accounts(accounts))
    }

    fn inject(&self, asked: Injection) -> Answered {
        let Injection { provider, account, fault, delay, times } = asked;
        let mut fault = fault.fault().map_err(bad)?;
        if let Some(seconds) = delay {
            fault = fault.delayed(fault::span(seconds).map_err(|error| bad(error.to_string()))?);
        }
        if times == Some(0) {
            return Err(bad("times must be at least 1; leave it out for until cleared".to_owned()));
        }
        match (self.aimed(&Target { provider, account })?, times) {
            (Aim::Providers(all), Some(times)) => {
                all.iter().for_each(|it| it.inject_times(fault.clone(), times));
            }
            (Aim::Providers(all), None) => all.iter().for_each(|it| it.inject(fault.clone())),
            (Aim::Accounts(all), Some(times)) => {
                all.iter().for_each(|it| it.inject_times(fault.clone(), times));
            }
            (Aim::Accounts(all), None) => all.iter().for_each(|it| it.inject(fault.clone())),
        }
        Ok(view::faults(self))
    }

    fn clear(&self, target: &Target) -> Answered {
        match self.aimed(target)? {
            Aim::Providers(all) => all.iter().for_each(|it| it.clear_faults()),
            Aim::Accounts(all) => all.iter().for_each(Account::clear_faults),
        }
        Ok(view::faults(self))
    }

    fn revoke(&self, target: &Target) -> Answered {
        match self.aimed(target)? {
            Aim::Providers(all) => all.iter().for_each(|it| it.revoke_tokens()),
            Aim::Accounts(all) => all.iter().for_each(Account::revoke_tokens),
        }
        Ok(json!({}))
    }

    fn rotate(&self, asked: Rotation) -> Answered {
        let Rotation { provider, account, secret, overlap } = asked;
        secret.as_deref().map(|secret| plain("secret", secret)).transpose()?;
        for handle in self.named(Some(&provider))? {
            let mut state = handle.shared().state();
            let entry = match &account {
                None => Some(state.accounts.first_mut()),
                Some(id) => state.accounts.get_mut(id),
            };
            if let Some(entry) = entry {
                let secret = secret.unwrap_or_else(Credentials::random_secret);
                let new = entry.rotate(secret, overlap);
                return Ok(json!({ "id": new.id(), "secret": new.secret() }));
            }
        }
        Err((StatusCode::NOT_FOUND, "no account has this id".to_owned()))
    }

    fn set_clock(&self, asked: &Seconds) -> Answered {
        let seconds = asked.seconds.ok_or_else(|| bad("seconds is missing".to_owned()))?;
        let skew = fault::skew(seconds).map_err(|error| bad(error.to_string()))?;
        for handle in self.named(asked.provider.as_deref())? {
            handle.set_clock_skew(skew);
        }
        Ok(json!({}))
    }

    fn set_lifetime(&self, asked: &Seconds) -> Answered {
        let span = asked.seconds.map(fault::span).transpose();
        let span = span.map_err(|error| bad(error.to_string()))?;
        for handle in self.named(asked.provider.as_deref())? {
            handle.set_token_lifetime(span.unwrap_or_else(|| handle.shared().usual_lifetime()));
        }
        Ok(json!({}))
    }

    fn set_api(&self, asked: &Api) -> Answered {
        for handle in self.named(asked.provider.as_deref())? {
            handle.set_refuse_api_calls(asked.refuse);
        }
        Ok(json!({}))
    }

    fn accounts(&self, request: &Request) -> Answered {
        let target: Target = query(request)?;
        let handles = self.named(target.provider.as_deref())?;
        Ok(view::accounts(&handles, target.account.as_deref()))
    }

    fn add_account(&self, asked: NewAccount) -> Answered {
        let NewAccount { provider, id, secret } = asked;
        plain("id", &id)?;
        secret.as_deref().map(|secret| plain("secret", secret)).transpose()?;
        let credentials = Credentials::new(id, secret.unwrap_or_else(Credentials::random_secret));
        for handle in self.named(Some(&provider))? {
            handle.add_account(credentials.clone());
        }
        Ok(json!({ "id": credentials.id(), "secret": credentials.secret() }))
    }
}

/// What a request is about.
enum Aim<'a> {
    Providers(Vec<&'a Handle>),
    Accounts(Vec<Account>),
}

fn bad(why: String) -> Refusal {
    (StatusCode::BAD_REQUEST, why)
}

/// Credentials go into a header and a line of a shell.
fn plain(what: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err(bad(format!("{what} is empty or no plain text")));
    }
    Ok(())
}

fn nowhere(path: &str) -> Refusal {
    const PATHS: &str = "health openapi.json providers accounts journal counters faults revoke \
                         rotate clock lifetime api reset";
    if PATHS.split_ascii_whitespace().any(|known| known == path) {
        let why = "this path takes another method: see /__sandbox/openapi.json";
        return (StatusCode::METHOD_NOT_ALLOWED, why.to_owned());
    }
    (StatusCode::NOT_FOUND, format!("no such path: below /__sandbox/ are {PATHS}"))
}

/// The body.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let Some(body) = &request.body else {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB".to_owned()));
    };
    let body = if body.is_empty() { b"{}" } else { &body[..] };
    serde_json::from_slice(body).map_err(|error| bad(format!("the body: {error}")))
}

/// The parameters of the query.
fn query<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let pairs = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
    let object: serde_json::Map<String, Value> =
        pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
    serde_json::from_value(object.into()).map_err(|error| bad(format!("the query: {error}")))
}

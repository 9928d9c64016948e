//! The steps `env` and `endpoint`: the variables, and the URL that they make.

use std::path::Path;

use auth_core::secret::{Charset, looks_pasted};
use auth_core::{Bytes, Env, Error, ErrorKind, ExposeSecret as _, HttpRequest, TokenExchange};
use http::header::{ACCEPT, CONTENT_TYPE};

use super::finding::{Finding, Step};
use crate::creds::{Found, Places};
use crate::out::printable;
use crate::provider::{Ask, Provider, Var};
use crate::stop::Stop;
use crate::text::Text;

/// What the settings of a provider say.
pub(super) struct Settings {
    pub(super) variables: Finding,
    pub(super) endpoint: Finding,
    /// The documented request, with no credentials in it.
    pub(super) request: Option<HttpRequest>,
    /// Whether nothing at all is set.
    pub(super) is_absent: bool,
}

/// Reads them. Nothing is sent.
pub(super) async fn read(places: &Places, provider: Provider) -> Settings {
    let place = places.place(provider);
    let found = places.find(provider).await;
    let is_absent = place.is_none() && found.is_err();
    // The endpoint can be known while a secret is missing.
    let flow = match &found {
        Ok((Found::Flow(flow), _)) => Ok(flow.request()),
        _ => made_up(place.map(|(env, _)| env), provider).map(|flow| flow.request()),
    };
    let variables = match (found, place) {
        (Ok((_, place)), None) => Finding::good(Step::Env, Text::DoctorEnvElsewhere, &[]).of(place),
        (Ok(_), Some((env, place))) => looked_at(env, place, provider),
        (Err(stop), place) => missing(stop, place, provider, flow.as_ref().err()),
    };
    let request = flow.and_then(|request| request).map(|request| without_credentials(&request));
    let (endpoint, request) = match request {
        Ok(request) => (endpoint(provider, &request), Some(request)),
        Err(error) => {
            let texts = (Text::DoctorLine, Text::DoctorEndpointDo);
            let values = [error.message(), provider.name()];
            (Finding::failure(Step::Endpoint, ErrorKind::Config, texts, &values), None)
        }
    };
    Settings { variables, endpoint, request, is_absent }
}

/// The flow of a place with made-up secrets.
fn made_up(
    env: Option<&Env>,
    provider: Provider,
) -> Result<std::sync::Arc<dyn TokenExchange>, Error> {
    let made_up = || "made-up".to_owned();
    let mut pairs = Vec::new();
    for var in provider.vars() {
        let is_required = var.ask == Ask::Required;
        // Names are made up, and places are not: there is no such host.
        let value = match env {
            _ if var.is_secret => is_required.then(made_up),
            _ if var.name.ends_with("_ID") => is_required.then(made_up),
            Some(env) => text(env, var.name)?,
            None => None,
        };
        pairs.extend(value.map(|value| (var.name, value)));
    }
    provider.read_env(&Env::from_pairs(pairs))
}

/// A setting that is no secret.
fn text(env: &Env, name: &str) -> Result<Option<String>, Error> {
    env.read("provider-auth", |vars| Some(vars.optional_text(name, Charset::Text)))
}

/// Variables that can be used: their names, where they come from, and what strikes.
fn looked_at(env: &Env, place: Text, provider: Provider) -> Finding {
    let set = || provider.vars().iter().filter(|var| env.any_set(&[var.name]));
    for var in set().filter(|var| var.is_secret) {
        let read = |vars: &mut auth_core::EnvReader<'_>| {
            Some(vars.optional_secret(var.name, Charset::Text))
        };
        let value = env.read("provider-auth", read).ok().flatten();
        if let Some(mark) = value.and_then(|value| looks_pasted(value.expose_secret())) {
            let texts = (Text::DoctorPasted, Text::DoctorPastedDo);
            return Finding::warning(Step::Env, texts, &[var.name, mark]);
        }
        let file = format!("{}_FILE", var.name);
        if let Ok(Some(path)) = text(env, &file)
            && mode(Path::new(&path)).is_some_and(|mode| mode & 0o022 != 0)
        {
            let texts = (Text::DoctorFileMode, Text::DoctorFileModeDo);
            return Finding::warning(Step::Env, texts, &[&file, &path]);
        }
    }
    let names: Vec<_> = set().map(|var| named(env, var.name)).collect();
    Finding::good(Step::Env, Text::DoctorEnv, &[&names.join(", ")]).of(place)
}

/// A variable's name, or that of its file with the file's mode.
fn named(env: &Env, name: &str) -> String {
    let file = format!("{name}_FILE");
    match text(env, &file).ok().flatten() {
        None => name.to_owned(),
        Some(path) => match mode(Path::new(&path)) {
            Some(mode) => format!("{file} (mode {mode:04o})"),
            None => file,
        },
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

/// What is missing, or cannot be used. What is wrong with the endpoint is said there, and not twice.
fn missing(
    stop: Stop,
    place: Option<(&Env, Text)>,
    provider: Provider,
    endpoint: Option<&Error>,
) -> Finding {
    let is_set = |var: &&Var| place.is_some_and(|(env, _)| env.any_set(&[var.name]));
    let required = provider.vars().iter().filter(|var| var.ask == Ask::Required);
    let unset: Vec<_> = required.filter(|var| !is_set(var)).map(|var| var.name).collect();
    let message = match &stop {
        Stop::Auth(failed) => failed.error.message().to_owned(),
        _ => String::new(),
    };
    if let (Some(error), Some((env, place))) = (endpoint, place)
        && unset.is_empty()
        && message.ends_with(error.message())
    {
        return looked_at(env, place, provider);
    }
    let failure = |texts, first: &str| {
        Finding::failure(Step::Env, ErrorKind::Config, texts, &[first, provider.name()])
    };
    let listed = unset.join(", ");
    match place {
        _ if unset.is_empty() => failure((Text::DoctorLine, Text::DoctorEnvDo), &message),
        None => failure((Text::DoctorUnset, Text::DoctorUnsetDo), &listed),
        // The variables of one place count, whatever another one has.
        Some((_, place)) => {
            failure((Text::DoctorUnsetThere, Text::DoctorUnsetThereDo), &listed).of(place)
        }
    }
}

fn endpoint(provider: Provider, request: &HttpRequest) -> Finding {
    let (uri, host) = (request.uri(), request.uri().host().unwrap_or_default());
    let shown = printable(&uri.to_string());
    match provider.usual_host().filter(|usual| *usual != host) {
        Some(usual) => Finding::good(Step::Endpoint, Text::DoctorOtherHost, &[&shown, usual]),
        None => Finding::good(Step::Endpoint, Text::DoctorLine, &[&shown]),
    }
}

/// The request with what is known to be no secret, and nothing else: method, URL, and the type of
/// what it sends and wants.
fn without_credentials(full: &HttpRequest) -> HttpRequest {
    let media_type = full.headers().get(CONTENT_TYPE);
    let body = match media_type.map(http::HeaderValue::as_bytes) {
        None => "",
        Some(media_type) if media_type.starts_with(b"application/x-www-form-urlencoded") => {
            "grant_type=client_credentials"
        }
        Some(_) => "{}",
    };
    let mut bare = HttpRequest::new(Bytes::from_static(body.as_bytes()));
    bare.method_mut().clone_from(full.method());
    bare.uri_mut().clone_from(full.uri());
    for name in [ACCEPT, CONTENT_TYPE] {
        if let Some(value) = full.headers().get(&name) {
            bare.headers_mut().insert(name, value.clone());
        }
    }
    bare
}

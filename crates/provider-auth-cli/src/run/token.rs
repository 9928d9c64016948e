//! `token`: prints a token, in several formats.

use auth_core::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::{Call, block_on};
use crate::args::{Format, Wished};
use crate::creds::Places;
use crate::guard;
use crate::provider::Provider;
use crate::settings::variable;
use crate::source::{Account, Got, wish};
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{epoch, rfc3339};

pub(crate) struct Options {
    pub(crate) wish: Wished,
    pub(crate) format: Format,
    pub(crate) show: bool,
}

pub(crate) fn run(call: Call<'_>, provider: Provider, options: Options) -> Result<u8, Stop> {
    let Call { global, out } = call;
    guard::token(provider, options.show)?;
    let format = match options.format {
        Format::Text if out.json => Format::Json,
        format => format,
    };
    let version = if format == Format::ExecCredential { Some(api_version()?) } else { None };
    let places = Places::open(global)?;
    let got = block_on(async {
        let account = Account::open(&places, provider, wish(options.wish), global, out).await?;
        account.token(out).await
    })??;
    match format {
        Format::Text => {
            let secret = got.token.to_secret();
            out.data(secret.expose_secret().as_bytes())?;
            out.data(b"\n")?;
        }
        Format::Json => out.json(&full(provider, &got))?,
        Format::Env => out.data(shell(provider, &got)?.as_bytes())?,
        Format::ExecCredential => out.json(&exec_credential(&got, version.unwrap_or(V1)))?,
        Format::CredentialHelper => out.json(&credential_helper(&got))?,
    }
    Ok(0)
}

/// Everything about a token. Fields are added, never changed.
fn full(provider: Provider, got: &Got) -> Value {
    let secret = got.token.to_secret();
    let environment = variable(&format!("{}_ENVIRONMENT", provider.prefix()));
    json!({
        "version": 1,
        "provider": provider.name(),
        "environment": environment,
        "token_type": got.token.token_type(),
        "token": secret.expose_secret(),
        "headers": headers(got),
        "issued_at": got.issued_at.and_then(rfc3339),
        "expires_at": got.token.expires_at().and_then(rfc3339),
        "expires_at_epoch": got.token.expires_at().map(epoch),
        "expires_in": got.left.map(|left| left.as_secs()),
        "source": got.how.name(),
    })
}

/// The headers by name, as they are usually written.
fn headers(got: &Got) -> Map<String, Value> {
    let headers = got.token.headers();
    headers.map(|(name, value)| (title(name.as_str()), text(value.as_bytes()).into())).collect()
}

/// `x-environment` as `X-Environment`.
pub(crate) fn title(name: &str) -> String {
    let parts: Vec<_> = name
        .split('-')
        .map(|part| {
            let mut chars = part.chars();
            let first = chars.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(chars).collect::<String>()
        })
        .collect();
    parts.join("-")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The variables that a token is given to a program in: name and value.
pub(crate) fn variables(provider: Provider, got: &Got) -> Vec<(String, String)> {
    let prefix = provider.prefix();
    let name = |name: &str| format!("{prefix}_{name}");
    let authorization = text(got.token.authorization().as_bytes());
    let mut variables = vec![
        (name("TOKEN"), got.token.to_secret().expose_secret().to_owned()),
        (name("AUTHORIZATION"), authorization),
    ];
    for (header, value) in got.token.headers().filter(|(name, _)| *name != "authorization") {
        let header = header.as_str().to_ascii_uppercase().replace('-', "_");
        variables.push((name(&format!("HEADER_{header}")), text(value.as_bytes())));
    }
    if let Some(at) = got.token.expires_at().and_then(rfc3339) {
        variables.push((name("EXPIRES_AT"), at));
    }
    variables
}

/// Lines for `eval` in a shell.
fn shell(provider: Provider, got: &Got) -> Result<String, Stop> {
    let mut lines = String::new();
    for (name, value) in variables(provider, got) {
        if !crate::envfile::is_name(&name) || value.contains(char::is_control) {
            return Err(Stop::usage(Text::ShellUnknown, Text::SeeHelp, &["", "token "]));
        }
        lines.push_str(&format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
    }
    Ok(lines)
}

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// The version that kubectl asks for: `v1` unless `KUBERNETES_EXEC_INFO` says otherwise.
fn api_version() -> Result<&'static str, Stop> {
    let Some(info) = variable("KUBERNETES_EXEC_INFO") else { return Ok(V1) };
    let info: Value = serde_json::from_str(&info).unwrap_or_default();
    match info.get("apiVersion").and_then(Value::as_str) {
        Some(V1) => Ok(V1),
        Some(V1BETA1) => Ok(V1BETA1),
        _ => Err(Stop::usage(Text::ExecVersion, Text::ExecVersionDo, &[])),
    }
}

/// What kubectl reads of an exec plugin.
fn exec_credential(got: &Got, version: &str) -> Value {
    let secret = got.token.to_secret();
    let mut status = json!({"token": secret.expose_secret()});
    if let (Some(at), Some(status)) =
        (got.token.expires_at().and_then(rfc3339), status.as_object_mut())
    {
        status.insert("expirationTimestamp".to_owned(), at.into());
    }
    json!({"apiVersion": version, "kind": "ExecCredential", "status": status})
}

/// What Bazel and others read of a credential helper.
pub(crate) fn credential_helper(got: &Got) -> Value {
    let all = headers(got).into_iter().map(|(name, value)| (name, json!([value])));
    let mut answer = json!({"headers": all.collect::<Map<_, _>>()});
    if let (Some(at), Some(answer)) =
        (got.token.expires_at().and_then(rfc3339), answer.as_object_mut())
    {
        answer.insert("expires".to_owned(), at.into());
    }
    answer
}

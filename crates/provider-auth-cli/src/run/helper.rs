//! `credential-helper get`: the protocol of Bazel and others. A URI comes on standard input, and the
//! provider whose host it has is asked.

use std::io::{self, Read as _};

use serde_json::Value;

use super::token::credential_helper;
use super::{Call, block_on};
use crate::creds::Places;
use crate::guard;
use crate::past::Wish;
use crate::provider::Provider;
use crate::source::Account;
use crate::stop::Stop;
use crate::text::Text;

/// A longer request is none of a URI.
const LONGEST: u64 = 64 * 1024;

pub(crate) fn run(call: Call<'_>, verb: &str) -> Result<u8, Stop> {
    let Call { global, out } = call;
    if verb != "get" {
        return Err(Stop::usage(Text::UnknownWord, Text::SeeHelp, &["", "credential-helper "]));
    }
    guard::token(Provider::Manis, false)?;
    let unknown =
        || Stop::usage(Text::UriUnknown, Text::UriUnknownDo, &[r#"{"uri":"https://.."}"#]);
    let mut request = Vec::new();
    io::stdin().lock().take(LONGEST).read_to_end(&mut request).map_err(|_| unknown())?;
    let request: Value = serde_json::from_slice(&request).map_err(|_| unknown())?;
    let uri = request.get("uri").and_then(Value::as_str).ok_or_else(unknown)?;
    let uri: http::Uri = uri.parse().map_err(|_| unknown())?;
    let (scheme, host) = uri.scheme_str().zip(uri.host()).ok_or_else(unknown)?;
    let places = Places::open(global)?;
    let got = block_on(async {
        for provider in Provider::ALL {
            // A provider that is not configured has no host.
            let opened = Account::open(&places, provider, Wish::Any, global, out).await;
            let Ok(account) = opened else { continue };
            let is_own = |host_of: &auth_core::Endpoint| {
                host_of.is_same_origin(scheme, host, uri.port_u16())
            };
            if account.hosts().iter().any(is_own) {
                return account.token(out).await;
            }
        }
        Err(unknown())
    })??;
    out.json(&credential_helper(&got))?;
    Ok(0)
}

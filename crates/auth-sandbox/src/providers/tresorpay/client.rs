//! The form's parameters, and Keycloak's client authentication.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::{bad_request, oauth, wrong_secret};
use crate::answer::Answer;
use crate::request::{Field, Request};
use crate::shared::Shared;

/// The parameters of a form, in their order.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters of a request without a form.
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub(super) fn has_duplicates(&self) -> bool {
        let keys = || self.0.iter().map(|(key, _)| key);
        keys().enumerate().any(|(at, key)| keys().take(at).any(|earlier| earlier == key))
    }
}

/// Keycloak's `ClientIdAndSecretAuthenticator`: the form overrides the header.
pub(super) fn authenticate(
    request: &Request,
    form: &Form,
    shared: &Shared,
) -> Result<String, Answer> {
    let basic = match request.header(AUTHORIZATION) {
        Field::Missing => None,
        Field::One(value) => basic(value),
        Field::Bad => {
            return Err(bad_request("invalid_request", "duplicated parameter")
                .because("the Authorization header stands twice"));
        }
    };
    if request.has(AUTHORIZATION) && basic.is_none() && !form.has("client_id") {
        let challenge = HeaderValue::from_static(r#"Basic realm="tresorpay""#);
        return Err(Answer::empty(StatusCode::UNAUTHORIZED)
            .header(WWW_AUTHENTICATE, challenge)
            .because(
                "the Authorization header is not Basic, or its base64 or escapes are broken",
            ));
    }
    let (id, secret) = basic.unzip();
    let id = form.first("client_id").map(str::to_owned).or(id);
    let secret = form.first("client_secret").map(str::to_owned).or(secret);
    let Some(id) = id else {
        return Err(bad_request("invalid_client", "Missing client_id parameter")
            .because("no client_id, in the form or in Basic"));
    };
    let credentials = shared.expected(&id, secret.as_deref().unwrap_or_default());
    match secret {
        secret if id != credentials.id() => Err(oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Invalid client or Invalid client credentials",
        )
        .because(shared.diagnosis(&id, secret.as_deref().unwrap_or_default()))),
        None => Err(oauth(
            StatusCode::UNAUTHORIZED,
            "unauthorized_client",
            "Client secret not provided in request",
        )
        .because("no client_secret, in the form or in Basic")),
        Some(secret) if secret != credentials.secret() => {
            Err(wrong_secret().because(shared.diagnosis(&id, &secret)))
        }
        Some(_) => Ok(id),
    }
}

/// The client that a request claims to be of.
pub(super) fn claimed(request: &Request) -> Option<String> {
    let form = Form::read(request.body());
    let header = || match request.header(AUTHORIZATION) {
        Field::One(value) => basic(value).map(|(id, _)| id),
        Field::Missing | Field::Bad => None,
    };
    form.first("client_id").map(str::to_owned).or_else(header)
}

/// Basic by RFC 6749 section 2.3.1: both parts are form-urlencoded inside the base64.
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?))
}

/// One form-urlencoded word. An unencoded separator makes it invalid.
fn decoded(word: &str) -> Option<String> {
    if word.contains(['&', '=']) {
        return None;
    }
    let pair = form_urlencoded::parse(word.as_bytes()).next();
    Some(pair.map(|(word, _)| Cow::into_owned(word)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_decoded_as_keycloaks_own_test_vector_is() {
        let vector = "Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg==";
        let pair = ("user".to_owned(), "secret/with=special?character".to_owned());
        assert_eq!(basic(vector), Some(pair));
    }
}

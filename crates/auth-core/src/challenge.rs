//! What an API says with a 401: `WWW-Authenticate` (RFC 9110 section 11.6.1).

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::response::Parts;
use http_auth::ChallengeParser;

/// Whether the answer of an API refuses the token itself: a 401 that does not say
/// `insufficient_scope` (RFC 6750 section 3.1), since another token would have the same scope.
///
/// A header that cannot be parsed says nothing, so the status decides.
pub(crate) fn refuses_token(head: &Parts) -> bool {
    let values = head.headers.get_all(WWW_AUTHENTICATE).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let mut challenges = texts.flat_map(|text| ChallengeParser::new(text).map_while(Result::ok));
    let lacks_scope = challenges.any(|challenge| {
        challenge.scheme.eq_ignore_ascii_case("Bearer")
            && challenge.params.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("error") && value.to_unescaped() == "insufficient_scope"
            })
    });
    head.status == StatusCode::UNAUTHORIZED && !lacks_scope
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(status: u16, headers: &[&str]) -> bool {
        let mut answer = http::Response::builder().status(status);
        for header in headers {
            answer = answer.header(WWW_AUTHENTICATE, *header);
        }
        refuses_token(&answer.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_401_refuses_the_token_unless_its_scope_is_too_small() {
        for headers in [
            &[][..],
            &["Bearer"],
            &[r#"Bearer error="invalid_token", error_description="insufficient_scope""#],
            &[r#"Basic realm="insufficient_scope, Bearer error=insufficient_scope""#],
            &[r#"Negotiate YII=, Bearer realm="a\"b, c", error="invalid_token""#],
            &["Digest error=insufficient_scope"],
            &["Bearer error=\"insufficient_scope"],
            &["\u{e9}, Bearer error=insufficient_scope"],
        ] {
            assert!(refuses(401, headers), "{headers:?}");
        }
        for headers in [
            &[r#"Bearer error="insufficient_scope""#][..],
            &["bearer ERROR=insufficient_scope, scope=\"a b\""],
            &[r#"Basic realm="a, b", BEARER realm="x", error="insufficient\_scope""#],
            &["Basic realm=x", "Bearer error=insufficient_scope"],
        ] {
            assert!(!refuses(401, headers), "{headers:?}");
        }
        for status in [200, 400, 403, 407, 500] {
            assert!(!refuses(status, &["Bearer error=invalid_token"]), "{status}");
        }
    }
}

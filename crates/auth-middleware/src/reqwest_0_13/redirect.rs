//! Which redirects a client may follow with a token, and what can be seen of a client's policy.

use std::fmt::{self, Write as _};

use reqwest::redirect::Policy;
use reqwest::{Client, Url};

/// Returns the redirect policy of a client that carries tokens: it follows a redirect within one
/// origin, at most ten times, and ends the chain at the first hop to another host. The redirect
/// itself is then the answer.
///
/// reqwest's own policy does not do for a token. In a chain from host A to B and on within B it
/// sends `Authorization` to B's second hop where the first one asked for it, and it carries all other
/// headers to every host, the flow's own among them.
///
/// The chain also ends at another host of the API's: reqwest removes `Authorization` there, so that
/// host would only answer 401. Send a new request to its `Location`.
///
/// ```
/// let client = reqwest::Client::builder().redirect(auth_middleware::redirect_policy()).build()?;
/// # Ok::<(), reqwest::Error>(())
/// ```
#[must_use]
pub fn redirect_policy() -> Policy {
    let usual = Policy::default();
    Policy::custom(move |attempt| {
        let previous = attempt.previous().last();
        match previous.is_some_and(|previous| is_same_origin(previous, attempt.url())) {
            true => usual.redirect(attempt),
            false => attempt.stop(),
        }
    })
}

/// reqwest removes `Authorization` between two URLs for which this is false.
fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether it can be seen that a client follows redirects to any host.
///
/// reqwest shows the policy in the client's `Debug` alone, and leaves the default one out. So a
/// client is refused unless it shows one that follows nothing, or a function, such as ours.
pub(super) fn follows_anywhere(client: &Client) -> bool {
    let mut shown = Shown(String::with_capacity(256));
    let _ = write!(shown, "{client:?}"); // fails where it has seen enough
    let policy = shown.0.split_once("redirect_policy: \"").map(|(_, rest)| rest);
    let is_safe = |policy: &str| {
        ["Policy(None)\"", "Policy(Limit(0))\"", "Policy(Custom)\""]
            .iter()
            .any(|safe| policy.starts_with(safe))
    };
    !policy.is_some_and(is_safe)
}

/// What a client shows before its default headers: the policy stands there, and no header of the
/// caller's can be taken for it.
struct Shown(String);

impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text == "default_headers" {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::ClientBuilder;
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn the_policy_of_a_client_is_seen() {
        let client = |policy| ClientBuilder::new().redirect(policy).build().unwrap();
        for (policy, follows) in [
            (Policy::default(), true),
            (Policy::limited(1), true),
            (Policy::limited(0), false),
            (Policy::none(), false),
            (redirect_policy(), false),
        ] {
            assert_eq!(follows_anywhere(&client(policy)), follows);
        }
        assert!(follows_anywhere(&ClientBuilder::new().build().unwrap()));
    }

    #[test]
    fn a_header_that_reads_like_a_policy_is_none() {
        let value = HeaderValue::from_static("redirect_policy: \"Policy(None)\"");
        let headers = HeaderMap::from_iter([(reqwest::header::USER_AGENT, value)]);
        let client = ClientBuilder::new().default_headers(headers).build().unwrap();
        assert!(follows_anywhere(&client), "{client:?}");
    }
}

//! Checks that a flow follows no redirect.

use auth_core::{CachedTokenSource, Endpoint, ErrorKind, RetryPolicy, TokenExchange};

use crate::socket::{Server, response};

/// Checks each redirect status, to another host and to another path of the same host: the flow must
/// fail with [`ErrorKind::Protocol`], the first host sees one request, and the second none.
///
/// # Panics
/// If a redirect is followed, or the error shows the target's path.
pub async fn check_redirects<E: TokenExchange>(flow: impl Fn(Endpoint) -> E) {
    for status in [301, 302, 303, 307, 308] {
        let second = Server::answering(response(200, &[], b"{}")).await;
        for target in [format!("{}/CANARY-path?q=1", second.endpoint()), "/CANARY-path".to_owned()]
        {
            let location = [("location".to_owned(), target.clone())];
            let first = Server::answering(response(status, &location, b"")).await;
            let source = CachedTokenSource::builder(flow(first.endpoint()))
                .retry_policy(RetryPolicy::default())
                .build()
                .unwrap();
            let error = source.token().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{status} {target}");
            assert!(!crate::canary::texts(&error).contains("CANARY"), "{error:?}");
            assert_eq!(first.requests().len(), 1, "{status} {target}");
        }
        assert_eq!(second.connections(), 0, "{status} was followed");
    }
}

//! A personal access token, behind the same type as a fetched one.
//!
//! Code that takes a `SharedTokenSource` works with both. `digishare_auth::source_from_env()` uses
//! whichever of the two the environment variables set.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use digishare_auth::{PersonalAccessToken, SharedTokenSource};

struct Campaigns {
    tokens: SharedTokenSource,
}

impl Campaigns {
    async fn headers(&self) -> Result<http::HeaderMap, digishare_auth::Error> {
        let mut headers = http::HeaderMap::new();
        self.tokens.token().await?.apply(&mut headers);
        Ok(headers)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `PersonalAccessToken::from_env()?`.
    let pasted = PersonalAccessToken::new("made-up-personal-access-token")?;
    let campaigns = Campaigns { tokens: pasted.into_source().into() };
    println!("{:?}", campaigns.headers().await?); // authorization: Sensitive

    // A token that was pasted with a line break is refused before it is sent.
    if let Err(fault) = PersonalAccessToken::new("made-up-personal-access-token\n") {
        println!("refused: {fault}");
    }
    Ok(())
}

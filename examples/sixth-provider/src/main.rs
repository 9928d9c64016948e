//! Requests a token with the settings of the environment and prints its state, never the token.

use std::process::ExitCode;

use sahelpay_auth::{CachedTokenSource, Env, Error, SahelPay};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match state().await {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn state() -> Result<String, Error> {
    let tokens = CachedTokenSource::new(SahelPay::read_env(&Env::process())?)?;
    let token = tokens.token().await?;
    Ok(format!("sahelpay: {:?}: {token:?}", tokens.state()))
}

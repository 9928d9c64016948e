//! A token from each of the five.

use provider_auth::core::{CachedTokenSource, Error, SharedTokenSource};
use provider_auth::{digishare, digitalpaye, manis, papaya, tresorpay};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sources: [SharedTokenSource; 5] = [
        CachedTokenSource::new(digitalpaye::Digitalpaye::from_env()?)?.into(),
        CachedTokenSource::new(digishare::Digishare::from_env()?)?.into(),
        CachedTokenSource::new(tresorpay::TresorPay::from_env()?)?.into(),
        CachedTokenSource::new(papaya::Papaya::from_env()?)?.into(),
        CachedTokenSource::new(manis::Manis::from_env()?)?.into(),
    ];
    for tokens in sources {
        println!("{} bytes", tokens.token().await?.authorization().len());
    }
    Ok(())
}

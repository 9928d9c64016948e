//! The same token over one provider's crate.

use manis_auth::{CachedTokenSource, Manis};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), manis_auth::Error> {
    let tokens = CachedTokenSource::new(Manis::from_env()?)?;
    println!("{} bytes", tokens.token().await?.authorization().len());
    Ok(())
}

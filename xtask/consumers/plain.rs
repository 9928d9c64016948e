//! One token by hand: a POST over reqwest, and a JSON answer taken apart.

use std::env::var;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v1/auth/token", var("MANIS_BASE_URL")?))
        .header("accept", "application/json")
        .header("x-merchant-id", var("MANIS_MERCHANT_ID")?)
        .header("x-secret", var("MANIS_SECRET")?)
        .header("content-length", "0")
        .send()
        .await?
        .error_for_status()?;
    let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
    let token = body["token"].as_str().ok_or("no token")?;
    println!("{} bytes", token.len());
    Ok(())
}

//! `header`: prints the headers, one a line, as `curl -H @-` reads them.

use super::token::{text, title};
use super::{Call, block_on};
use crate::args::Wished;
use crate::creds::Places;
use crate::guard;
use crate::provider::Provider;
use crate::source::{Account, wish};
use crate::stop::Stop;

pub(crate) fn run(
    call: Call<'_>,
    provider: Provider,
    wished: Wished,
    show: bool,
) -> Result<u8, Stop> {
    let Call { global, out } = call;
    guard::token(provider, show)?;
    let places = Places::open(global)?;
    let got = block_on(async {
        Account::open(&places, provider, wish(wished), global, out).await?.token(out).await
    })??;
    let mut lines = String::new();
    for (name, value) in got.token.headers() {
        lines.push_str(&format!("{}: {}\n", title(name.as_str()), text(value.as_bytes())));
    }
    out.data(lines.as_bytes())?;
    Ok(0)
}

//! `cache`: where it is, what it holds, and how to empty it.

use anstyle::Style;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Call, block_on};
use crate::args::Cache;
use crate::cache::{self, Held};
use crate::creds::{Found, Places};
use crate::guard;
use crate::out::{columns, printable};
use crate::provider::Provider;
use crate::stop::{STORE, Stop};
use crate::text::Text;
use crate::when::span;

pub(crate) fn run(call: Call<'_>, command: Cache) -> Result<u8, Stop> {
    match command {
        Cache::Path => {
            let path = cache::folder()?.path().display().to_string();
            if call.out.json {
                call.out.json(&json!({"version": 1, "path": path}))?;
            } else {
                call.out.data(format!("{path}\n").as_bytes())?;
            }
        }
        Cache::List => block_on(list(call))??,
        Cache::Clear { provider } => clear(call, provider)?,
        Cache::Key { show } => {
            guard::key(show)?;
            let mut key = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *key).map_err(|error| failed(&error.to_string()))?;
            let text = Zeroizing::new(STANDARD.encode(*key));
            call.out.data(text.as_bytes())?;
            call.out.data(b"\n")?;
        }
    }
    Ok(0)
}

fn failed(cause: &str) -> Stop {
    let cause = printable(cause);
    Stop::said(STORE, "Store", Text::CannotWrite, Text::StoreDo, &["the cache", &cause])
}

async fn list(call: Call<'_>) -> Result<(), Stop> {
    let (out, lang) = (call.out, call.out.lang);
    let (folder, places) = (cache::folder()?, Places::open(call.global)?);
    let (mut table, mut values) = (Vec::new(), Vec::new());
    for provider in Provider::ALL {
        // A place that is broken has no account to look up.
        let Ok((Found::Flow(flow), _)) = places.find(provider).await else { continue };
        let held = cache::look(&folder, &*flow).await?;
        let (state, seconds) = match &held {
            Held::Token { left, lifetime } => {
                let spans = (span(*left), span(*lifetime));
                (Text::LeftOf.with(lang, &[&spans.0, &spans.1]), Some(left.as_secs()))
            }
            Held::Refused { error, left } => {
                let text = Text::RefusedFor.with(lang, &[&span(*left)]);
                (format!("{text} ({})", error.kind()), None)
            }
            Held::Busy => (Text::BeingAsked.to(lang).to_owned(), None),
            Held::Nothing => (Text::NoToken.to(lang).to_owned(), None),
        };
        values.push(json!({"provider": provider.name(), "expires_in": seconds}));
        let plain = |text: String| (text, Style::new());
        table.push(vec![plain(provider.name().to_owned()), plain(state)]);
    }
    if out.json {
        return out.json(&json!({"version": 1, "tokens": values}));
    }
    if table.is_empty() {
        out.note(Text::NoneConfigured.to(lang));
    }
    out.lines(&columns(&table))
}

fn clear(call: Call<'_>, provider: Option<Provider>) -> Result<(), Stop> {
    let folder = cache::folder()?;
    let count = match provider {
        None => cache::clear_all(&folder).map_err(|error| failed(&error.to_string()))?,
        Some(provider) => {
            let places = Places::open(call.global)?;
            let is_removed = block_on(async {
                match places.find(provider).await? {
                    (Found::Flow(flow), _) => Ok(cache::clear(&folder, &*flow).await?),
                    (Found::Pasted(_), _) => Ok::<_, Stop>(false),
                }
            })??;
            usize::from(is_removed)
        }
    };
    call.out.note(&Text::Cleared.with(call.out.lang, &[&count.to_string()]));
    Ok(())
}

//! `providers`: what is known of each, and which are configured. Names alone, never a value.

use anstyle::Style;
use serde_json::{Value, json};

use super::Call;
use crate::args::{Lang, Providers};
use crate::creds::Places;
use crate::out::{GOOD, WARN, columns};
use crate::provider::{Ask, Provider};
use crate::stop::Stop;
use crate::text::Text;

pub(crate) fn run(call: Call<'_>, command: Option<Providers>) -> Result<u8, Stop> {
    let places = Places::open(call.global)?;
    match command.unwrap_or(Providers::List) {
        Providers::List => list(call, &places)?,
        Providers::Show { provider } => show(call, &places, provider)?,
    }
    Ok(0)
}

fn list(call: Call<'_>, places: &Places) -> Result<(), Stop> {
    let (out, lang) = (call.out, call.out.lang);
    if out.json {
        let all: Vec<_> = Provider::ALL.iter().map(|provider| value(*provider, places)).collect();
        return out.json(&json!({"version": 1, "providers": all}));
    }
    let plain = |text: &str| (text.to_owned(), Style::new());
    let titles = [Text::ColumnProvider, Text::ColumnAbout, Text::ColumnFrom, Text::ColumnVariables];
    let mut table = vec![titles.map(|title| plain(title.to(lang))).to_vec()];
    for provider in Provider::ALL {
        let place = places.first(provider);
        let from = place.map_or_else(
            || (Text::NotConfigured.to(lang).to_owned(), WARN),
            |place| (place.to(lang).to_owned(), GOOD),
        );
        let about = plain(provider.about().to(lang));
        table.push(vec![
            plain(provider.name()),
            about,
            from,
            plain(&required(provider).join(", ")),
        ]);
    }
    out.lines(&columns(&table))
}

fn show(call: Call<'_>, places: &Places, provider: Provider) -> Result<(), Stop> {
    let (out, lang) = (call.out, call.out.lang);
    if out.json {
        return out.json(&value(provider, places));
    }
    let plain = |text: &str| (text.to_owned(), Style::new());
    let host = provider.usual_host().unwrap_or("-");
    let mut text = format!("{}, {}\n", provider.name(), provider.about().to(lang));
    text.push_str(&columns(&[
        vec![plain(Text::Flow.to(lang)), plain(provider.flow())],
        vec![plain(Text::Host.to(lang)), plain(host)],
    ]));
    text.push_str(&format!("{}{}\n", Text::Variables.to(lang), out.colon()));
    let rows = provider.vars().iter().map(|var| {
        let need = if var.ask == Ask::Required { Text::Required } else { Text::Optional };
        vec![plain(&format!("  {}", var.name)), plain(need.to(lang))]
    });
    text.push_str(&columns(&rows.collect::<Vec<_>>()));
    let state = places.first(provider).map_or_else(
        || Text::NotConfigured.to(lang).to_owned(),
        |place| format!("{}{} {}", Text::Configured.to(lang), out.colon(), place.to(lang)),
    );
    text.push_str(&format!("{state}\n"));
    out.lines(&text)
}

fn required(provider: Provider) -> Vec<&'static str> {
    let all = provider.vars().iter().filter(|var| var.ask == Ask::Required);
    all.map(|var| var.name).collect()
}

fn value(provider: Provider, places: &Places) -> Value {
    let names: Vec<_> = provider.vars().iter().map(|var| var.name).collect();
    json!({
        "provider": provider.name(),
        "about": provider.about().to(Lang::En),
        "flow": provider.flow(),
        "host": provider.usual_host(),
        "variables": names,
        "required": required(provider),
        "from": places.first(provider).map(|place| place.to(Lang::En)),
    })
}

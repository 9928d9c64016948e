//! `check`: a usable token from each configured provider. A readiness probe, and a first look.

use std::time::Duration;

use anstyle::Style;
use serde_json::{Value, json};

use super::{Call, all, block_on};
use crate::creds::Places;
use crate::out::{BAD, GOOD, WARN, columns, printable};
use crate::past::Wish;
use crate::provider::{Ask, Provider};
use crate::source::{Account, Got, How};
use crate::stop::{Failed, Stop, code};
use crate::text::Text;
use crate::when::{epoch, now, rfc3339, span};

/// What became of a provider.
struct Row {
    provider: Provider,
    host: String,
    place: Option<Text>,
    result: Answer,
    /// Kept for the next look while it gives tokens.
    account: Option<Account>,
}

enum Answer {
    Good(Box<Got>),
    Bad(Box<Failed>),
    /// A place that is broken.
    Broken(Stop),
    Absent,
}

pub(crate) fn run(
    call: Call<'_>,
    providers: &[Provider],
    watch: Option<Duration>,
) -> Result<u8, Stop> {
    let Some(every) = watch else {
        let rows = block_on(look(call, providers, Vec::new()))??;
        show(call, &rows)?;
        return worst(&rows);
    };
    block_on(async {
        let (mut last, mut kept) = (String::new(), Vec::new());
        loop {
            let mut rows = look(call, providers, kept).await?;
            let state: String = rows.iter().map(Row::state).collect();
            if state != last {
                if !call.out.json {
                    let at = rfc3339(now()).unwrap_or_default();
                    call.out.lines(&format!("{at}\n"))?;
                }
                show(call, &rows)?;
                last = state;
            }
            let good = rows.iter_mut().filter(|row| matches!(row.result, Answer::Good(_)));
            kept = good.filter_map(|row| row.account.take()).collect();
            tokio::time::sleep(every.max(Duration::from_secs(1))).await;
        }
    })?
}

/// Asks all providers at once. An account that gave no token is opened anew, so that a rotated secret
/// is used.
async fn look(
    call: Call<'_>,
    providers: &[Provider],
    mut kept: Vec<Account>,
) -> Result<Vec<Row>, Stop> {
    let places = Places::open(call.global)?;
    let wanted = if providers.is_empty() { &Provider::ALL[..] } else { providers };
    let mut rows = Vec::new();
    for provider in wanted {
        let at = kept.iter().position(|account| account.provider == *provider);
        rows.push(Box::pin(row(call, &places, *provider, at.map(|at| kept.swap_remove(at)))));
    }
    Ok(all(&mut rows).await)
}

async fn row(call: Call<'_>, places: &Places, provider: Provider, kept: Option<Account>) -> Row {
    let (host, result) = (String::new(), Answer::Absent);
    let mut row = Row { provider, host, place: None, result, account: None };
    let answer = async {
        let account = match kept {
            Some(account) => account,
            None => Account::open(places, provider, Wish::Any, call.global, call.out).await?,
        };
        row.host = account.host();
        row.place = Some(account.place);
        row.account.insert(account).token(call.out).await
    };
    row.result = match answer.await {
        Ok(got) => Answer::Good(Box::new(got)),
        Err(_) if places.is_absent(provider) && row.place.is_none() => Answer::Absent,
        Err(Stop::Auth(failed)) => Answer::Bad(failed),
        Err(stop) => Answer::Broken(stop),
    };
    row.place = row.place.or_else(|| places.first(provider));
    row
}

/// The highest exit code. Providers that are not configured count only if none is.
fn worst(rows: &[Row]) -> Result<u8, Stop> {
    if rows.iter().all(|row| matches!(row.result, Answer::Absent)) {
        return Err(Stop::config(Text::NoneConfigured, Text::NoneConfiguredDo, &[]));
    }
    let codes = rows.iter().map(|row| match &row.result {
        Answer::Good(_) | Answer::Absent => 0,
        Answer::Bad(failed) => code(failed.error.kind()),
        Answer::Broken(Stop::Said { code, .. }) => *code,
        Answer::Broken(_) => 1,
    });
    Ok(codes.max().unwrap_or(0))
}

fn show(call: Call<'_>, rows: &[Row]) -> Result<(), Stop> {
    let (out, lang) = (call.out, call.out.lang);
    if out.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        return out.json(&json!({"version": 1, "providers": rows}));
    }
    let plain = |text: String| (text, Style::new());
    let titles = [
        Text::ColumnProvider,
        Text::ColumnWhere,
        Text::ColumnFrom,
        Text::ColumnState,
        Text::ColumnLeft,
        Text::ColumnTook,
    ];
    let mut table = vec![titles.map(|title| plain(title.to(lang).to_owned())).to_vec()];
    for row in rows {
        let name = plain(row.provider.name().to_owned());
        let from = plain(row.place.map(|place| place.to(lang).to_owned()).unwrap_or_default());
        let mut cells = vec![name];
        match &row.result {
            Answer::Good(got) => {
                let left = got.left.map_or_else(|| Text::Forever.to(lang).to_owned(), span);
                let took = match got.how {
                    How::Exchange => format!("{} ms", got.took.as_millis()),
                    How::Cache | How::Settings => Text::FromCache.to(lang).to_owned(),
                };
                let state = (Text::StateFresh.to(lang).to_owned(), GOOD);
                cells.extend([plain(row.host.clone()), from, state, plain(left), plain(took)]);
            }
            Answer::Bad(failed) => {
                let kind = failed.error.kind();
                let state = (kind.to_string(), BAD);
                let text = plain(printable(&failed.error.to_string()));
                cells.extend([plain(row.host.clone()), from, state, text]);
            }
            Answer::Broken(_) => {
                let state = (Text::StateFailed.to(lang).to_owned(), BAD);
                cells.extend([plain(row.host.clone()), from, state]);
            }
            Answer::Absent => {
                let names = row.provider.vars().iter().filter(|var| var.ask == Ask::Required);
                let names: Vec<_> = names.map(|var| var.name).collect();
                let missing = (Text::NotConfigured.to(lang).to_owned(), WARN);
                cells.extend([missing, plain(Text::SetThese.with(lang, &[&names.join(", ")]))]);
            }
        }
        table.push(cells);
    }
    out.lines(&columns(&table))
}

impl Row {
    /// What `--watch` compares.
    fn state(&self) -> String {
        let state = match &self.result {
            Answer::Good(_) => "good".to_owned(),
            Answer::Bad(failed) => failed.error.kind().to_string(),
            Answer::Broken(_) => "broken".to_owned(),
            Answer::Absent => "absent".to_owned(),
        };
        format!("{} {state}\n", self.provider.name())
    }

    fn json(&self) -> Value {
        let place = self.place.map(|place| place.to(crate::args::Lang::En));
        let mut value = json!({"provider": self.provider.name(), "from": place});
        let more = match &self.result {
            Answer::Good(got) => json!({
                "where": self.host,
                "state": "ok",
                "source": got.how.name(),
                "expires_at_epoch": got.token.expires_at().map(epoch),
                "expires_in": got.left.map(|left| left.as_secs()),
                "took_ms": u64::try_from(got.took.as_millis()).unwrap_or(u64::MAX),
            }),
            Answer::Bad(failed) => json!({
                "where": self.host,
                "state": "failed",
                "kind": failed.error.kind().to_string(),
                "message": failed.error.to_string(),
            }),
            Answer::Broken(_) => json!({"state": "failed", "kind": "Config"}),
            Answer::Absent => json!({"state": "not configured"}),
        };
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        value
    }
}

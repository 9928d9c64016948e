//! What the control API shows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{Spec, skewed};
use super::{Answered, Control, query};
use crate::accounts::Entry;
use crate::journal::{KEPT, Record};
use crate::plan::Plan;
use crate::request::Request;
use crate::{Counters, Handle, Provider};

/// The five, with all that a client needs and all that is set.
pub(super) fn providers(control: &Control) -> Value {
    let providers = control.handles.iter().map(|handle| {
        let env: Value = handle
            .env()
            .into_iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let personal = (handle.provider() == Provider::Digishare)
            .then(|| control.digishare.personal_access_token());
        let curl = handle.curl();
        let state = handle.shared().state();
        json!({
            "provider": handle.provider().name(),
            "base_url": handle.base_url(),
            "token_url": handle.token_url(),
            "api_url": handle.api_url(),
            "curl": curl,
            "strict": handle.shared().strict,
            "accounts": state.accounts.all().count(),
            "env": env,
            "personal_access_token": personal,
            "lifetime": state.lifetime.as_secs_f64(),
            "clock": skewed(state.skew),
            "api_refuses": state.api_refuses,
            "remarks": state.remarks,
            "counters": counted(state.counters),
        })
    });
    json!({ "providers": providers.collect::<Vec<_>>() })
}

/// Accounts with their secrets: they are made up, or the user's own.
pub(super) fn accounts(handles: &[&Handle], id: Option<&str>) -> Value {
    let accounts: Vec<_> = handles
        .iter()
        .flat_map(|handle| {
            let state = handle.shared().state();
            let wanted = state
                .accounts
                .all()
                .filter(|entry| id.is_none_or(|id| entry.credentials.id() == id));
            wanted
                .map(|entry| {
                    let Entry { credentials, overlap, counters, .. } = entry;
                    json!({
                        "provider": handle.provider().name(),
                        "id": credentials.id(),
                        "secret": credentials.secret(),
                        "overlap": overlap.is_some(),
                        "counters": counted(*counters),
                    })
                })
                .collect::<Vec<_>>()
        })
        .collect();
    json!({ "accounts": accounts })
}

pub(super) fn counters(control: &Control) -> Value {
    control
        .handles
        .iter()
        .map(|handle| (handle.provider().name().to_owned(), counted(handle.counters())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn counted(counters: Counters) -> Value {
    let Counters {
        connections,
        token_requests,
        tokens_issued,
        rejected,
        faults_served,
        api_calls,
        api_accepted,
        api_rejected,
        stray_requests,
    } = counters;
    json!({
        "connections": connections,
        "token_requests": token_requests,
        "tokens_issued": tokens_issued,
        "rejected": rejected,
        "faults_served": faults_served,
        "api_calls": api_calls,
        "api_accepted": api_accepted,
        "api_rejected": api_rejected,
        "stray_requests": stray_requests,
    })
}

/// The faults that are set, in the order in which they will come.
pub(super) fn faults(control: &Control) -> Value {
    let mut faults = Vec::new();
    for handle in &control.handles {
        let state = handle.shared().state();
        let mut list = |plan: &Plan, account: Option<&str>| {
            for (fault, times) in plan.list() {
                let (delay, spec) = Spec::of(fault.clone());
                faults.push(json!({
                    "provider": handle.provider().name(),
                    "account": account,
                    "fault": spec,
                    "delay": delay.as_secs_f64(),
                    "times": times,
                }));
            }
        };
        for entry in state.accounts.all() {
            list(&entry.plan, Some(entry.credentials.id()));
        }
        list(&state.plan, None);
    }
    json!({ "faults": faults })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Records after this number.
    after: Option<String>,
    provider: Option<String>,
    /// The newest so many.
    limit: Option<String>,
}

/// The journal, oldest first.
pub(super) fn journal(control: &Control, request: &Request) -> Answered {
    let Wanted { after, provider, limit } = query(request)?;
    let number = |text: Option<String>, what: &str| {
        let text = text.as_deref().map(str::parse::<u64>).transpose();
        text.map_err(|_| super::bad(format!("{what} is no whole number")))
    };
    let after = number(after, "after")?.unwrap_or(0);
    let limit = number(limit, "limit")?.and_then(|limit| usize::try_from(limit).ok());
    control.named(provider.as_deref())?;

    let pages = control.journal().pages();
    let mut records: Vec<_> = pages
        .records
        .iter()
        .rev()
        .take_while(|record| record.number > after)
        .filter(|record| {
            provider
                .as_deref()
                .is_none_or(|name| record.provider.is_some_and(|it| it.name() == name))
        })
        .take(limit.unwrap_or(KEPT))
        .map(|record| written(record))
        .collect();
    records.reverse();
    let oldest = pages.records.front().map_or(pages.newest + 1, |record| record.number);
    Ok(json!({
        "run": control.journal().run,
        "newest": pages.newest,
        "oldest": oldest,
        "gone": pages.gone,
        "kept": KEPT,
        "records": records,
    }))
}

fn written(record: &Record) -> Value {
    let at = jiff::Timestamp::try_from(record.at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({
        "number": record.number,
        "at": at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "provider": record.provider.map(Provider::name),
        "account": record.account,
        "method": record.method,
        "path": record.path,
        "headers": record.headers,
        "body": record.body,
        "status": record.status,
        "verdict": record.verdict.name(),
        "reason": record.reason,
        "remarks": record.remarks,
        "seconds": record.took.as_secs_f64(),
        "line": record.to_string(),
    })
}

//! The store does not answer for a while, or answers with nothing or the wrong thing.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::Figures;
use crate::fleet::{Fleet, Plan, lives};
use crate::place::Place;
use crate::time::{ms, now};
use crate::verdict::Verdict;

/// What happens to a store, and for how long.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// No call is answered meanwhile, so that what cold callers wait can be judged.
    pub(crate) is_dead: bool,
    begin: fn(&mut Place) -> Result<(), String>,
    /// Once a second.
    again: fn(&mut Place) -> Result<(), String>,
    end: fn(&mut Place) -> Result<(), String>,
}

const fn nothing(_: &mut Place) -> Result<(), String> {
    Ok(())
}

fn say(place: &mut Place, command: &str) -> Result<(), String> {
    place.server()?.run(command).map(drop)
}

fn swallow(place: &mut Place, swallows: bool) -> Result<(), String> {
    place.proxy.as_ref().ok_or("no proxy")?.swallow(swallows);
    Ok(())
}

/// What can happen to a server.
pub(crate) const OF_REDIS: [Fault; 9] = [
    Fault {
        name: "stop",
        is_dead: true,
        begin: |place| place.server()?.signal("-STOP"),
        again: nothing,
        end: |place| place.server()?.signal("-CONT"),
    },
    Fault {
        name: "down",
        is_dead: true,
        begin: |place| place.server().map(|server| server.kill()),
        again: nothing,
        end: |place| place.server()?.start_again(),
    },
    Fault {
        name: "blackhole",
        is_dead: true,
        begin: |place| swallow(place, true),
        again: nothing,
        end: |place| swallow(place, false),
    },
    Fault { name: "flushall", is_dead: false, begin: nothing, again: flush, end: nothing },
    Fault {
        name: "scriptflush",
        is_dead: false,
        begin: nothing,
        again: |place| say(place, "SCRIPT FLUSH"),
        end: nothing,
    },
    Fault {
        name: "kill-clients",
        is_dead: false,
        begin: nothing,
        again: |place| say(place, "CLIENT KILL USER app"),
        end: nothing,
    },
    Fault {
        name: "full",
        is_dead: false,
        begin: fill,
        again: nothing,
        end: |place| say(place, "CONFIG SET maxmemory 0"),
    },
    Fault {
        name: "failover",
        is_dead: false,
        begin: |place| say(place, "REPLICAOF 127.0.0.1 1"),
        again: nothing,
        end: |place| say(place, "REPLICAOF NO ONE"),
    },
    Fault {
        name: "revoke-auth",
        is_dead: false,
        begin: |place| place.server()?.set_password("made-up-2"),
        again: nothing,
        end: |place| place.write_url("made-up-2"),
    },
];

/// Less than an empty server takes, so that it refuses to write.
fn fill(place: &mut Place) -> Result<(), String> {
    say(place, "CONFIG SET maxmemory 100kb")?;
    match say(place, "SET pa1:full 1") {
        Err(refused) if refused.contains("OOM") => Ok(()),
        other => Err(format!("the server is not full: {other:?}")),
    }
}

fn flush(place: &mut Place) -> Result<(), String> {
    say(place, "FLUSHALL")
}

/// What can happen to a folder.
pub(crate) const OF_FILES: [Fault; 5] = [
    Fault { name: "wipe", is_dead: false, begin: nothing, again: wipe, end: nothing },
    Fault {
        name: "wipe-key",
        is_dead: false,
        begin: nothing,
        again: |place| remove(&place.tokens().join("key")),
        end: nothing,
    },
    Fault {
        name: "read-only",
        is_dead: false,
        begin: |place| mode(&place.tokens(), "0500"),
        again: nothing,
        end: |place| mode(&place.tokens(), "0700"),
    },
    Fault {
        name: "open",
        is_dead: true,
        begin: |place| mode(&place.tokens(), "0755"),
        again: nothing,
        end: |place| mode(&place.tokens(), "0700"),
    },
    Fault {
        name: "gone",
        is_dead: true,
        begin: |place| {
            let folder = place.tokens();
            std::fs::remove_dir_all(&folder)
                .and_then(|()| std::fs::write(&folder, ""))
                .map_err(|fault| fault.to_string())
        },
        again: nothing,
        end: |place| remove(&place.tokens()),
    },
];

fn wipe(place: &mut Place) -> Result<(), String> {
    match std::fs::remove_dir_all(place.tokens()) {
        // A replica writes or removes a file meanwhile: so much the better.
        Err(fault)
            if !matches!(fault.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) =>
        {
            Err(fault.to_string())
        }
        _ => Ok(()),
    }
}

fn remove(file: &Path) -> Result<(), String> {
    match std::fs::remove_file(file) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => Err(fault.to_string()),
        _ => Ok(()),
    }
}

fn mode(folder: &Path, mode: &str) -> Result<(), String> {
    let done = std::process::Command::new("chmod").arg(mode).arg(folder).status();
    if done.is_ok_and(|status| status.success()) { Ok(()) } else { Err("chmod".to_owned()) }
}

/// Row A5, and what else can happen to a store.
pub(crate) fn run(mut plan: Plan, fault: &Fault, span: Duration) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, &fault.name.replace('-', "_"));
    plan.has_proxy = fault.name == "blackhole";
    let mut fleet = Fleet::start(plan)?;
    fleet.run(Duration::from_secs(4))?;
    fleet.figures()?;
    let began = now();
    (fault.begin)(&mut fleet.place)?;
    if fault.name == "read-only" && std::fs::write(fleet.place.tokens().join("try"), "").is_ok() {
        verdict.note("this is root, who writes there all the same: not tried in fact");
    }
    while now().duration_since(began) < span {
        (fault.again)(&mut fleet.place)?;
        fleet.run(Duration::from_secs(1))?;
    }
    let mints = lives(&fleet.mints(began));
    let replicas = fleet.plan.replicas;
    let mut figures = fleet.figures()?;
    if fault.is_dead {
        figures.join(cold_calls(&mut fleet, &mut verdict)?);
    }
    (fault.end)(&mut fleet.place)?;
    // The breaker's last pause, and a life in which all have found the store again.
    let outage = now().duration_since(began);
    fleet.run(outage / 4 + Duration::from_millis(4_500))?;
    figures.join(fleet.figures()?);
    let (most, count) = (mints.iter().max().copied().unwrap_or(0), mints.len());
    verdict.told("lives_meanwhile", count as f64);
    verdict.at_most("most_mints_of_a_life", most as f64, replicas as f64);
    judge(&mut verdict, &figures, &fleet);
    let healed = now();
    fleet.run(Duration::from_millis(6_800))?;
    judge_healed(&mut verdict, &mut fleet, healed)?;
    verdict.finish(&mut fleet)
}

/// New sources in all replicas, two in each: the first may try the store, the second does not.
fn cold_calls(fleet: &mut Fleet, verdict: &mut Verdict) -> Result<Figures, String> {
    for number in fleet.numbers() {
        fleet.tell(number, "cold 2");
        fleet.run(Duration::from_millis(40))?;
    }
    let figures = fleet.figures()?;
    let (mut first, mut second) = (Duration::ZERO, Duration::ZERO);
    let mut slowest = Duration::ZERO;
    for series in &figures.cold {
        let mut besides: Vec<_> = series.iter().map(|cold| cold.besides).collect();
        slowest = series.iter().map(|cold| cold.all).fold(slowest, Duration::max);
        besides.sort_unstable();
        first = first.max(besides.pop().unwrap_or_default());
        second = second.max(besides.pop().unwrap_or_default());
    }
    verdict.at_least("cold_calls", figures.cold.len() as f64 * 2.0, 1.0);
    verdict.within("slowest_cold_call_besides_the_exchange", first, Duration::from_millis(350));
    let rest = Duration::from_millis(5);
    verdict.within("slowest_cold_call_after_that_besides_the_exchange", second, rest);
    verdict.told("slowest_cold_call_in_all_ms", ms(slowest));
    Ok(figures)
}

fn judge(verdict: &mut Verdict, figures: &Figures, fleet: &Fleet) {
    verdict.none("errors", figures.errors());
    verdict.none("expired_tokens_at_the_api", figures.refused);
    verdict.notes_of(figures);
    let one = Duration::from_millis(1);
    verdict.no_call_over(one, figures.ready.over[0], fleet, "calls_with_a_token");
    verdict.told("slowest_call_with_a_token_ms", ms(figures.ready.net));
    verdict.told("slowest_call_with_a_token_gross_ms", ms(figures.ready.all));
    verdict.told("calls_that_waited", figures.waited.count as f64);
    verdict.told("slowest_call_that_waited_ms", ms(figures.waited.net));
}

/// One token a life again, without a restart.
fn judge_healed(verdict: &mut Verdict, fleet: &mut Fleet, healed: Instant) -> Result<(), String> {
    let mints = lives(&fleet.mints(healed));
    let per_life = mints.iter().sum::<usize>() as f64 / mints.len().max(1) as f64;
    let figures = fleet.figures()?;
    verdict.at_least("lives_afterwards", mints.len() as f64, 1.0);
    verdict.at_most("mints_per_life_afterwards", per_life, 1.05);
    verdict.none("errors_afterwards", figures.errors());
    verdict.none("expired_tokens_at_the_api_afterwards", figures.refused);
    Ok(())
}

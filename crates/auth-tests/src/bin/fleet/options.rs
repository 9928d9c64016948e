//! The rows that the options ask for.

use std::time::Duration;

use crate::fleet::Plan;
use crate::place::Kind;
use crate::redis;
use crate::rows::{kills, outage, revoke, secret, usual};
use crate::verdict::Verdict;

/// A row to run.
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn() -> Result<Verdict, String> + Sync>,
}

/// What was asked for.
#[derive(Default)]
pub(crate) struct Options {
    store: Option<Kind>,
    replicas: Option<usize>,
    seconds: Option<u64>,
    at_once: Option<usize>,
    is_full: bool,
    is_unsealed: bool,
    lives: Option<usize>,
    kills: Option<usize>,
    faults: Vec<String>,
    secrets: Vec<String>,
    revocations: Option<u32>,
    has_faketime: bool,
    has_log: bool,
}

impl Options {
    pub(crate) fn read(args: &[String]) -> Result<Self, String> {
        let (mut options, mut args) = (Self::default(), args.iter());
        while let Some(option) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{option} needs a value"));
            match option.as_str() {
                "--full" => options.is_full = true,
                "--unsealed" => options.is_unsealed = true,
                "--faketime" => options.has_faketime = true,
                "--log" => options.has_log = true,
                "--store" => {
                    options.store = Some(match value()?.as_str() {
                        "file" => Kind::File,
                        "redis" => Kind::Redis,
                        "none" => Kind::None,
                        other => return Err(format!("no such store: {other}")),
                    });
                }
                "--store-fault" | "--server-fault" => {
                    let name = value()?;
                    let mut known = outage::OF_REDIS.iter().chain(&outage::OF_FILES);
                    if !known.any(|fault| fault.name == name) {
                        return Err(format!("no such fault: {name}"));
                    }
                    options.faults.push(name.clone());
                }
                "--secret" => {
                    let name = value()?;
                    if !["wrong", "wrong:1"].contains(&name.as_str()) {
                        return Err(format!("{option} is `wrong` or `wrong:1`"));
                    }
                    options.secrets.push(name.clone());
                }
                "--replicas" => options.replicas = Some(number::<usize>(option, value()?)?.max(2)),
                "--lives" => options.lives = Some(number(option, value()?)?),
                "--kill-holder" => options.kills = Some(number(option, value()?)?),
                "--revoke" => options.revocations = Some(number(option, value()?)?),
                "--seconds" => options.seconds = Some(number(option, value()?)?),
                "--at-once" => options.at_once = Some(number(option, value()?)?),
                _ => return Err(format!("no such option: {option}")),
            }
        }
        Ok(options)
    }

    /// The rows, and how many of them run at the same time.
    pub(crate) fn jobs(&self) -> (Vec<Job>, usize) {
        let mut jobs = Vec::new();
        // The longest first.
        for store in self.store.map_or_else(|| vec![Kind::Redis, Kind::File], |store| vec![store]) {
            if store == Kind::Redis {
                match redis::version() {
                    Ok(version) => println!("{version}\n"),
                    Err(why) => {
                        println!("skipped: {why}");
                        continue;
                    }
                }
            }
            self.add(store, &mut jobs);
        }
        let alone = self.is_full || !self.is_all();
        (jobs, self.at_once.unwrap_or(if alone { 1 } else { 4 }))
    }

    /// Whether no row was asked for by name.
    fn is_all(&self) -> bool {
        let is_none = self.lives.is_none() && self.kills.is_none() && self.revocations.is_none();
        is_none && self.faults.is_empty() && self.secrets.is_empty() && !self.has_faketime
    }

    fn add(&self, store: Kind, jobs: &mut Vec<Job>) {
        let (is_all, is_full) = (self.is_all(), self.is_full);
        let size = |full: usize, short: usize| if is_full { full } else { short };
        let plan = Plan {
            store,
            replicas: self.replicas.unwrap_or_else(|| size(64, 8)),
            is_sealed: !self.is_unsealed,
            apart: 0,
            wrong: 0,
            api_every: Duration::from_millis(400),
            has_log: self.has_log,
            has_proxy: false,
        };
        let mut add = |name: &str, run: Box<dyn Fn() -> Result<Verdict, String> + Sync>| {
            jobs.push(Job { name: format!("{} {name}", store.name()), run });
        };
        let spans = |full: u64, short: u64| {
            Duration::from_secs(self.seconds.unwrap_or(if is_full { full } else { short }))
        };
        if is_all || self.kills.is_some() {
            let (plan, count) = (plan.clone(), self.kills.unwrap_or_else(|| size(50, 5)));
            add("kill-holder", Box::new(move || kills::run(plan.clone(), count)));
        }
        let faults = match store {
            Kind::Redis => &outage::OF_REDIS[..],
            Kind::File => &outage::OF_FILES,
            Kind::None => &[],
        };
        for fault in faults {
            if is_all || self.faults.iter().any(|name| name == fault.name) {
                let (plan, span) = (plan.clone(), spans(10, 4));
                add(fault.name, Box::new(move || outage::run(plan.clone(), fault, span)));
            }
        }
        if is_all || self.lives.is_some() {
            let (plan, count) = (plan.clone(), self.lives.unwrap_or_else(|| size(20, 4)));
            add("lives", Box::new(move || usual::run(plan.clone(), count, "lives")));
        }
        if is_all || self.revocations.is_some() {
            let count = self.revocations.unwrap_or(if is_full { 5 } else { 2 });
            let plan = plan.clone();
            add("revoke", Box::new(move || revoke::run(plan.clone(), count)));
        }
        if is_all || self.secrets.iter().any(|secret| secret == "wrong") {
            let (plan, span) = (plan.clone(), spans(60, 8));
            add("secret wrong", Box::new(move || secret::all(plan.clone(), span)));
        }
        if is_all || self.secrets.iter().any(|secret| secret == "wrong:1") {
            let (plan, span) = (plan.clone(), spans(30, 8));
            add("secret wrong:1", Box::new(move || secret::one(plan.clone(), span)));
        }
        if is_all || self.has_faketime {
            let count = self.lives.unwrap_or_else(|| size(20, 3));
            let plan = Plan { apart: 3_600, ..plan };
            add("faketime", Box::new(move || usual::run(plan.clone(), count, "faketime")));
        }
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{option} needs a number"))
}

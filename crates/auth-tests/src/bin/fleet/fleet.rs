//! A fleet under way: the provider, a store, and the replicas.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth_sandbox::{Fault, Handle, Provider, Sandbox};
use auth_tests::canary::Account;

use crate::figures::Figures;
use crate::place::{Kind, Place};
use crate::replica::Settings;
use crate::time::{Lateness, PAUSE, ms, now, set_priority, stolen};

/// How long a token lives.
pub(crate) const LIFETIME: Duration = Duration::from_secs(4);
/// How long the provider thinks before it answers.
pub(crate) const LATENCY: Duration = Duration::from_millis(200);
/// Requests that come closer together than this are for one life of a token. A JWT's times are whole
/// seconds, so that a token is good for 3 to 4 s, or for 2 s where the second ends between its stamp and
/// the answer's `Date`; it is refreshed 1.5 to 3.2 s after its request.
pub(crate) const LIFE: Duration = Duration::from_millis(1_400);

/// How a fleet differs from the usual one.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) store: Kind,
    pub(crate) replicas: usize,
    pub(crate) is_sealed: bool,
    /// The wall clocks of half of the replicas are ahead by this many seconds, the others behind.
    pub(crate) apart: i64,
    /// How many replicas have a wrong secret.
    pub(crate) wrong: usize,
    pub(crate) api_every: Duration,
    pub(crate) has_log: bool,
    pub(crate) has_proxy: bool,
}

/// What a replica said, and when.
pub(crate) struct Heard {
    pub(crate) replica: u64,
    pub(crate) at: Instant,
    pub(crate) said: Said,
}

pub(crate) enum Said {
    Up,
    /// A flight asks the store.
    Claims,
    Leased,
    Granted(Duration),
    Token(String),
    Warned(String),
    Figures(Box<Figures>),
    Odd(String),
    Gone,
}

struct Replica {
    child: Child,
    input: Option<ChildStdin>,
}

pub(crate) struct Fleet {
    pub(crate) plan: Plan,
    pub(crate) place: Place,
    pub(crate) provider: Handle,
    pub(crate) account: Account,
    _sandbox: Sandbox,
    began: Instant,
    stolen: Duration,
    replicas: HashMap<u64, Replica>,
    last: u64,
    heard: Receiver<Heard>,
    to: Sender<Heard>,
    /// When tokens were granted, by the provider's counter.
    mints: Arc<Mutex<Vec<Instant>>>,
    lateness: Arc<Mutex<Lateness>>,
    pub(crate) tokens: HashSet<String>,
    /// When a token was first held by a replica.
    pub(crate) first_held: Vec<Instant>,
    pub(crate) warnings: Vec<String>,
}

impl Fleet {
    pub(crate) fn start(plan: Plan) -> Result<Self, String> {
        let place = Place::open(plan.store, plan.has_proxy)?;
        let sandbox = Sandbox::builder().token_lifetime(LIFETIME).start_blocking();
        let sandbox = sandbox.map_err(|fault| fault.to_string())?;
        let provider = sandbox.handle(Provider::Digishare);
        let account = Account::new(Provider::Digishare, "the fleet's");
        provider.accept(account.credentials.clone());
        provider.inject(Fault::Latency(LATENCY));
        let (to, heard) = channel();
        let mut fleet = Self {
            plan,
            place,
            provider,
            account,
            _sandbox: sandbox,
            began: now(),
            stolen: stolen(),
            replicas: HashMap::new(),
            last: 0,
            heard,
            to,
            mints: Arc::default(),
            lateness: Arc::default(),
            tokens: HashSet::new(),
            first_held: Vec::new(),
            warnings: Vec::new(),
        };
        fleet.watch_provider();
        // Those with a wrong secret first, so that they do ask the provider.
        let wrong = fleet.plan.wrong.min(fleet.plan.replicas);
        fleet.begin(wrong)?;
        if wrong > 0 {
            fleet.run(LATENCY * 4)?;
        }
        fleet.begin(fleet.plan.replicas - wrong)?;
        Ok(fleet)
    }

    /// Notes when tokens are granted, and how late this machine's sleeps end.
    fn watch_provider(&self) {
        let (mints, lateness) = (Arc::downgrade(&self.mints), Arc::downgrade(&self.lateness));
        let provider = self.provider.clone();
        std::thread::spawn(move || {
            let mut known = 0;
            while let Some(mints) = mints.upgrade() {
                let issued = provider.counters().tokens_issued;
                let mut mints = mints.lock().unwrap_or_else(PoisonError::into_inner);
                mints.extend((known..issued).map(|_| now()));
                known = issued;
                drop(mints);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        std::thread::spawn(move || {
            while let Some(lateness) = lateness.upgrade() {
                let slept = now();
                std::thread::sleep(PAUSE);
                let slept = now().duration_since(slept);
                lateness.lock().unwrap_or_else(PoisonError::into_inner).add(slept, PAUSE);
            }
        });
    }

    /// Starts one more replica, which begins when it is told anything.
    pub(crate) fn add(&mut self) -> Result<u64, String> {
        let number = self.last;
        self.last += 1;
        let api = self.provider.api_url();
        let (host, path) = api.trim_start_matches("http://").split_once('/').unwrap_or_default();
        let is_even = number.is_multiple_of(2);
        let settings = Settings {
            store: self.place.store(),
            is_sealed: self.plan.is_sealed,
            ahead: if is_even { self.plan.apart } else { -self.plan.apart },
            api: (host.to_owned(), format!("/{path}")),
            api_every: self.plan.api_every,
        };
        let program = std::env::current_exe().map_err(|fault| fault.to_string())?;
        let mut command = Command::new(program);
        command.args(settings.to_args()).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.envs(self.place.variables()).envs(self.provider.env());
        if usize::try_from(number).is_ok_and(|number| number < self.plan.wrong) {
            command.env("DIGISHARE_CLIENT_SECRET", "made-up-and-wrong-secret");
        }
        let mut child = command.spawn().map_err(|fault| format!("a replica: {fault}"))?;
        set_priority(child.id(), 0);
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let to = self.to.clone();
        std::thread::spawn(move || {
            let Some(output) = output else { return };
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = to.send(Heard { replica: number, at: now(), said: Said::of(&line) });
            }
            let _ = to.send(Heard { replica: number, at: now(), said: Said::Gone });
        });
        self.replicas.insert(number, Replica { child, input });
        Ok(number)
    }

    /// Starts so many replicas, a few at a time, and then lets them all begin at once.
    fn begin(&mut self, count: usize) -> Result<(), String> {
        let (mut numbers, mut missing) = (Vec::new(), HashSet::new());
        let limit = now() + Duration::from_secs(90);
        while numbers.len() < count || !missing.is_empty() {
            if numbers.len() < count && missing.len() < 4 {
                let number = self.add()?;
                numbers.push(number);
                missing.insert(number);
                continue;
            }
            let heard = self.next(limit)?.ok_or("the replicas did not start within 90 s")?;
            if matches!(heard.said, Said::Up) {
                missing.remove(&heard.replica);
            }
        }
        for number in numbers {
            self.tell(number, "go");
        }
        Ok(())
    }

    /// The next thing that a replica says, until then; `None` if it is then.
    pub(crate) fn next(&mut self, until: Instant) -> Result<Option<Heard>, String> {
        let Ok(heard) = self.heard.recv_timeout(until.saturating_duration_since(now())) else {
            return Ok(None);
        };
        if self.plan.has_log {
            eprintln!(
                "{:9.3} {} {}",
                ms(heard.at.duration_since(self.began)),
                heard.replica,
                heard.said
            );
        }
        match &heard.said {
            Said::Token(token) if self.tokens.insert(token.clone()) => {
                self.first_held.push(heard.at);
            }
            Said::Warned(line) => self.warnings.push(line.clone()),
            Said::Odd(line) => return Err(format!("a replica said: {line}")),
            Said::Gone if self.replicas.contains_key(&heard.replica) => {
                return Err("a replica ended".to_owned());
            }
            _ => {}
        }
        Ok(Some(heard))
    }

    /// Lets it run.
    pub(crate) fn run(&mut self, span: Duration) -> Result<(), String> {
        let until = now() + span;
        while self.next(until)?.is_some() {}
        Ok(())
    }

    /// `kill -9`. Returns when.
    pub(crate) fn kill(&mut self, number: u64) -> Option<Instant> {
        let mut replica = self.replicas.remove(&number)?;
        let _ = replica.child.kill();
        let at = now();
        let _ = replica.child.wait();
        Some(at)
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.replicas.keys().copied().collect()
    }

    pub(crate) fn tell(&mut self, number: u64, command: &str) {
        let input = self.replicas.get_mut(&number).and_then(|replica| replica.input.as_mut());
        if let Some(input) = input {
            let _ = writeln!(input, "{command}");
        }
    }

    /// What all replicas saw since this was asked the last time.
    pub(crate) fn figures(&mut self) -> Result<Figures, String> {
        self.figures_of_these(&self.numbers())
    }

    /// What one of them saw.
    pub(crate) fn figures_of(&mut self, number: u64) -> Result<Figures, String> {
        self.figures_of_these(&[number])
    }

    fn figures_of_these(&mut self, numbers: &[u64]) -> Result<Figures, String> {
        for number in numbers {
            self.tell(*number, "figures");
        }
        let (mut figures, mut missing) = (Figures::default(), numbers.len());
        let limit = now() + Duration::from_secs(30);
        while missing > 0 {
            let heard = self.next(limit)?.ok_or("a replica gives no figures")?;
            if let Said::Figures(told) = heard.said {
                figures.join(*told);
                missing -= 1;
            }
        }
        Ok(figures)
    }

    /// When tokens were granted since then.
    pub(crate) fn mints(&self, since: Instant) -> Vec<Instant> {
        let mints = self.mints.lock().unwrap_or_else(PoisonError::into_inner);
        mints.iter().copied().filter(|at| *at >= since).collect()
    }

    /// What the host of this virtual machine took away since the fleet began.
    pub(crate) fn stolen(&self) -> Duration {
        stolen().saturating_sub(self.stolen)
    }

    /// How late sleeps ended: 99 of 100, and the latest.
    pub(crate) fn lateness(&self) -> (Duration, Duration) {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner).worst()
    }
}

impl Said {
    fn of(line: &str) -> Self {
        let line = line.trim_start();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "up" => Self::Up,
            "WARN" => Self::Warned(rest.to_owned()),
            "claims" => Self::Claims,
            "leased" => Self::Leased,
            "token" => Self::Token(rest.to_owned()),
            "granted" => Self::Granted(Duration::from_micros(rest.parse().unwrap_or_default())),
            "figures" => match serde_json::from_str(rest) {
                Ok(figures) => Self::Figures(Box::new(figures)),
                Err(_) => Self::Odd(line.to_owned()),
            },
            _ => Self::Odd(line.to_owned()),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("is up"),
            Self::Claims => f.write_str("asks the store"),
            Self::Leased => f.write_str("has the lease"),
            Self::Granted(took) => write!(f, "was granted a token in {took:?}"),
            Self::Token(token) => {
                write!(
                    f,
                    "uses ..{}",
                    token.get(token.len().saturating_sub(6)..).unwrap_or_default()
                )
            }
            Self::Figures(_) => f.write_str("gives its figures"),
            Self::Odd(line) | Self::Warned(line) => f.write_str(line),
            Self::Gone => f.write_str("is gone"),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for replica in self.replicas.values_mut() {
            let _ = replica.child.kill();
            let _ = replica.child.wait();
        }
    }
}

/// The number of events in each life of a token.
pub(crate) fn lives(events: &[Instant]) -> Vec<usize> {
    let (mut lives, mut began) = (Vec::new(), None);
    for event in events {
        match began {
            Some(began) if event.duration_since(began) < LIFE => {
                *lives.last_mut().unwrap() += 1;
            }
            _ => {
                began = Some(*event);
                lives.push(1);
            }
        }
    }
    lives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_belong_to_the_life_that_the_first_of_them_began() {
        let began = now();
        let at = |seconds: &[f64]| -> Vec<_> {
            seconds.iter().map(|at| began + Duration::from_secs_f64(*at)).collect()
        };
        assert_eq!(lives(&at(&[0.0, 1.5, 3.8])), [1, 1, 1]);
        assert_eq!(lives(&at(&[0.0, 0.1, 1.3, 1.5, 2.8, 6.0])), [3, 2, 1]);
        assert!(lives(&[]).is_empty());
    }
}

//! What a release would do, worked out before anything is done: pure, and printed for people.
//!
//! crates.io lets an account publish 5 new crates at once and then one every 10 minutes, and 30
//! new versions at once and then one a minute (<https://crates.io/docs/rate-limits>). The plan says
//! what that will cost; the upload itself goes by what the registry answers.

use std::fmt;
use std::time::Duration;

use super::changelog;
use crate::workspace::Package;

/// What a registry's index says of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// There is no such crate yet.
    Nothing,
    /// The crate is there, in other versions.
    OtherVersions,
    /// This version is there.
    ThisVersion,
}

/// One upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) krate: String,
    pub(crate) known: Known,
    /// How long the registry's limits will hold it up, counted from the first upload.
    pub(crate) held_up: Duration,
}

/// What is left to do for one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) version: String,
    pub(crate) registry: String,
    /// Entries that wait under `[Unreleased]`.
    pub(crate) entries: usize,
    /// Whether CHANGELOG.md has the version's section.
    pub(crate) dated: bool,
    pub(crate) steps: Vec<Step>,
}

/// How many come at once, and how long each further one takes.
type Limit = (u32, Duration);
const NEW_CRATES: Limit = (5, Duration::from_secs(600));
const NEW_VERSIONS: Limit = (30, Duration::from_secs(60));

impl Plan {
    /// Works it out from the packages in the order of their uploads, the changelog's text, and what
    /// the index knows of each.
    pub(crate) fn new(
        registry: &str,
        packages: &[Package],
        changelog: &str,
        known: &[Known],
    ) -> Result<Self, String> {
        let version = lockstep(packages)?;
        let (mut crates, mut versions) = (0, 0);
        let steps = packages
            .iter()
            .zip(known)
            .map(|(package, &known)| Step {
                krate: package.name.clone(),
                known,
                held_up: match known {
                    Known::ThisVersion => Duration::ZERO,
                    Known::Nothing => held_up(&mut crates, NEW_CRATES),
                    Known::OtherVersions => held_up(&mut versions, NEW_VERSIONS),
                },
            })
            .collect();
        Ok(Self {
            registry: registry.to_owned(),
            entries: changelog::entries(changelog)?,
            dated: changelog::has(changelog, &version),
            version,
            steps,
        })
    }

    /// Uploads that are left.
    pub(crate) fn left(&self) -> usize {
        self.steps.iter().filter(|step| step.known != Known::ThisVersion).count()
    }
}

/// The one version of all packages, which all of them ask of one another.
pub(crate) fn lockstep(packages: &[Package]) -> Result<String, String> {
    let first = packages.first().ok_or("this workspace publishes no package")?;
    let mut faults = Vec::new();
    for package in packages {
        if package.version != first.version {
            faults.push(format!(
                "{} is {} and {} is {}: all crates share one version",
                first.name, first.version, package.name, package.version
            ));
        }
        for (need, asked) in &package.needs {
            if *asked != format!("^{}", first.version) {
                faults.push(format!(
                    "{} asks for {need} {asked}: it must ask for {}",
                    package.name, first.version
                ));
            }
            if !packages.iter().any(|other| other.name == *need) {
                faults.push(format!("{} needs {need}, which is not published", package.name));
            }
        }
    }
    if faults.is_empty() { Ok(first.version.clone()) } else { Err(faults.join("\n")) }
}

/// How long the next upload of a kind is held up, and counts it.
fn held_up(before: &mut u32, (burst, every): Limit) -> Duration {
    *before += 1;
    every * before.saturating_sub(burst)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, registry, .. } = self;
        match (self.left(), self.dated) {
            (0, _) => writeln!(f, "{version} is on {registry} in full; nothing is left to do")?,
            (left, false) => writeln!(
                f,
                "{version} to {registry}: {left} uploads; {} entries of CHANGELOG.md go under it",
                self.entries
            )?,
            (left, true) => writeln!(f, "{version} to {registry}, under way: {left} uploads left")?,
        }
        for (place, step) in (1..).zip(&self.steps) {
            let state = match step.known {
                Known::Nothing => "a new crate",
                Known::OtherVersions => "a new version",
                Known::ThisVersion => "already there",
            };
            write!(f, "  {place}. {:<18} {state}", step.krate)?;
            if !step.held_up.is_zero() {
                write!(f, ", will wait about {} min", step.held_up.as_secs().div_ceil(60))?;
            }
            writeln!(f)?;
        }
        let longest = self.steps.iter().map(|step| step.held_up).max().unwrap_or_default();
        if !longest.is_zero() {
            writeln!(
                f,
                "crates.io takes 5 new crates at once and then one every 10 minutes: {} minutes in \
                 all, unless it has raised your limit",
                longest.as_secs().div_ceil(60)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const CHANGELOG: &str = "## [Unreleased]\n- Added: a thing.\n- Fixed: another.\n";

    fn package(name: &str, version: &str, needs: &[(&str, &str)]) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            folder: PathBuf::new(),
            published: true,
            features: Vec::new(),
            needs: needs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        }
    }

    fn eight() -> Vec<Package> {
        ["core", "a", "b", "c", "d", "e", "all", "sandbox"]
            .map(|name| package(name, "0.1.0", &[]))
            .into()
    }

    #[test]
    fn a_first_release_waits_for_the_sixth_crate_on() {
        let plan = Plan::new("crates-io", &eight(), CHANGELOG, &[Known::Nothing; 8]).unwrap();
        let minutes: Vec<_> = plan.steps.iter().map(|step| step.held_up.as_secs() / 60).collect();
        assert_eq!(minutes, [0, 0, 0, 0, 0, 10, 20, 30]);
        let text = plan.to_string();
        assert!(text.starts_with("0.1.0 to crates-io: 8 uploads; 2 entries"), "{text}");
        assert!(
            text.contains("6. e                  a new crate, will wait about 10 min"),
            "{text}"
        );
        assert!(text.contains("30 minutes in all"), "{text}");
    }

    #[test]
    fn a_later_release_waits_for_nothing() {
        let plan = Plan::new("crates-io", &eight(), CHANGELOG, &[Known::OtherVersions; 8]).unwrap();
        assert!(plan.steps.iter().all(|step| step.held_up.is_zero()));
        assert!(!plan.to_string().contains("wait"));
    }

    #[test]
    fn what_is_there_costs_nothing_and_is_not_done_again() {
        let mut known = [Known::Nothing; 8];
        known[..3].fill(Known::ThisVersion);
        let dated = "## [Unreleased]\n\n## [0.1.0] - 2026-11-22\n- Added: a thing.\n";
        let plan = Plan::new("crates-io", &eight(), dated, &known).unwrap();
        assert_eq!(plan.left(), 5);
        let text = plan.to_string();
        assert!(text.starts_with("0.1.0 to crates-io, under way: 5 uploads left"), "{text}");
        assert!(text.contains("1. core               already there\n"), "{text}");
        assert!(!text.contains("will wait"), "{text}");
        let done = Plan::new("crates-io", &eight(), dated, &[Known::ThisVersion; 8]).unwrap();
        assert!(done.to_string().starts_with("0.1.0 is on crates-io in full"), "{done}");
    }

    #[test]
    fn versions_that_disagree_are_all_named() {
        let core = package("core", "0.2.0", &[]);
        let late = package("late", "0.1.0", &[("core", "^0.2.0")]);
        let wrong = package("wrong", "0.2.0", &[("core", "^0.1.0"), ("kit", "^0.2.0")]);
        let fault = lockstep(&[core.clone(), late, wrong]).unwrap_err();
        assert!(fault.contains("late is 0.1.0"), "{fault}");
        assert!(fault.contains("wrong asks for core ^0.1.0: it must ask for 0.2.0"), "{fault}");
        assert!(fault.contains("wrong needs kit, which is not published"), "{fault}");
        assert_eq!(lockstep(&[core]), Ok("0.2.0".to_owned()));
        assert!(lockstep(&[]).is_err());
    }
}

//! No tool resumes a release: date the changelog, commit, tag, upload what the index lacks.
//!
//! Every step asks first whether it is done, so running it again is how one resumes. Commit and
//! tag are local and can be taken back; an upload cannot.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::registry::{self, Upload};
use super::{changelog, check, packages};
use crate::steps::{output, read, root, run as succeed, write};
use crate::workspace::{Package, git};

const CHANGELOG: &str = "CHANGELOG.md";
/// Tries, five seconds apart, until an index must show an upload; crates.io says seconds.
const TRIES: u32 = 120;
/// The upload itself goes by what the registry answers.
const PACE: &str = "crates.io takes 5 new crates at once and then one every 10 minutes";
/// Waited after a limit that names no time: what crates.io takes for one more new crate.
const UNNAMED_LIMIT: SignedDuration = SignedDuration::from_mins(10);

/// How far a release has come in this checkout.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was done; where `leftover`, a run was killed between writing and committing.
    Start { leftover: bool },
    /// The changelog is dated and committed.
    Committed,
    /// And HEAD has the version's tag.
    Tagged,
}

/// Runs `release publish`: says what it would do, and with `execute` does it.
pub(super) fn run(registry: &str, execute: bool) -> Result<(), String> {
    let (packages, version) = packages()?;
    let (root, tag) = (root(), format!("v{version}"));
    let told =
        |words: &[&str]| output(git(&root).args(words)).map(|told| told.trim_end().to_owned());
    let tagged = format!("refs/tags/{tag}^{{}}");
    let tagged = told(&["rev-parse", "--verify", "--quiet", &tagged]).ok();
    let committed = output(git(&root).args(["show", &format!("HEAD:{CHANGELOG}")]))?;
    let written = read(&root.join(CHANGELOG))?;
    let (head, changed) = (told(&["rev-parse", "HEAD"])?, check::changed(&root)?);
    let stage = stage(&version, &head, tagged.as_deref(), &changed, &committed, &written)?;
    if !execute {
        let there = there(registry, &packages, &version)?;
        for package in packages.iter().filter(|it| !there.iter().any(|has| has.name == it.name)) {
            println!("  to upload: {} {version}", package.name);
        }
        let begun = if stage == (Stage::Start { leftover: false }) { "" } else { "it has begun; " };
        println!("{PACE}\n{begun}nothing was done: add --execute to go on to the end");
        return Ok(());
    }
    let message = format!("Release {version}");
    if let Stage::Start { leftover } = stage {
        if leftover {
            println!("a run before this one was stopped while it wrote {CHANGELOG}: begun again");
            told(&["checkout", "--quiet", "HEAD", "--", CHANGELOG])?;
        }
        check::run_all(registry)?;
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
        let text = changelog::released(&read(&root.join(CHANGELOG))?, &version, &today)?;
        // At once or not at all. Among git's own files, which lie on the checkout's disk and make
        // nothing dirty: the target folder may lie on another, and no rename leads across.
        let beside = root.join(told(&["rev-parse", "--git-path", "CHANGELOG.md.new"])?);
        write(&beside, text)?;
        let renamed = fs::rename(&beside, root.join(CHANGELOG));
        renamed.map_err(|fault| format!("{CHANGELOG}: {fault}"))?;
        succeed(git(&root).args(["commit", "--quiet", "--message", &message, "--", CHANGELOG]))?;
        println!("committed: {message}");
    }
    if stage != Stage::Tagged {
        succeed(git(&root).args(["tag", "--annotate", &tag, "--message", &message]))?;
        println!("tagged: {tag}");
    }
    upload(registry, &packages, &version)?;
    println!("\n{version} is on {registry}: push the commit and {tag}");
    Ok(())
}

/// Judges how far a release has come, and refuses what cannot be gone on with: by HEAD, the commit
/// that the version's tag stands at, the files that differ from HEAD, and the changelog in both.
fn stage(
    version: &str,
    head: &str,
    tagged: Option<&str>,
    changed: &[String],
    committed: &str,
    written: &str,
) -> Result<Stage, String> {
    let dated = changelog::date_of(committed, version).is_some();
    let stage = match tagged {
        Some(tagged) if tagged != head => {
            return Err(format!(
                "v{version} is tagged at {tagged}, and this is {head}: check the tag out to finish \
                 that release, or set the next version"
            ));
        }
        Some(_) => Stage::Tagged,
        None if dated && changelog::entries(committed) > 0 => {
            return Err(format!(
                "{CHANGELOG} has [{version}], and entries under [Unreleased]: set the next version, \
                 or move them"
            ));
        }
        None if dated => Stage::Committed,
        None => Stage::Start { leftover: false },
    };
    // Only what this command itself would have written may be thrown away.
    let own = changelog::date_of(written, version)
        .and_then(|date| changelog::released(committed, version, date).ok());
    if tagged.is_none() && changed == [CHANGELOG] && own.as_deref() == Some(written) {
        return Ok(Stage::Start { leftover: true });
    }
    check::clean(changed).map(|()| stage)
}

/// The packages that the index has in this version.
fn there<'a>(
    registry: &str,
    packages: &'a [Package],
    version: &str,
) -> Result<Vec<&'a Package>, String> {
    let mut there = Vec::new();
    for package in packages {
        if registry::has(registry, &format!("{}@{version}", package.name))? {
            there.push(package);
        }
    }
    println!("{} of {} packages are on {registry}", there.len(), packages.len());
    Ok(there)
}

fn upload(registry: &str, packages: &[Package], version: &str) -> Result<(), String> {
    for _ in 0..TRIES {
        let there = there(registry, packages, version)?;
        if there.len() == packages.len() {
            return Ok(());
        }
        match registry::publish(registry, &there)? {
            Upload::Done => {}
            Upload::AlreadyThere => sleep(Duration::from_secs(5)),
            Upload::TooMany(until) => wait_until(until),
            Upload::Failed => return Err("mend that, and run the same command again".to_owned()),
        }
    }
    Err("the index does not show it: run the same command again later".to_owned())
}

/// Sits a limit out. One second more than it takes, since a limit that ends at 12:00:00 may still
/// hold in that second; at least one, so that a clock that runs ahead asks no faster than that.
fn wait_until(until: Option<Timestamp>) {
    let until = until.unwrap_or_else(|| Timestamp::now() + UNNAMED_LIMIT);
    println!("the registry's limit is reached; waiting until {until:.0}");
    let left = until.as_second().saturating_sub(Timestamp::now().as_second()).saturating_add(1);
    sleep(Duration::from_secs(u64::try_from(left).unwrap_or(0).max(1)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "# Changelog\n\n## [Unreleased]\n\n- Added: one.\n";
    const DATED: &str =
        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-22\n\n- Added: one.\n";

    fn at(written: &str, committed: &str, changed: &str, tagged: &str) -> Result<Stage, String> {
        let changed: Vec<_> = changed.split_whitespace().map(str::to_owned).collect();
        let tagged = Some(tagged).filter(|tagged| !tagged.is_empty());
        stage("0.1.0", "aaaa", tagged, &changed, committed, written)
    }

    #[test]
    fn each_stage_is_seen_and_what_a_killed_run_wrote_is_known_by_its_text() {
        assert_eq!(at(OPEN, OPEN, "", ""), Ok(Stage::Start { leftover: false }));
        assert_eq!(at(DATED, OPEN, CHANGELOG, ""), Ok(Stage::Start { leftover: true }));
        assert_eq!(at(DATED, DATED, "", ""), Ok(Stage::Committed));
        assert_eq!(at(DATED, DATED, "", "aaaa"), Ok(Stage::Tagged));
    }

    #[test]
    fn what_a_person_wrote_is_theirs_and_what_cannot_go_on_says_what_to_do() {
        let edited = DATED.replace("one", "two");
        let both = "## [Unreleased]\n- New.\n\n## [0.1.0] - 2026-11-22\n- Added: one.\n";
        for (told, outcome) in [
            (CHANGELOG, at(&edited, OPEN, CHANGELOG, "")),
            ("README.md", at(DATED, OPEN, "CHANGELOG.md README.md", "")),
            ("src/lib.rs", at(OPEN, OPEN, "src/lib.rs", "")),
            ("src/lib.rs", at(DATED, DATED, "src/lib.rs", "")),
            ("src/lib.rs", at(DATED, DATED, "src/lib.rs", "aaaa")),
            ("check the tag out", at(DATED, DATED, "", "bbbb")),
            ("next version", at(both, both, "", "")),
        ] {
            assert!(outcome.unwrap_err().contains(told), "{told}");
        }
    }
}

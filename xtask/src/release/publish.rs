//! The release itself: date the changelog, commit, tag, upload crate by crate.
//!
//! Every step asks first whether it is done, so running it again is how one resumes. Commit and
//! tag are local and can be taken back; an upload cannot.

use std::fs;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::plan::{self, Known, Plan};
use super::registry::Upload;
use super::{Options, changelog, check, git, packages, plan_of, read};
use crate::steps::output;

const CHANGELOG: &str = "CHANGELOG.md";
/// How long an index may take to show an upload; crates.io says seconds.
const INDEX_PATIENCE: Duration = Duration::from_secs(600);
/// Waited after a limit that names no time: what crates.io takes for one more new crate.
const UNNAMED_LIMIT: Duration = Duration::from_secs(600);

/// How far a release has come in this checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was done; where `leftover`, a run was killed between writing and committing.
    Start { leftover: bool },
    /// The changelog is dated and committed.
    Committed,
    /// And HEAD has the version's tag.
    Tagged,
}

/// What the stage is judged by.
#[derive(Clone, Debug, Default)]
struct Checkout<'a> {
    head: &'a str,
    /// The commit that the version's tag stands at.
    tagged: Option<&'a str>,
    /// Files that differ from HEAD.
    changed: &'a [String],
    /// The changelog in HEAD and in the work tree.
    committed: &'a str,
    written: &'a str,
}

/// Runs `release publish`.
pub(super) fn run(options: &Options) -> Result<(), String> {
    let version = plan::lockstep(&packages(options)?)?;
    let stage = stage_of(options, &version)?;
    let plan = plan_of(options)?;
    println!("{plan}");
    if !options.execute {
        return dry_run(&version, &stage, &plan);
    }
    let tag = tag_name(&version);
    if let Stage::Start { leftover } = stage {
        if leftover {
            println!("a run before this one was stopped while it wrote {CHANGELOG}: begun again");
            git::restore(&options.root, CHANGELOG)?;
        }
        check::run(options)?;
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
        let text = changelog::released(&read(options, CHANGELOG)?, &version, &today)?;
        write(options, &text)?;
        println!("{CHANGELOG}: [Unreleased] is now [{version}] - {today}");
        git::commit(&options.root, CHANGELOG, &message(&version))?;
        println!("committed: {}", message(&version));
    }
    if stage != Stage::Tagged {
        git::tag(&options.root, &tag, &message(&version))?;
        println!("tagged: {tag}");
    }
    upload(options, &plan)?;
    println!("\n{version} is on {}: push the commit and {tag}", options.registry.name);
    Ok(())
}

fn dry_run(version: &str, stage: &Stage, plan: &Plan) -> Result<(), String> {
    if matches!(stage, Stage::Start { .. }) {
        println!("would run `release check`, date {CHANGELOG} and commit it");
    }
    if *stage != Stage::Tagged {
        println!("would tag {}", tag_name(version));
    }
    for step in plan.steps.iter().filter(|step| step.known != Known::ThisVersion) {
        println!("would upload {} {version} to {}", step.krate, plan.registry);
    }
    println!("nothing was done: add --execute to do it");
    Ok(())
}

fn tag_name(version: &str) -> String {
    format!("v{version}")
}

fn message(version: &str) -> String {
    format!("Release {version}")
}

fn stage_of(options: &Options, version: &str) -> Result<Stage, String> {
    let (head, changed) = (git::head(&options.root)?, git::changed(&options.root)?);
    let tagged = git::tagged(&options.root, &tag_name(version))?;
    stage(
        version,
        &Checkout {
            head: &head,
            tagged: tagged.as_deref(),
            changed: &changed,
            committed: &git::committed(&options.root, CHANGELOG)?,
            written: &read(options, CHANGELOG)?,
        },
    )
}

/// Judges how far a release has come, and refuses what cannot be gone on with.
fn stage(version: &str, at: &Checkout<'_>) -> Result<Stage, String> {
    let dirty = |files: &[String]| {
        Err(format!(
            "these files are not committed: commit or stash them\n  {}",
            files.join("\n  ")
        ))
    };
    if let Some(tagged) = at.tagged {
        if tagged != at.head {
            return Err(format!(
                "{} is tagged at {}, and this checkout is at {}: check the tag out to finish that \
                 release, or set the next version with `cargo xtask release bump`",
                tag_name(version),
                short(tagged),
                short(at.head)
            ));
        }
        return if at.changed.is_empty() { Ok(Stage::Tagged) } else { dirty(at.changed) };
    }
    if changelog::has(at.committed, version) {
        if changelog::entries(at.committed)? > 0 {
            return Err(format!(
                "{CHANGELOG} has [{version}] already, and entries under [Unreleased] beside it: set \
                 the next version with `cargo xtask release bump`, or move them"
            ));
        }
        return if at.changed.is_empty() { Ok(Stage::Committed) } else { dirty(at.changed) };
    }
    if at.changed.is_empty() {
        return Ok(Stage::Start { leftover: false });
    }
    // Only what this command itself would have written may be thrown away.
    let own = changelog::date_of(at.written, version)
        .and_then(|date| changelog::released(at.committed, version, date).ok());
    if at.changed == [CHANGELOG] && own.as_deref() == Some(at.written) {
        return Ok(Stage::Start { leftover: true });
    }
    dirty(at.changed)
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// Replaces the changelog at once or not at all.
fn write(options: &Options, text: &str) -> Result<(), String> {
    let path = options.root.join(CHANGELOG);
    // Among git's own files, which lie on the checkout's disk and make nothing dirty: the target
    // folder may lie on another, and no rename leads from one to the other.
    let words = ["rev-parse", "--git-path", "CHANGELOG.md.new"];
    let beside = options.root.join(output(git::git(&options.root).args(words))?.trim_end());
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(|fault| format!("{CHANGELOG}: {fault}"))
}

fn upload(options: &Options, plan: &Plan) -> Result<(), String> {
    let all = plan.steps.len();
    for (place, step) in (1..).zip(&plan.steps) {
        let name = format!("[{place}/{all}] {} {}", step.krate, plan.version);
        if step.known == Known::ThisVersion {
            println!("{name}: already there");
            continue;
        }
        println!("{name}: uploading");
        loop {
            match options.registry.publish(&step.krate)? {
                Upload::Done => break,
                Upload::AlreadyThere => {
                    println!("{name}: was there already");
                    break;
                }
                Upload::TooMany(until) => wait_until(&name, until),
                Upload::Failed(said) => {
                    return Err(format!(
                        "{name} was not taken:\n{said}\n\nMend that and run the same command again: \
                         it goes on from here."
                    ));
                }
            }
        }
        appear(options, &step.krate, &plan.version)?;
        println!("{name}: published");
    }
    Ok(())
}

/// Waits until the index shows the version, which the next crate may need.
fn appear(options: &Options, krate: &str, version: &str) -> Result<(), String> {
    let mut waited = Duration::ZERO;
    while options.registry.look(krate, version)? != Known::ThisVersion {
        if waited >= INDEX_PATIENCE {
            return Err(format!(
                "{krate} {version} was taken and is not in the index after {} min: run the same \
                 command again later",
                INDEX_PATIENCE.as_secs() / 60
            ));
        }
        println!("    waiting for the index, {} s", waited.as_secs());
        let pause = Duration::from_secs(5);
        sleep(pause);
        waited += pause;
    }
    Ok(())
}

/// Sits a limit out: a countdown on a terminal, a line a minute elsewhere.
fn wait_until(name: &str, until: Option<Timestamp>) {
    let until = until.unwrap_or_else(|| Timestamp::now() + UNNAMED_LIMIT);
    println!("{name}: the registry's limit is reached; waiting until {until:.0}");
    let live = stdout().is_terminal();
    let mut left = seconds_left(until, Timestamp::now());
    loop {
        if live {
            print!("\r    {:>3} min {:02} s left ", left / 60, left % 60);
            let _ = stdout().flush();
        } else if left.is_multiple_of(60) {
            println!("    {} min left", left / 60);
        }
        if left == 0 {
            break;
        }
        sleep(Duration::from_secs(1));
        left = seconds_left(until, Timestamp::now()).min(left - 1);
    }
    if live {
        println!();
    }
}

/// Whole seconds until an instant, one more than it takes: a limit that ends at 12:00:00 may still
/// hold in that second. At least one, so that a clock that runs ahead asks no faster than that.
fn seconds_left(until: Timestamp, now: Timestamp) -> u64 {
    let left = until.as_second().saturating_sub(now.as_second()).saturating_add(1);
    u64::try_from(left).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "# Changelog\n\n## [Unreleased]\n\n- Added: one.\n";
    const DATED: &str =
        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-22\n\n- Added: one.\n";

    fn at(committed: &'static str) -> Checkout<'static> {
        Checkout { head: "aaaa", committed, written: committed, ..Checkout::default() }
    }

    #[test]
    fn each_stage_is_seen() {
        assert_eq!(stage("0.1.0", &at(OPEN)), Ok(Stage::Start { leftover: false }));
        assert_eq!(stage("0.1.0", &at(DATED)), Ok(Stage::Committed));
        let tagged = Checkout { tagged: Some("aaaa"), ..at(DATED) };
        assert_eq!(stage("0.1.0", &tagged), Ok(Stage::Tagged));
    }

    #[test]
    fn what_a_killed_run_wrote_is_known_by_its_text() {
        let changed = [CHANGELOG.to_owned()];
        let killed = Checkout { changed: &changed, written: DATED, ..at(OPEN) };
        assert_eq!(stage("0.1.0", &killed), Ok(Stage::Start { leftover: true }));
        // Whatever a person wrote is theirs.
        let edited = DATED.replace("one", "two");
        let edited = Checkout { changed: &changed, written: &edited, ..at(OPEN) };
        assert!(stage("0.1.0", &edited).unwrap_err().contains("not committed"));
        let more = [CHANGELOG.to_owned(), "README.md".to_owned()];
        let more = Checkout { changed: &more, written: DATED, ..at(OPEN) };
        assert!(stage("0.1.0", &more).unwrap_err().contains("README.md"));
    }

    #[test]
    fn what_cannot_be_gone_on_with_says_what_to_do() {
        let elsewhere = Checkout { tagged: Some("bbbb"), ..at(DATED) };
        assert!(stage("0.1.0", &elsewhere).unwrap_err().contains("check the tag out"));
        let changed = ["src/lib.rs".to_owned()];
        for (committed, tagged) in [(OPEN, None), (DATED, None), (DATED, Some("aaaa"))] {
            let dirty = Checkout { changed: &changed, tagged, ..at(committed) };
            assert!(stage("0.1.0", &dirty).unwrap_err().contains("src/lib.rs"));
        }
        let both = "## [Unreleased]\n- New.\n\n## [0.1.0] - 2026-11-22\n- Added: one.\n";
        assert!(stage("0.1.0", &at(both)).unwrap_err().contains("bump"));
    }

    #[test]
    fn a_limit_is_sat_out_and_never_hammered() {
        let now: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-22T04:10:00Z".parse().unwrap();
        assert_eq!(seconds_left(later, now), 601);
        assert_eq!(seconds_left(now, now), 1);
        assert_eq!(seconds_left(now, later), 1);
    }
}

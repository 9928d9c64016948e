//! The few things that a release asks of git.

use std::path::Path;
use std::process::Command;

use crate::steps::{output, run};

/// Git in a checkout, whatever repository the caller's environment names.
pub(crate) fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(root);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
}

/// Files that differ from the last commit, new ones included.
pub(crate) fn changed(root: &Path) -> Result<Vec<String>, String> {
    let told = output(git(root).args(["status", "--porcelain", "--untracked-files=all"]))?;
    Ok(told.lines().filter_map(|line| line.get(3..)).map(str::to_owned).collect())
}

/// The last commit.
pub(crate) fn head(root: &Path) -> Result<String, String> {
    Ok(output(git(root).args(["rev-parse", "HEAD"]))?.trim().to_owned())
}

/// The commit that a tag stands at, if there is such a tag.
pub(crate) fn tagged(root: &Path, tag: &str) -> Result<Option<String>, String> {
    let name = format!("refs/tags/{tag}^{{commit}}");
    let told = git(root)
        .args(["rev-parse", "--verify", "--quiet", &name])
        .output()
        .map_err(|fault| format!("git: {fault}"))?;
    Ok(told.status.success().then(|| String::from_utf8_lossy(&told.stdout).trim().to_owned()))
}

/// The newest release's tag before `but`, in what HEAD descends from.
pub(crate) fn last_release(root: &Path, but: &str) -> Option<String> {
    let mut command = git(root);
    command.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "--exclude", but]);
    output(&mut command).ok().map(|tag| tag.trim().to_owned())
}

/// A file as the last commit has it.
pub(crate) fn committed(root: &Path, file: &str) -> Result<String, String> {
    output(git(root).args(["show", &format!("HEAD:{file}")]))
}

/// Sets a file back to the last commit.
pub(crate) fn restore(root: &Path, file: &str) -> Result<(), String> {
    run(git(root).args(["checkout", "--quiet", "HEAD", "--", file]))
}

/// Commits one file.
pub(crate) fn commit(root: &Path, file: &str, message: &str) -> Result<(), String> {
    run(git(root).args(["commit", "--quiet", "--message", message, "--", file]))
}

/// Tags the last commit, with a message.
pub(crate) fn tag(root: &Path, name: &str, message: &str) -> Result<(), String> {
    run(git(root).args(["tag", "--annotate", name, "--message", message]))
}

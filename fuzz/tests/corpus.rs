//! Runs the corpus through its targets, and the recorded answers through all of them; also, cut and
//! changed, through the target of their provider.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use auth_fuzz::{SECRET, TARGETS, Target};

/// The files of a folder, sorted.
fn files(folder: impl AsRef<Path>) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|it| panic!("{folder:?}: {it}"));
    let mut files: Vec<_> = entries.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.retain(|path| path.is_file());
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    files.into_iter().map(read).collect()
}

/// The panic of a target on this input, if there is one.
fn broken(target: &Target, path: &Path, input: &[u8]) -> Option<String> {
    let broke = catch_unwind(|| (target.run)(input)).is_err();
    broke.then(|| format!("{}: {path:?}: {}", target.name, input.escape_ascii()))
}

/// Variants of an input: with the secret in place of its placeholder, cut short, with a byte
/// changed, and doubled.
fn variants(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes).replace("@SECRET@", SECRET);
    let mut all = vec![bytes.to_vec(), text.into_bytes(), [bytes, bytes].concat()];
    // A long one would take too long.
    let step = if bytes.len() > 2048 { usize::MAX } else { bytes.len() / 6 + 1 };
    for at in (0..bytes.len()).step_by(step) {
        all.push(bytes[..at].to_vec());
        for byte in [b'"', b'\\', 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            all.push(changed);
        }
    }
    all
}

#[test]
fn no_input_of_the_corpus_breaks_an_invariant() {
    let mut found = Vec::new();
    for target in TARGETS {
        let inputs = files(Path::new("corpus").join(target.name));
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        found.extend(inputs.iter().filter_map(|(path, input)| broken(target, path, input)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_recorded_answer_breaks_an_invariant() {
    let inputs = files("../crates/auth-tests/fixtures");
    assert!(inputs.len() > 100, "the recorded answers were not found");
    let mut found = Vec::new();
    for (path, bytes) in &inputs {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for target in TARGETS {
            if name.starts_with(&format!("{}-", target.name)) {
                found.extend(variants(bytes).iter().filter_map(|it| broken(target, path, it)));
            } else {
                found.extend(broken(target, path, bytes));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_target_has_a_binary_and_existing_files() {
    let manifest = include_str!("../libfuzzer/Cargo.toml");
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
        for file in target.files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(file);
            assert!(path.is_file(), "{file}");
        }
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}

//! The corpus through every target: as it is, cut, and changed.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use auth_fuzz::{SECRET, TARGETS};

/// All files of `corpus/`, and the recorded answers.
fn inputs() -> Vec<(PathBuf, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["corpus", "../crates/auth-testkit/fixtures"].map(|folder| here.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|path| path.is_file())
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

/// An input, with the secret where a recording has its mark; cut short; a byte changed; twice.
fn variants(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes).replace("@SECRET@", SECRET);
    let mut all = vec![bytes.to_vec(), text.into_bytes(), [bytes, bytes].concat()];
    // A long one takes long to read, eleven times by each flow.
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
fn no_input_breaks_a_promise() {
    let inputs = inputs();
    assert!(inputs.len() > 100, "the recorded answers were not found");
    for (path, bytes) in &inputs {
        for input in variants(bytes) {
            for (name, target) in TARGETS {
                let shown = String::from_utf8_lossy(&input);
                assert!(catch_unwind(|| target(&input)).is_ok(), "{name}, {path:?}: {shown}");
            }
        }
    }
}

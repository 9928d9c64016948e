//! All targets behind one entrance; the first byte chooses.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((choice, input)) = data.split_first() {
        let targets = auth_fuzz::TARGETS;
        targets[usize::from(*choice) % targets.len()].1(input);
    }
});

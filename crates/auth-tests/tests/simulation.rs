//! The engine in simulation: see `auth_tests::simulation`. `cargo xtask simulate` runs more
//! schedules, or one by its seed.

use std::collections::BTreeMap;

use auth_tests::simulation;

#[test]
fn every_invariant_holds_in_a_thousand_schedules() {
    let mut reached = BTreeMap::new();
    for seed in 0..1_000 {
        let run = simulation::run(seed);
        if let Some(fault) = run.fault {
            panic!("seed {seed}: {fault}\nfor its journal: cargo xtask simulate --seed {seed}");
        }
        for (what, times) in run.reached {
            *reached.entry(what).or_insert(0) += times;
        }
    }
    // A simulation that does not get there proves nothing.
    for what in simulation::PLACES {
        let times = reached.get(what).copied().unwrap_or(0_u64);
        assert!(times > 0, "no schedule reached: {what}");
    }
}

#[test]
fn a_seed_repeats_its_run_line_by_line() {
    for seed in 0..200 {
        let (first, second) = (simulation::run(seed), simulation::run(seed));
        // Not `assert_eq!` on both journals, which have hundreds of lines.
        let mut pairs = first.journal.iter().zip(&second.journal);
        let other = pairs.find(|(first, second)| first != second);
        assert_eq!((other, first.journal.len()), (None, second.journal.len()), "seed {seed}");
        assert!(first.journal.len() > 5);
    }
}

#[test]
fn a_seed_repeats_its_run_on_another_thread() {
    for seed in 0..50 {
        let elsewhere = std::thread::spawn(move || simulation::run(seed)).join().unwrap();
        assert_eq!(simulation::run(seed).journal, elsewhere.journal, "seed {seed}");
    }
}

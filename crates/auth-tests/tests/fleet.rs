//! A fleet on a shared store in simulation: see `auth_tests::simulation::fleet`. `cargo xtask
//! simulate --store` runs more schedules, or one by its seed.

use std::collections::BTreeMap;

use auth_tests::simulation::fleet;

const SCHEDULES: u64 = 90;

#[test]
fn every_check_holds_in_many_schedules() {
    let halves = [0, 1].map(|half| {
        std::thread::spawn(move || {
            let mut reached = BTreeMap::new();
            for seed in (half..SCHEDULES).step_by(2) {
                let run = fleet::run(seed);
                if let Some(fault) = run.fault {
                    panic!(
                        "seed {seed}: {fault}\nfor its journal: cargo xtask simulate --store --seed {seed}"
                    );
                }
                for (what, times) in run.reached {
                    *reached.entry(what).or_insert(0_u64) += times;
                }
            }
            reached
        })
    });
    let halves = halves.map(|half| half.join().unwrap());
    // A simulation that does not get there proves nothing.
    for what in fleet::PLACES {
        let times: u64 = halves.iter().filter_map(|half| half.get(what)).sum();
        assert!(times > 0, "no schedule reached: {what}");
    }
}

#[test]
fn a_seed_repeats_its_run_line_by_line() {
    for seed in 0..5 {
        let elsewhere = std::thread::spawn(move || fleet::run(seed)).join().unwrap();
        let run = fleet::run(seed);
        // Not `assert_eq!` on both journals, which have hundreds of lines.
        let mut pairs = run.journal.iter().zip(&elsewhere.journal);
        let other = pairs.find(|(here, there)| here != there);
        assert_eq!((other, run.journal.len()), (None, elsewhere.journal.len()), "seed {seed}");
        assert!(run.journal.len() > 20);
    }
}

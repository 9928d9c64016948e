//! What the crates weigh for whoever takes them, beside plain reqwest with the same TLS.

mod consumer;
mod effort;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use self::consumer::{ALL, BARE, COUNTED, Consumer, ONE, PLAIN};
use crate::server::Sandbox;
use crate::steps::{Steps, cargo, root, run as succeed, target};

/// The most crates that one provider's crate may bring beyond plain reqwest.
const MOST_OVER_PLAIN: usize = 12;
/// The most crates that the engine may bring without its defaults.
const MOST_BARE: usize = 30;

/// What was found of one consumer.
struct Weight {
    consumer: &'static Consumer,
    crates: BTreeSet<String>,
    /// What a first build takes, and how large the program is that comes out.
    built: Option<(Duration, u64)>,
}

/// Counts, and but for `--quick` builds and runs: five minutes on two cores.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<_> = args.collect();
    let quick = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--quick"] => true,
        other => return Err(format!("weigh takes --quick alone, not {}", other.join(" "))),
    };
    let mut steps = Steps::default();
    let mut weights = Vec::new();
    steps.step("what each brings along", || {
        for consumer in [&PLAIN, &ONE].into_iter().chain(&COUNTED).chain([&ALL, &BARE]) {
            consumer.write()?;
            weights.push(Weight { consumer, crates: consumer.crates()?, built: None });
        }
        Ok(())
    })?;
    if !quick {
        let mut sandbox = None;
        steps.step("the sandbox", || {
            let package = ["--quiet", "--locked", "--package", "auth-sandbox"];
            succeed(cargo(&root()).arg("build").args(package))?;
            sandbox = Some(Sandbox::start(&target().join("debug/auth-sandbox"))?);
            Ok(())
        })?;
        let variables = sandbox.as_ref().map_or(&[][..], |sandbox| &sandbox.variables);
        for weight in weights.iter_mut().filter(|weight| weight.consumer.name != COUNTED[0].name) {
            steps.step(&format!("a first build of {}", weight.consumer.what), || {
                let (took, program) = weight.consumer.build()?;
                // A program that was never seen to do its work weighs nothing.
                weight.consumer.run(&program, variables)?;
                let size = fs::metadata(&program).map_err(|fault| fault.to_string())?.len();
                weight.built = Some((took, size));
                Ok(())
            })?;
        }
    }
    steps.finish();
    println!("\n{}", table(&weights));
    verdict(&weights)
}

/// The figures, each beside those of plain reqwest.
fn table(weights: &[Weight]) -> String {
    let base = weights.first();
    let mut table = String::from(
        "| a program with | crates | not in plain reqwest | processor time of a first release build | stripped program |\n\
         |---|---|---|---|---|\n",
    );
    for weight in weights {
        let Consumer { what, after, works, .. } = weight.consumer;
        let crates = weight.crates.len();
        let over = base.map_or(0, |base| over(weight, base).count());
        let (mut took, mut size) = ("-".to_owned(), "-".to_owned());
        let base = base.and_then(|base| base.built);
        if let (Some((time, bytes)), Some((base_time, base_bytes))) = (weight.built, base) {
            let seconds = time.as_secs_f64();
            took = match after {
                Some(first) => format!("{seconds:.1} s after that with {first}"),
                None => format!("{seconds:.1} s ({:.2})", seconds / base_time.as_secs_f64()),
            };
            if *works {
                let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
                let ratio = mebibytes(bytes) / mebibytes(base_bytes);
                size = format!("{:.2} MiB ({ratio:.2})", mebibytes(bytes));
            }
        }
        table.push_str(&format!("| {what} | {crates} | {over} | {took} | {size} |\n"));
    }
    table
}

/// The crates of one consumer that another does not have.
fn over<'a>(weight: &'a Weight, base: &'a Weight) -> impl Iterator<Item = &'a str> {
    weight.crates.difference(&base.crates).map(String::as_str)
}

/// Whether it all stays below what was promised.
fn verdict(weights: &[Weight]) -> Result<(), String> {
    let find = |consumer: &Consumer| {
        let found = weights.iter().find(|weight| weight.consumer.name == consumer.name);
        found.ok_or_else(|| format!("{} was not weighed", consumer.what))
    };
    let plain = find(&PLAIN)?;
    let single =
        weights.iter().filter(|weight| [ONE.name, COUNTED[0].name].contains(&weight.consumer.name));
    let extra: Vec<_> =
        single.map(|weight| over(weight, plain).collect()).max_by_key(Vec::len).unwrap_or_default();
    let bare: Vec<_> = find(&BARE)?.crates.iter().map(String::as_str).collect();
    let mut faults = Vec::new();
    for (what, crates, most) in [
        ("one provider brings beyond plain reqwest", &extra, MOST_OVER_PLAIN),
        ("the engine brings without its defaults", &bare, MOST_BARE),
    ] {
        if crates.len() > most {
            let count = crates.len();
            faults.push(format!(
                "{what} {count} crates, {most} at most: do without one of {}",
                crates.join(", ")
            ));
        }
    }
    if !faults.is_empty() {
        return Err(format!("weigh: {}", faults.join("\nweigh: ")));
    }
    println!(
        "weigh: {} crates beyond plain reqwest ({MOST_OVER_PLAIN} at most), {} in the engine alone \
         ({MOST_BARE} at most)",
        extra.len(),
        bare.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::consumer::ALL;
    use super::*;

    fn weight(consumer: &'static Consumer, crates: usize, built: Option<(u64, u64)>) -> Weight {
        Weight {
            consumer,
            crates: (0..crates).map(|number| format!("crate-{number:03} v1.0.0")).collect(),
            built: built.map(|(seconds, bytes)| (Duration::from_secs(seconds), bytes)),
        }
    }

    #[test]
    fn too_many_crates_fail_and_are_named() {
        let weigh = |one, bare| {
            verdict(&[weight(&PLAIN, 90, None), weight(&ONE, one, None), weight(&BARE, bare, None)])
        };
        assert_eq!(weigh(90 + MOST_OVER_PLAIN, MOST_BARE), Ok(()));
        let fault = weigh(91 + MOST_OVER_PLAIN, MOST_BARE).unwrap_err();
        assert!(fault.contains("brings beyond plain reqwest 13 crates"), "{fault}");
        assert!(fault.contains("crate-102 v1.0.0") && !fault.contains("crate-089"), "{fault}");
        let fault = weigh(90, MOST_BARE + 1).unwrap_err();
        assert!(fault.contains("without its defaults 31 crates"), "{fault}");
        assert!(verdict(&[weight(&PLAIN, 90, None)]).is_err());
    }

    #[test]
    fn figures_stand_beside_those_of_plain_reqwest() {
        let told = table(&[
            weight(&PLAIN, 90, Some((60, 4 << 20))),
            weight(&ONE, 100, Some((66, 5 << 20))),
            weight(&ALL, 110, Some((3, 6 << 20))),
            weight(&BARE, 28, Some((15, 1 << 20))),
        ]);
        for line in [
            format!("| {} | 90 | 0 | 60.0 s (1.00) | 4.00 MiB (1.00) |", PLAIN.what),
            format!("| {} | 100 | 10 | 66.0 s (1.10) | 5.00 MiB (1.25) |", ONE.what),
            format!(
                "| {} | 110 | 20 | 3.0 s after that with manis-auth | 6.00 MiB (1.50) |",
                ALL.what
            ),
            format!("| {} | 28 | 0 | 15.0 s (0.25) | - |", BARE.what),
        ] {
            assert!(told.contains(&line), "{line}\n{told}");
        }
        assert!(table(&[weight(&PLAIN, 90, None)]).contains("| 90 | 0 | - | - |"));
    }
}

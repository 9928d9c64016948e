//! The short form of the fault matrix, and the guide's page. `cargo xtask faults` runs all cells.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use auth_tests::faults::matrix::{complaint, some, try_out};
use auth_tests::faults::page::{PAGE, page};
use auth_tests::faults::table::rows;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_the_outcome_in_the_table() {
    let rows = rows();
    let cells = some(&rows);
    assert!(cells.len() > 3 * rows.len(), "{} cells", cells.len());
    let tried = try_out(&rows, cells).await;
    let red: Vec<_> = tried
        .iter()
        .filter_map(|(cell, found)| Some(complaint(&rows, *cell, found.as_ref().err()?)))
        .collect();
    assert!(red.is_empty(), "{} of {} cells:\n{}", red.len(), tried.len(), red.join("\n"));
}

#[test]
fn the_page_of_the_guide_matches_the_table() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let committed = std::fs::read_to_string(format!("{root}{PAGE}")).unwrap();
    assert!(committed == page(), "{PAGE} differs from the table: run `cargo xtask faults --write`");
}

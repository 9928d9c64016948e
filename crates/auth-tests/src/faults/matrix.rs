//! Runs many cells concurrently.

use std::sync::Arc;

use auth_sandbox::Provider;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cell::{Found, run};
use super::rule::{Row, State};

/// How many cells run concurrently; most of them wait.
const AT_A_TIME: usize = 16;

/// A cell: the number of its row, its provider and its state.
pub type Cell = (usize, Provider, State);

/// Every cell of this many rows.
#[must_use]
pub fn all(lines: usize) -> Vec<Cell> {
    let of_line = |line| {
        let of_provider = move |provider| State::ALL.map(|state| (line, provider, state));
        Provider::ALL.into_iter().flat_map(of_provider)
    };
    (0..lines).flat_map(of_line).collect()
}

/// Each row in each state for one provider, in turn, and for every provider that is an exception.
#[must_use]
pub fn some(rows: &[Row]) -> Vec<Cell> {
    let is_chosen = |(line, provider, state): &Cell| {
        let turn = (line + usize::from(*state == State::Stale)) % Provider::ALL.len();
        Provider::ALL[turn] == *provider
            || rows[*line].except.iter().any(|(exception, _)| exception == provider)
    };
    all(rows.len()).into_iter().filter(is_chosen).collect()
}

/// Runs these cells, and returns their results in order.
pub async fn try_out(
    rows: &[Row],
    cells: impl IntoIterator<Item = Cell>,
) -> Vec<(Cell, Result<Found, String>)> {
    let free = Arc::new(Semaphore::new(AT_A_TIME));
    let mut running = JoinSet::new();
    for (number, cell) in cells.into_iter().enumerate() {
        let (row, free) = (rows[cell.0].clone(), Arc::clone(&free));
        running.spawn(async move {
            let _turn = free.acquire().await;
            (number, cell, run(&row, cell.1, cell.2).await)
        });
    }
    let mut tried = running.join_all().await;
    tried.sort_by_key(|(number, ..)| *number);
    tried.into_iter().map(|(_, cell, found)| (cell, found)).collect()
}

/// One line about a failed cell.
#[must_use]
pub fn complaint(rows: &[Row], (line, provider, state): Cell, text: &str) -> String {
    format!("{}, {provider}, {state:?}: {text}", rows[line].what)
}

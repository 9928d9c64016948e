//! Tests that span the crates. Programs: `conformance`, the flows against real servers
//! (`cargo xtask conformance`), and `simulate`, the engine in a simulated world (`cargo xtask
//! simulate`).

pub mod simulation;

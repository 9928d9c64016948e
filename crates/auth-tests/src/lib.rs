//! Tests that span the crates. Programs: `conformance`, the flows against real servers
//! (`cargo xtask conformance`).

//! Placeholder for the suites.

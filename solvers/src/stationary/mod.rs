//! Stationary (relaxation) methods, one file each.

#[cfg(test)]
pub(crate) mod testing;

//! `residua poisson`, checked.
use super::UsageError;
use crate::args::PoissonArgs;
#[derive(Debug)]
pub(crate) struct SolverChoice;
#[derive(Debug)]
pub(crate) struct PoissonPlan;
impl PoissonPlan {
    pub(crate) fn new(_: PoissonArgs, _: u64) -> Result<Self, UsageError> {
        Ok(Self)
    }
}

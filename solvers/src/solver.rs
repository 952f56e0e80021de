//! One trait for every method.

use crate::{LinearSystem, Monitor, Outcome, SolveError, StopRule};
use residua_data::Scalar;

/// A method that solves A x = b for operators of type `A`.
///
/// The operator type is the trait's parameter, and each method bounds it by what it needs. A solver owns
/// its workspace: the first call sizes it, later calls of the same size allocate nothing.
pub trait Solver<A: ?Sized, T: Scalar = f64> {
    /// The method's name as on the command line.
    fn name(&self) -> &'static str;

    /// Solves from the initial guess in `x` (length n), which holds the last iterate at the end, whatever
    /// the reason.
    ///
    /// # Errors
    /// [`SolveError`] if the call is wrong or a part broke. A numerical end is an [`Outcome`].
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError>;
}

impl<A: ?Sized, T: Scalar, S: Solver<A, T> + ?Sized> Solver<A, T> for Box<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        (**self).solve(system, x, stop, monitor)
    }
}

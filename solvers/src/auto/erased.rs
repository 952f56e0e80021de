//! [`Session`] behind a trait object, compiled in this crate.
//!
//! Every method and preconditioner is generic, so a crate that names `Session<f64>` compiles them all once
//! more. A program that only wants answers in double precision asks [`DoublePrecision::session`] instead
//! and builds in seconds.

use super::{MatrixFacts, Options, Report, Session, estimate_condition};
use crate::direct::FaerScalar;
use crate::{CsrMatrix, Method, Monitor, PrecondKind, SolveError, StopRule};
use num_complex::Complex;

/// What [`Session`] does, without its type.
pub trait AnySession<T: FaerScalar> {
    /// See [`Session::solve`].
    ///
    /// # Errors
    /// See [`Session::solve`].
    fn solve(
        &mut self,
        b: &[T],
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Report, SolveError>;

    /// See [`Session::facts`].
    fn facts(&self) -> &MatrixFacts;

    /// See [`Session::suggestion`].
    fn suggestion(&self) -> Option<(Method, PrecondKind, &'static str)>;
}

impl<T: FaerScalar> AnySession<T> for Session<'_, T> {
    fn solve(
        &mut self,
        b: &[T],
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Report, SolveError> {
        Session::solve(self, b, x, stop, monitor)
    }

    fn facts(&self) -> &MatrixFacts {
        Session::facts(self)
    }

    fn suggestion(&self) -> Option<(Method, PrecondKind, &'static str)> {
        Session::suggestion(self)
    }
}

/// `f64` and `Complex<f64>`: the types that matrices are read in.
pub trait DoublePrecision: FaerScalar {
    /// See [`Session::new`].
    ///
    /// # Errors
    /// See [`Session::new`].
    fn session<'a>(
        a: &'a CsrMatrix<Self>,
        options: &Options,
    ) -> Result<Box<dyn AnySession<Self> + 'a>, SolveError>;

    /// See [`estimate_condition`].
    fn condition(a: &CsrMatrix<Self>, facts: &MatrixFacts) -> Option<f64>;
}

macro_rules! compile_for {
    ($($scalar:ty),+) => {$(
        impl DoublePrecision for $scalar {
            fn session<'a>(
                a: &'a CsrMatrix<Self>,
                options: &Options,
            ) -> Result<Box<dyn AnySession<Self> + 'a>, SolveError> {
                Ok(Box::new(Session::new(a, options)?))
            }

            fn condition(a: &CsrMatrix<Self>, facts: &MatrixFacts) -> Option<f64> {
                estimate_condition(a, facts)
            }
        }
    )+};
}
compile_for!(f64, Complex<f64>);

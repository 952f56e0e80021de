//! Constrained optimisation by Newton's method on the KKT conditions.

mod accuracy;
mod choice;
mod derivatives;
mod kkt;
mod lagrangian;
mod model;
mod multipliers;
mod newton;
mod null_space;
mod options;
mod outcome;
mod point;
mod residual;
mod run;
mod solve;
mod sparse;
#[cfg(test)]
mod tests;

pub use derivatives::{DerivativeError, DerivativeReport, check_derivatives};
pub use options::{
    Accuracy, BarrierConstants, HessianShift, KktMethod, LagrangianConstants, MinimizeOptions, SketchKind,
    UnknownName,
};
pub use outcome::{IterationRecord, MinimizeError, MinimizeOutcome, MinimizeStatus};
pub use residual::{KktResidual, kkt_residual};
pub use run::MinimizeMonitor;
pub use solve::minimize;

//! The trait of a nonlinear program.

/// A sparse pattern by rows: row i holds the columns `columns[row_starts[i]..row_starts[i + 1]]`, ascending and
/// without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SparsePattern {
    /// Where each row begins; one more than there are rows.
    pub row_starts: Vec<usize>,
    /// Columns of the entries, row after row.
    pub columns: Vec<u32>,
}

impl SparsePattern {
    /// Entries.
    pub fn nnz(&self) -> usize {
        self.columns.len()
    }

    /// Columns of row `i`.
    pub fn row(&self, i: usize) -> &[u32] {
        &self.columns[self.row_starts[i]..self.row_starts[i + 1]]
    }
}

/// A function that has no value at a point: outside its domain, or not computable.
///
/// A method cuts its step and tries again, as it does for NaN and infinities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{function} cannot be evaluated: {reason}")]
pub struct EvaluationError {
    /// Which function: `objective`, `constraint 3`, ...
    pub function: String,
    /// What went wrong.
    pub reason: String,
}

/// A nonlinear program min f(x), c_L ≤ c(x) ≤ c_U, x_L ≤ x ≤ x_U.
///
/// `x` has length n = [`variables`](Self::variables), `lambda` length m = [`constraints`](Self::constraints).
/// The Lagrangian is σ f(x) + λᵀ c(x). Outputs are overwritten, never added to.
pub trait NonlinearProblem: Sync {
    /// A name for tables.
    fn name(&self) -> &str;

    /// Number of variables n.
    fn variables(&self) -> usize;

    /// Number of constraints m, bounds on variables not counted.
    fn constraints(&self) -> usize;

    /// Writes the starting point, length n.
    fn initial_point(&self, x: &mut [f64]);

    /// Multipliers to start from, length m, where there are any.
    fn initial_multipliers(&self) -> Option<&[f64]> {
        None
    }

    /// x_L and x_U, length n each; empty slices where no variable is bounded.
    fn variable_bounds(&self) -> (&[f64], &[f64]) {
        (&[], &[])
    }

    /// c_L and c_U, length m each; empty slices where every constraint is the equality c(x) = 0.
    fn constraint_bounds(&self) -> (&[f64], &[f64]) {
        (&[], &[])
    }

    /// f(x); NaN or an infinity where it has no value.
    ///
    /// # Errors
    /// [`EvaluationError`] where f has no value.
    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError>;

    /// ∇f(x) into `gradient`, length n.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError>;

    /// c(x) into `values`, length m.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError>;

    /// The pattern of the Jacobian ∂c/∂x, m × n.
    fn jacobian_pattern(&self) -> &SparsePattern;

    /// The Jacobian's entries in the order of its pattern.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn jacobian_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError>;

    /// The pattern of the lower triangle, diagonal included, of ∇²ₓₓ(σ f + λᵀ c), n × n; `None` where the
    /// Hessian is only an operator.
    fn hessian_pattern(&self) -> Option<&SparsePattern>;

    /// The Hessian's entries in the order of its pattern; not called where there is none.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn hessian_values(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError>;

    /// An unbiased random estimate of the Hessian's entries, in the order of its pattern, that costs much less than they do: for
    /// sums over samples, that over some of them. Methods use it as a preconditioner. `Ok(false)` where there is none.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn sketched_hessian_values(
        &self,
        _x: &[f64],
        _sigma: f64,
        _lambda: &[f64],
        _seed: u64,
        _values: &mut [f64],
    ) -> Result<bool, EvaluationError> {
        Ok(false)
    }

    /// Whether [`sketched_hessian_values`](Self::sketched_hessian_values) has one.
    fn has_sketched_hessian(&self) -> bool {
        false
    }

    /// ∇²ₓₓ(σ f + λᵀ c) v into `product`, length n.
    ///
    /// # Errors
    /// [`EvaluationError`] where it has no value.
    fn hessian_product(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError>;

    /// The objective at the known solution, for tests and tables.
    fn known_optimum(&self) -> Option<f64> {
        None
    }

    /// Whether the objective was to be large: [`objective`](Self::objective) is then its negative. Default: no.
    fn is_maximised(&self) -> bool {
        false
    }
}

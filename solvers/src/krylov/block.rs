//! Conjugate gradients for several right-hand sides at once.
//!
//! A X = B is solved column by column with the scalars of [`Cg`](super::Cg), but in lock step: each step
//! multiplies all directions by A in one pass, so that A is read once for k columns. The columns do not
//! share a Krylov space (that would be O'Leary's block CG, 1980, whose k × k systems become singular when
//! columns converge unevenly); each has its own reason to stop and is frozen from then on.
//!
//! As in [`control::run`](crate::control::run), a recurrence's claim is verified by the true residual, and a
//! column that drifted starts afresh.

use crate::control::{
    CycleEnd, DIVERGENCE_FACTOR, Verdict, end_of_step, limit_reached, resize, scale_residual,
};
use crate::error::{SolveError, check_len, check_square};
use crate::precond::Identity;
use crate::system::global_norm;
use crate::{
    Breakdown, Converged, Limit, LinearOperator, Monitor, Outcome, Progress, SpdPreconditioner, StopReason,
    StopRule, kernels,
};
use residua_data::Scalar;
use std::ops::ControlFlow;
use std::time::Instant;

/// Conjugate gradients for A X = B, A ∈ Tⁿˣⁿ Hermitian positive definite, B ∈ Tⁿˣᵏ.
///
/// Every column takes the steps that [`Cg`](super::Cg) would take alone, up to rounding.
///
/// **Cost** a step: 1 product of A with k vectors, k applications of M⁻¹ (a diagonal M is applied in one
/// pass, any other column by column, with 4n elements copied each), 3 sums over ranks of k numbers;
/// 8 · 15 n k bytes in double precision beside A and M.
/// **Storage**: 5 n k (4 n k without a preconditioner) and 2n.
/// **Fails** in a column, which the others do not notice, as [`Cg`](super::Cg) does.
#[derive(Debug, Clone)]
pub struct BlockCg<P = Identity, T = f64> {
    precond: P,
    vectors: Vectors<T>,
    columns: Vec<Column>,
    scalars: Scalars<T>,
}

/// n × k blocks, interleaved: entry (i, c) at `i * k + c`; and two single columns.
#[derive(Debug, Clone, Default)]
struct Vectors<T> {
    x: Vec<T>,
    r: Vec<T>,
    z: Vec<T>,
    p: Vec<T>,
    q: Vec<T>,
    column: [Vec<T>; 2],
}

/// k numbers each.
#[derive(Debug, Clone, Default)]
struct Scalars<T> {
    alpha: Vec<T>,
    /// scale α of the last step, by which x has yet to be moved.
    step: Vec<T>,
    beta: Vec<T>,
    rho: Vec<T>,
    sums: Vec<T>,
    partials: Vec<T>,
}

/// What is known of one column.
#[derive(Debug, Clone)]
struct Column {
    rhs_norm: f64,
    target: f64,
    divergence_norm: f64,
    /// The true one between cycles, the recurrence's within.
    residual_norm: f64,
    /// The true one at the start of the cycle.
    before: f64,
    /// The recurrence's residual times this is the residual.
    scale: f64,
    verdict: Verdict,
    /// How the current cycle ended; a column with an end is frozen.
    end: Option<CycleEnd>,
    reason: Option<StopReason>,
    iterations: usize,
    operator_applies: usize,
    preconditioner_applies: usize,
}

impl<T: Scalar> Default for BlockCg<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> BlockCg<P, T> {
    /// Block CG with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        Self { precond, vectors: Vectors::default(), columns: Vec::new(), scalars: Scalars::default() }
    }

    /// The preconditioner.
    pub fn precond(&self) -> &P {
        &self.precond
    }

    /// The preconditioner, to refresh it for a new matrix.
    pub fn precond_mut(&mut self) -> &mut P {
        &mut self.precond
    }

    /// Solves A X = B from the initial guess in `x`. `b` and `x` hold k columns of length n, one after the
    /// other; k follows from their length. The monitor sees the column that is farthest from its target.
    /// Returns an outcome for each column (which is all that a second solve of the same size allocates).
    ///
    /// # Errors
    /// [`SolveError`] if A is not square, `b` is not a whole number of columns, `x` has another length, either
    /// holds NaN or an infinity, or the preconditioner fails.
    pub fn solve_block<A: LinearOperator<T> + ?Sized>(
        &mut self,
        a: &A,
        b: &[T],
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Vec<Outcome>, SolveError>
    where
        P: SpdPreconditioner<T>,
    {
        let start = Instant::now();
        check_square("cg", a.nrows(), a.ncols())?;
        let n = a.nrows();
        let k = b.len().checked_div(n).unwrap_or(0);
        check_len("b (columns of length n, one after the other)", k * n, b.len())?;
        check_len("x (as many columns as b)", b.len(), x.len())?;
        for (what, values) in [("b", b), ("the initial guess x", &*x)] {
            if let Some(index) = values.iter().position(|v| !v.is_finite()) {
                return Err(SolveError::NonFinite { what, index });
            }
        }
        if k == 0 {
            return Ok(Vec::new());
        }
        self.resize(n, k);
        let mut solve = BlockSolve { a, b, n, k, stop, start, monitor, iterations: 0, stop_requested: false };
        to_interleaved(x, k, &mut self.vectors.x);
        solve.run(self)?;
        for (c, x) in x.chunks_exact_mut(n).enumerate() {
            gather(&self.vectors.x, k, c, x);
        }
        Ok(self.columns.iter().map(|column| column.outcome(start)).collect())
    }

    fn resize(&mut self, n: usize, k: usize)
    where
        P: SpdPreconditioner<T>,
    {
        let Vectors { x, r, z, p, q, column } = &mut self.vectors;
        for block in [x, r, p, q] {
            resize(block, n * k);
        }
        if !self.precond.is_identity() {
            resize(z, n * k);
        }
        column.iter_mut().for_each(|column| resize(column, n));
        let Scalars { alpha, step, beta, rho, sums, partials } = &mut self.scalars;
        for scalars in [alpha, step, beta, rho, sums] {
            resize(scalars, k);
        }
        resize(partials, kernels::multi_dot_workspace(n, k));
    }
}

impl Column {
    fn outcome(&self, start: Instant) -> Outcome {
        let scale = if self.rhs_norm > 0.0 { self.rhs_norm } else { 1.0 };
        Outcome {
            reason: self.reason.unwrap_or(StopReason::Failed(Breakdown::Stagnation)),
            iterations: self.iterations,
            residual_norm: self.residual_norm,
            relative_residual: self.residual_norm / scale,
            operator_applies: self.operator_applies,
            preconditioner_applies: self.preconditioner_applies,
            elapsed: start.elapsed(),
        }
    }

    /// Takes in a true residual norm: sets the reason to end, if there is one, or begins a new cycle.
    fn verify(&mut self, after: f64, stop: &StopRule) {
        let end = self.end.take();
        self.residual_norm = after;
        self.reason = if self.rhs_norm == 0.0 {
            Some(StopReason::Converged(Converged::ZeroRhs))
        } else if after <= self.target {
            Some(StopReason::Converged(if after <= stop.rtol * self.rhs_norm {
                Converged::RelativeTolerance
            } else {
                Converged::AbsoluteTolerance
            }))
        } else if !after.is_finite() {
            Some(StopReason::Failed(Breakdown::NonFinite))
        } else {
            end.and_then(|end| self.verdict.after(end, self.before, after, self.target))
        };
        self.before = after;
    }
}

/// Interleaves columns that lie one after the other.
fn to_interleaved<T: Scalar>(columns: &[T], k: usize, block: &mut [T]) {
    let n = columns.len() / k;
    for (c, column) in columns.chunks_exact(n).enumerate() {
        scatter(column, k, c, block);
    }
}

/// Column c of an interleaved block ← `column`.
fn scatter<T: Scalar>(column: &[T], k: usize, c: usize, block: &mut [T]) {
    block.iter_mut().skip(c).step_by(k).zip(column).for_each(|(entry, &value)| *entry = value);
}

/// `column` ← column c of an interleaved block.
fn gather<T: Scalar>(block: &[T], k: usize, c: usize, column: &mut [T]) {
    column.iter_mut().zip(block.iter().skip(c).step_by(k)).for_each(|(value, &entry)| *value = entry);
}

/// One call of [`BlockCg::solve_block`].
struct BlockSolve<'a, A: ?Sized, T> {
    a: &'a A,
    b: &'a [T],
    n: usize,
    k: usize,
    stop: &'a StopRule,
    start: Instant,
    monitor: &'a mut dyn Monitor<T>,
    iterations: usize,
    stop_requested: bool,
}

/// Column c of an interleaved block ← `value`.
fn fill_column<T: Scalar>(value: T, k: usize, c: usize, block: &mut [T]) {
    block.iter_mut().skip(c).step_by(k).for_each(|entry| *entry = value);
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized> BlockSolve<'_, A, T> {
    fn run<P: SpdPreconditioner<T>>(&mut self, method: &mut BlockCg<P, T>) -> Result<(), SolveError> {
        self.start_columns(method);
        self.verify(method);
        for column in &mut method.columns {
            column.divergence_norm = DIVERGENCE_FACTOR * column.residual_norm.max(column.rhs_norm);
        }
        self.observe(&method.columns);
        loop {
            let limit = self.limit_reached();
            for column in method.columns.iter_mut().filter(|column| column.reason.is_none()) {
                column.reason = limit.map(StopReason::Stopped);
            }
            if method.columns.iter().all(|column| column.reason.is_some()) {
                return Ok(());
            }
            self.cycle(method)?;
            self.verify(method);
        }
    }

    fn start_columns<P>(&self, method: &mut BlockCg<P, T>) {
        method.columns.clear();
        for (c, b) in self.b.chunks_exact(self.n).enumerate() {
            let rhs_norm = global_norm(self.a, b);
            if rhs_norm == 0.0 {
                fill_column(T::zero(), self.k, c, &mut method.vectors.x);
            }
            method.columns.push(Column {
                rhs_norm,
                target: (self.stop.rtol * rhs_norm).max(self.stop.atol),
                divergence_norm: f64::INFINITY,
                residual_norm: 0.0,
                before: 0.0,
                scale: 1.0,
                verdict: Verdict::default(),
                end: None,
                reason: None,
                iterations: 0,
                operator_applies: 0,
                preconditioner_applies: 0,
            });
        }
    }

    /// R ← B − A X, scaled, and a verdict on every column; R = 0 in those that are done.
    fn verify<P>(&self, method: &mut BlockCg<P, T>) {
        let BlockCg { vectors: Vectors { x, r, column: [single, _], .. }, columns, .. } = method;
        self.a.apply_block(self.k, x, r);
        for (c, (b, column)) in self.b.chunks_exact(self.n).zip(columns).enumerate() {
            if column.reason.is_some() {
                fill_column(T::zero(), self.k, c, r);
                continue;
            }
            gather(r, self.k, c, single);
            kernels::subtract_from(b, single);
            column.operator_applies += 1;
            column.verify(global_norm(self.a, single), self.stop);
            if column.reason.is_some() {
                fill_column(T::zero(), self.k, c, r);
            } else {
                column.scale = scale_residual(single, column.residual_norm);
                scatter(single, self.k, c, r);
            }
        }
    }

    fn limit_reached(&self) -> Option<Limit> {
        if self.stop_requested {
            return Some(Limit::MonitorRequest);
        }
        limit_reached(self.stop, self.iterations, self.start)
    }

    /// Shows the monitor the column that is farthest from its target.
    fn observe(&mut self, columns: &[Column]) {
        let distance = |column: &Column| {
            let done = column.reason.is_some() || column.end.is_some();
            if done { -1.0 } else { column.residual_norm / column.target.max(f64::MIN_POSITIVE) }
        };
        if let Some(column) = columns.iter().max_by(|a, b| distance(a).total_cmp(&distance(b))) {
            let progress = Progress {
                iteration: self.iterations,
                residual_norm: column.residual_norm,
                target: column.target,
                rhs_norm: column.rhs_norm,
                x: None,
            };
            self.stop_requested |= self.monitor.observe(&progress) == ControlFlow::Break(());
        }
    }

    /// Steps of CG from the scaled true residuals R until every column claims convergence, fails or stops.
    fn cycle<P: SpdPreconditioner<T>>(&mut self, method: &mut BlockCg<P, T>) -> Result<(), SolveError> {
        let Scalars { alpha, step, beta, rho, .. } = &mut method.scalars;
        for scalars in [alpha, step, beta, rho] {
            scalars.fill(T::zero());
        }
        method.vectors.p.fill(T::zero());
        self.next_rho(method)?;
        std::mem::swap(&mut method.scalars.rho, &mut method.scalars.sums);
        while method.columns.iter().any(|column| column.end.is_none() && column.reason.is_none()) {
            self.step(method)?;
        }
        Ok(())
    }

    /// sums ← r_cᴴ z_c, z = M⁻¹ r.
    fn next_rho<P: SpdPreconditioner<T>>(&self, method: &mut BlockCg<P, T>) -> Result<(), SolveError> {
        let BlockCg { precond, vectors, columns, scalars } = method;
        let Vectors { r, z, column: [single, image], .. } = vectors;
        let is_identity = precond.is_identity();
        if let Some(d) = precond.as_diagonal() {
            kernels::interleaved_multiply_elementwise(self.k, d, r, z);
        } else if !is_identity {
            for (c, column) in columns.iter_mut().enumerate() {
                if column.end.is_none() && column.reason.is_none() {
                    gather(r, self.k, c, single);
                    precond.apply(single, image)?;
                    column.preconditioner_applies += 1;
                    scatter(image, self.k, c, z);
                }
            }
        }
        let z = if is_identity { &*r } else { &*z };
        kernels::interleaved_dots(r, z, &mut scalars.partials, &mut scalars.sums);
        self.a.sum_over_ranks(&mut scalars.sums);
        Ok(())
    }

    fn step<P: SpdPreconditioner<T>>(&mut self, method: &mut BlockCg<P, T>) -> Result<(), SolveError> {
        for c in 0..self.k {
            let rho = method.scalars.rho[c];
            if !rho.is_finite() {
                self.freeze(method, c, CycleEnd::Broken(Breakdown::NonFinite));
            } else if rho.real_f64() <= 0.0 {
                let reason = Breakdown::IndefinitePreconditioner;
                self.freeze(method, c, CycleEnd::Stop(StopReason::Failed(reason)));
            }
        }
        let is_identity = method.precond.is_identity();
        let Vectors { x, r, z, p, q, .. } = &mut method.vectors;
        let Scalars { alpha, step, beta, sums, partials, .. } = &mut method.scalars;
        // X ← X + P step of the step before; P ← Z + P β; Q ← A P
        kernels::interleaved_update_x_and_p(step, if is_identity { r } else { z }, beta, x, p);
        step.fill(T::zero());
        self.a.apply_block(self.k, p, q);
        kernels::interleaved_dots(p, q, partials, sums);
        self.a.sum_over_ranks(sums);
        alpha.fill(T::zero());
        for c in 0..self.k {
            let curvature = method.scalars.sums[c];
            if !curvature.is_finite() {
                self.freeze(method, c, CycleEnd::Broken(Breakdown::NonFinite));
            } else if curvature.real_f64() <= 0.0 {
                let reason = Breakdown::IndefiniteOperator;
                self.freeze(method, c, CycleEnd::Stop(StopReason::Failed(reason)));
            } else {
                let alpha = method.scalars.rho[c] / curvature;
                method.scalars.alpha[c] = -alpha;
                method.scalars.step[c] = T::of(method.columns[c].scale) * alpha;
                method.columns[c].operator_applies += 1;
            }
        }
        let (Vectors { r, q, .. }, scalars) = (&mut method.vectors, &mut method.scalars);
        let Scalars { alpha, sums, partials, .. } = scalars;
        kernels::interleaved_axpy_norms(alpha, q, r, partials, sums); // R ← R − Q α
        self.a.sum_over_ranks(sums);
        self.end_step(method);
        self.next_rho(method)?;
        let Scalars { rho, beta, sums, .. } = &mut method.scalars;
        for ((beta, rho), &next) in beta.iter_mut().zip(rho).zip(&*sums) {
            *beta = if *rho == T::zero() { T::zero() } else { next / *rho };
            *rho = next;
        }
        Ok(())
    }

    /// Counts the step, shows it to the monitor, and freezes the columns that it ends.
    fn end_step<P>(&mut self, method: &mut BlockCg<P, T>) {
        self.iterations += 1;
        for (column, sq) in method.columns.iter_mut().zip(&method.scalars.sums) {
            if column.end.is_none() && column.reason.is_none() {
                column.iterations += 1;
                column.residual_norm = sq.real_f64().sqrt() * column.scale;
            }
        }
        self.observe(&method.columns);
        let limit = self.limit_reached();
        for c in 0..self.k {
            let column = &method.columns[c];
            if let Some(end) = end_of_step(column.residual_norm, column.target, column.divergence_norm, limit)
            {
                self.freeze(method, c, end);
            }
        }
    }

    /// Ends the cycle of column c, if it has not ended: x gets the step that it still lacks, r and p become
    /// zero, so that whatever the others do leaves the column as it is.
    fn freeze<P>(&self, method: &mut BlockCg<P, T>, c: usize, end: CycleEnd) {
        let column = &mut method.columns[c];
        if column.end.is_some() || column.reason.is_some() {
            return;
        }
        column.end = Some(end);
        let (Vectors { x, r, z, p, q, .. }, scalars) = (&mut method.vectors, &mut method.scalars);
        let step = scalars.step[c];
        if step != T::zero() {
            let columns = x.iter_mut().skip(c).step_by(self.k).zip(p.iter().skip(c).step_by(self.k));
            columns.for_each(|(x, &p)| *x += step * p);
        }
        for block in [r, z, p, q] {
            fill_column(T::zero(), self.k, c, block);
        }
        for scalar in [&mut scalars.alpha[c], &mut scalars.beta[c], &mut scalars.step[c], &mut scalars.rho[c]]
        {
            *scalar = T::zero();
        }
    }
}

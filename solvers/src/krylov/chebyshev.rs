//! Chebyshev iteration: the best fixed polynomial for an interval of eigenvalues, without inner products.
//!
//! With the eigenvalues of M⁻¹A in [λmin, λmax], θ their centre, δ the half-width, σ = θ/δ, ρ₀ = 1/σ and
//! d₀ = M⁻¹r₀/θ:
//!
//! ```text
//! x ← x + d,  r ← r − A d,  ρ_{k+1} = 1/(2σ − ρ_k),  d ← ρ_{k+1} ρ_k d + (2 ρ_{k+1}/δ) M⁻¹ r
//! ```
//!
//! Saad (2003), *Iterative Methods for Sparse Linear Systems*, Algorithm 12.1. The residual shrinks by
//! v = σ + √(σ² − 1) a step in the long run.
//!
//! Bounds that are not given are estimated, λmax with a margin, since beyond it the polynomial grows. λmin is
//! overestimated by any short Lanczos process; a component with λ < λmin shrinks, but by g = v(λ)/v only,
//! where v(λ) + 1/v(λ) = 2(θ − λ)/δ. So where the residual is seen to shrink slower than promised, the observed
//! g tells λ, and the iteration goes on with that bound (the idea of Manteuffel, 1978, Numer. Math. 31, on the
//! real line). A residual that grows tells λ > λmax in the same way.

use super::spectrum::{SpectralBounds, lanczos};
use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{
    LinearOperator, LinearSystem, Monitor, Outcome, Solver, SpdPreconditioner, StopReason, StopRule, kernels,
};
use residua_data::Scalar;

/// Lanczos steps for bounds that are not given.
const LANCZOS_STEPS: usize = 20;

/// Margin on an estimated λmax, as in Adams et al. (2003), J. Comput. Phys. 188(2).
pub(crate) const MAX_MARGIN: f64 = 1.1;

/// Steps over which the observed rate is averaged before bounds are doubted.
const WINDOW: usize = 20;

/// Observed growth per promised rate, v(λ), from which on new bounds are worth a restart.
const DOUBT: f64 = 1.02;

/// Chebyshev iteration for A x = b, A ∈ Tⁿˣⁿ Hermitian positive definite, M likewise.
///
/// Needs more steps than CG, and per step no inner product but the norm for the stopping test: for where
/// reductions are expensive. As a smoother or preconditioner: [`precond::Chebyshev`](crate::precond::Chebyshev).
///
/// **Cost** a step: 1 product with A, 1 application of M⁻¹, 1 reduction; 8 · 10n bytes of vectors in double
/// precision with no or a diagonal M, 8 · 15n otherwise. Bounds that are not given cost 20 steps of Lanczos each solve.
/// **Storage**: 4n.
/// **Fails** with [`Breakdown::Divergence`](crate::Breakdown::Divergence) if an eigenvalue lies far beyond given
/// bounds, [`Breakdown::IndefiniteOperator`](crate::Breakdown::IndefiniteOperator) or
/// [`Breakdown::IndefinitePreconditioner`](crate::Breakdown::IndefinitePreconditioner) if the estimate finds that.
#[derive(Debug, Clone)]
pub struct Chebyshev<P = Identity, T = f64> {
    precond: P,
    bounds: Option<SpectralBounds>,
    r: Vec<T>,
    z: Vec<T>,
    d: Vec<T>,
    q: Vec<T>,
}

impl<T: Scalar> Default for Chebyshev<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Chebyshev<P, T> {
    /// With the preconditioner `precond`, bounds to be estimated at each solve.
    pub fn new(precond: P) -> Self {
        Self { precond, bounds: None, r: Vec::new(), z: Vec::new(), d: Vec::new(), q: Vec::new() }
    }

    /// With bounds for the eigenvalues of M⁻¹A, which are taken at their word.
    pub fn with_bounds(precond: P, bounds: SpectralBounds) -> Self {
        Self { bounds: Some(bounds), ..Self::new(precond) }
    }

    /// The preconditioner, to refresh it for a new matrix.
    pub fn precond_mut(&mut self) -> &mut P {
        &mut self.precond
    }
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>> Solver<A, T> for Chebyshev<P, T> {
    fn name(&self) -> &'static str {
        "chebyshev"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("chebyshev", a.nrows(), a.ncols())?;
        let Self { precond, bounds: given, r, z, d, q } = self;
        for v in [&mut *r, z, d, q] {
            resize(v, a.nrows());
        }
        let mut bounds = *given;
        let may_adapt = given.is_none();
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let interval = match bounds {
                Some(interval) => interval,
                None => match lanczos(a, precond, LANCZOS_STEPS, [r, z, d, q])? {
                    Err(breakdown) => return Ok(CycleEnd::Stop(StopReason::Failed(breakdown))),
                    Ok((ritz, steps)) => {
                        control.operator_applies += steps + 1;
                        control.preconditioner_applies += steps;
                        system.residual(x, r);
                        let max = MAX_MARGIN * ritz.max;
                        SpectralBounds { min: ritz.min.min(0.9 * max), max }
                    }
                },
            };
            let mut adapted = interval;
            let end = Cycle { a, precond: &mut *precond, interval, may_adapt, z, d, q }.run(
                control,
                x,
                r,
                r_norm,
                &mut adapted,
            )?;
            bounds = Some(adapted);
            Ok(end)
        })
    }
}

/// What one cycle works with.
struct Cycle<'c, A: ?Sized, P, T> {
    a: &'c A,
    precond: &'c mut P,
    interval: SpectralBounds,
    may_adapt: bool,
    z: &'c mut [T],
    d: &'c mut [T],
    q: &'c mut [T],
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>> Cycle<'_, A, P, T> {
    /// Iterates until the residual meets the target, the solve is stopped, or the bounds turn out wrong: then
    /// `adapted` holds better ones.
    fn run(
        self,
        control: &mut Control<'_, T>,
        x: &mut [T],
        r: &mut [T],
        r_norm: f64,
        adapted: &mut SpectralBounds,
    ) -> Result<CycleEnd, SolveError> {
        let Self { a, precond, interval, may_adapt, z, d, q } = self;
        let (theta, delta) = interval.centre_and_radius();
        let sigma = theta / delta;
        let mut rho = 1.0 / sigma;
        d.fill(T::zero());
        next_direction(precond, control, T::zero(), T::of(1.0 / theta), r, z, d)?;
        let mut window_norm = r_norm;
        for step in 1.. {
            // q = A d, x ← x + d, r ← r − q.
            a.apply(d, q);
            control.operator_applies += 1;
            let r_norm = fused_norm(a, advance(d, q, x, r), r);
            if let Some(end) = control.step(r_norm, Some(x)) {
                return Ok(end);
            }
            if may_adapt && step % WINDOW == 0 {
                let observed = (r_norm / window_norm).powf(1.0 / WINDOW as f64);
                window_norm = r_norm;
                if let Some(better) = doubt(interval, observed) {
                    *adapted = better;
                    return Ok(CycleEnd::Restart);
                }
            }
            let next_rho = 1.0 / (2.0 * sigma - rho);
            next_direction(precond, control, T::of(next_rho * rho), T::of(2.0 * next_rho / delta), r, z, d)?;
            rho = next_rho;
        }
        Ok(CycleEnd::Restart)
    }
}

/// Better bounds, if a residual that shrank by `observed` a step contradicts the present ones.
fn doubt(interval: SpectralBounds, observed: f64) -> Option<SpectralBounds> {
    let (theta, delta) = interval.centre_and_radius();
    let sigma = theta / delta;
    let growth = observed * (sigma + (sigma * sigma - 1.0).sqrt());
    if growth < DOUBT || !growth.is_finite() {
        return None;
    }
    let offset = 0.5 * delta * (growth + 1.0 / growth);
    if observed >= 1.0 {
        return Some(SpectralBounds { max: MAX_MARGIN * (theta + offset), ..interval });
    }
    // Rates of components mix, so λ is taken at most halfway to zero at once.
    let min = (theta - offset).clamp(0.1 * interval.min, 0.9 * interval.min);
    Some(SpectralBounds { min, ..interval })
}

/// x ← x + d, r ← r − q; returns ‖r‖₂² of the new r.
fn advance<T: Scalar>(d: &[T], q: &[T], x: &mut [T], r: &mut [T]) -> T::RealField {
    type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);
    kernels::reduce((d, q, x, r), kernels::VECTOR_GRAIN, &|(d, q, x, r): Slices<'_, T>| {
        for (((&d, &q), x), r) in d.iter().zip(q).zip(x).zip(&mut *r) {
            *x += d;
            *r -= q;
        }
        kernels::norm2_sq(r)
    })
}

/// d ← βd + γ M⁻¹ r; z is scratch where M is neither diagonal nor the identity.
fn next_direction<T: Scalar, P: SpdPreconditioner<T>>(
    precond: &mut P,
    control: &mut Control<'_, T>,
    beta: T,
    gamma: T,
    r: &[T],
    z: &mut [T],
    d: &mut [T],
) -> Result<(), SolveError> {
    if let Some(inverse) = precond.as_diagonal() {
        type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T]);
        kernels::for_each_block((inverse, r, d), kernels::VECTOR_GRAIN, &|(m, r, d): Slices<'_, T>| {
            m.iter().zip(r).zip(d).for_each(|((&m, &r), d)| *d = beta * *d + gamma * (m * r));
        });
    } else if precond.is_identity() {
        kernels::axpby(gamma, r, beta, d);
    } else {
        precond.apply(r, z)?;
        control.preconditioner_applies += 1;
        kernels::axpby(gamma, z, beta, d);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::precond::{Jacobi, Ssor};
    use crate::stationary::testing::*;
    use crate::{Breakdown, History, Limit};
    use num_complex::Complex;
    use residua_data::CsrMatrix;

    fn waves<T: Scalar>(n: usize) -> Vec<T> {
        (0..n).map(|i| T::of((1.0 + i as f64).sin())).collect()
    }

    fn ends(n: f64) -> SpectralBounds {
        let c = 4.0 * (std::f64::consts::PI / (n + 1.0)).cos();
        SpectralBounds::try_new(4.0 - c, 4.0 + c).unwrap()
    }

    #[test]
    fn the_residual_is_chebyshevs_polynomial() {
        // A with one eigenvalue λ: the residual after k steps is T_k((θ − λ)/δ)/T_k(θ/δ).
        for lambda in [1.0, 1.7, 2.5, 3.0] {
            let a = CsrMatrix::from_diagonal(&[lambda; 3]).unwrap();
            let b = [3.0, -4.0, 12.0];
            let mut history = History::new();
            let mut method = Chebyshev::with_bounds(Identity, SpectralBounds::try_new(1.0, 3.0).unwrap());
            let stop = StopRule::rtol(1e-30).with_max_iters(9);
            let system = LinearSystem::new(&a, &b).unwrap();
            method.solve(&system, &mut [0.0; 3], &stop, &mut history).unwrap();
            let t = |k: i32, x: f64| {
                if x.abs() <= 1.0 {
                    (f64::from(k) * x.acos()).cos()
                } else {
                    (f64::from(k) * x.acosh()).cosh()
                }
            };
            for (k, r) in history.relative_residuals().iter().enumerate().take(10) {
                let expected = (t(k as i32, 2.0 - lambda) / t(k as i32, 2.0)).abs();
                assert!((r - expected).abs() < 1e-14, "lambda = {lambda}, step {k}: {r} {expected}");
            }
        }
    }

    #[test]
    fn known_bounds_give_the_known_rate() {
        let a = grid_laplacian(20, 20);
        let b = waves::<f64>(400);
        let mut x = vec![0.0; 400];
        let mut method = Chebyshev::with_bounds(Identity, ends(20.0));
        let system = LinearSystem::new(&a, &b).unwrap();
        let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
        assert!(outcome.converged());
        // 2 v^-k <= 1e-8 for the worst residual.
        let root = ends(20.0).condition().sqrt();
        let worst = (2e8f64).ln() / ((root + 1.0) / (root - 1.0)).ln();
        assert!(outcome.iterations as f64 <= worst.ceil() && outcome.iterations as f64 > 0.6 * worst);
        assert!(naive_residual_norm(&dense(&a), &b, &x) < 2e-8 * system.rhs_norm());
    }

    fn converges<T: Scalar>(a: &CsrMatrix<T>, precond: impl SpdPreconditioner<T>, rtol: f64) -> Outcome {
        let b = waves::<T>(a.nrows());
        let mut x = vec![T::zero(); a.nrows()];
        let system = LinearSystem::new(a, &b).unwrap();
        let outcome = Chebyshev::new(precond).solve(&system, &mut x, &StopRule::rtol(rtol), &mut ()).unwrap();
        assert!(outcome.converged(), "{outcome:?}");
        assert!(naive_residual_norm(&dense(a), &b, &x) <= 1.5 * rtol * system.rhs_norm());
        outcome
    }

    #[test]
    fn estimated_bounds_adapt() {
        let a = grid_laplacian(45, 45);
        let outcome = converges(&a, Identity, 1e-8);
        let (b, mut x) = (waves::<f64>(2025), vec![0.0; 2025]);
        let system = LinearSystem::new(&a, &b).unwrap();
        let mut known = Chebyshev::with_bounds(Identity, ends(45.0));
        let best = known.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
        assert!(outcome.iterations < 2 * best.iterations, "{} {}", outcome.iterations, best.iterations);
    }

    #[test]
    fn every_scalar_type_and_kind_of_preconditioner() {
        let a = grid_laplacian(12, 11);
        let plain = converges(&a, Identity, 1e-8);
        let ssor = converges(&a, Ssor::new(&a, 1.3).unwrap(), 1e-8);
        assert!(ssor.iterations < plain.iterations);
        let scaled = scaled_entries(&a, |i, j| (1.0 + (i % 5) as f64) * (1.0 + (j % 5) as f64));
        converges(&scaled, Jacobi::new(&scaled).unwrap(), 1e-8);
        let z = scaled_entries(&a, |i, j| Complex::from_polar(1.0, i as f64 - j as f64));
        converges(&z, Jacobi::new(&z).unwrap(), 1e-8);
        converges(&scaled_entries(&a, |_, _| 1.0f32), Identity, 1e-4);
        let c = scaled_entries(&a, |i, j| Complex::from_polar(1.0f32, i as f32 - j as f32));
        converges(&c, Ssor::new(&c, 1.0).unwrap(), 1e-4);
    }

    #[test]
    fn ends_have_their_reasons() {
        let a = grid_laplacian(10, 10);
        let b = waves::<f64>(100);
        let system = LinearSystem::new(&a, &b).unwrap();
        let mut x = vec![0.0; 100];
        let narrow = SpectralBounds::try_new(0.1, 4.0).unwrap();
        let mut method = Chebyshev::with_bounds(Identity, narrow);
        let outcome = method.solve(&system, &mut x, &StopRule::default(), &mut ()).unwrap();
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Divergence));
        x.fill(0.0);
        let capped = StopRule::default().with_max_iters(4);
        let outcome = Chebyshev::new(Identity).solve(&system, &mut x, &capped, &mut ()).unwrap();
        assert_eq!((outcome.reason, outcome.iterations), (StopReason::Stopped(Limit::MaxIterations), 4));
        let indefinite = scaled_entries(&a, |i, j| if i == j && i > 50 { -1.0 } else { 1.0 });
        let system = LinearSystem::new(&indefinite, &b).unwrap();
        x.fill(0.0);
        let outcome = Chebyshev::new(Identity).solve(&system, &mut x, &StopRule::default(), &mut ()).unwrap();
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::IndefiniteOperator));
    }
}

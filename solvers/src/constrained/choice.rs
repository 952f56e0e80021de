//! Which KKT solver a problem gets, and the cost model of `auto`.
//!
//! | solver | operations of one Newton step | weight |
//! |---|---|---|
//! | `direct` | those of L D Lᵀ, from the symbolic analysis of K; n³/3 where K is dense | 1 |
//! | Schur complement with multigrid | 16 steps of 2 cycles at 14 operations an entry of A, and products with J and Jᵀ | 1.2 on a grid; else 15, as steps are twice as many |
//! | `gmres` | those of the factors of P, and 40 steps with them | 3 |
//!
//! The weights say how much longer an operation was measured to take there: a factorization works in cache, products and
//! cycles of algebraic multigrid wait for memory. Where A is the stencil of a grid no analysis of K is made, as it would take half as long
//! as the solve: L D Lᵀ took 84, 110 and 113 m^1.5 operations for 64², 128² and 256² points, so 84 m^1.5 are predicted. The second is a candidate where the constraints are an elliptic equation and the Hessian is diagonal and positive
//! (`kkt/pairing`, `kkt/schur`), the third where the Hessian is not diagonal (else P = K) or no matrix. Sketch and project is never
//! chosen: its steps number at least ‖K‖²_F/σ²_min(K) for each factor e, which no cheap estimate bounds, and on every problem
//! measured the factorization took less time.

use super::kkt::{
    Direct, KktSolver, Krylov, Pairing, Schur, Sketched, is_diagonal, pair, stencil, step_flops,
};
use super::model::Model;
use super::options::{KktMethod, MinimizeOptions};
use super::outcome::MinimizeError;
use super::sparse::Rows;

/// Systems that cost less than this are factorized without another thought.
const SMALL: f64 = 1e7;

const SCHUR_STEPS: f64 = 16.0;
const GRID_WEIGHT: f64 = 1.2;
const ALGEBRAIC_WEIGHT: f64 = 15.0;

/// Operations of L D Lᵀ for constraints on a grid, over m^1.5.
const DISSECTION: f64 = 84.0;

const GMRES_STEPS: f64 = 40.0;
const GMRES_WEIGHT: f64 = 3.0;

/// The solver for `options.method`; `w` is the start.
pub(crate) fn kkt_solver(
    model: &Model<'_>,
    w: &[f64],
    options: &MinimizeOptions,
) -> Result<Box<dyn KktSolver>, MinimizeError> {
    Ok(match options.method {
        KktMethod::Direct => Box::new(Direct::new("as asked")),
        KktMethod::Auto => automatic(model, w, options),
        KktMethod::Sketched if model.has_sketched_hessian() && model.matrices().1.is_none() => Box::new(
            Krylov::with_sketched_hessian(options.seed, options.max_inner),
        ),
        KktMethod::Sketched => Box::new(Sketched::new(options.sketch, options)),
        KktMethod::Gmres => match elliptic(model, w) {
            Some((pairing, _)) => Box::new(Schur::new(
                pairing,
                "gmres, as conjugate gradients on the Schur complement with multigrid: the constraints are elliptic"
                    .to_owned(),
            )),
            None => Box::new(Krylov::new("as asked", options.max_inner)),
        },
    })
}

fn automatic(model: &Model<'_>, w: &[f64], options: &MinimizeOptions) -> Box<dyn KktSolver> {
    let (j, Some(h)) = model.matrices() else {
        return Box::new(Krylov::new("the Hessian is no matrix", options.max_inner));
    };
    let (n, m) = (model.n, model.m);
    let elliptic = elliptic(model, w);
    let schur = |pairing: Pairing, weight: f64, direct: f64| {
        let schur = weight * SCHUR_STEPS * step_flops(pairing.nnz, j.nnz(), n, m);
        (schur < direct).then(|| {
            let reason = format!(
                "schur complement with multigrid: {schur:.1e} weighted operations predicted, {direct:.1e} for a factorization"
            );
            Box::new(Schur::new(pairing, reason))
        })
    };
    if let Some((pairing, true)) = &elliptic
        && let Some(schur) = schur(pairing.clone(), GRID_WEIGHT, DISSECTION * (m as f64).powf(1.5))
    {
        return schur;
    }
    let (direct, sparse) = Direct::analyse(&h, &j);
    if direct <= SMALL {
        return Box::new(Direct::with_analysis("small", sparse));
    }
    if let Some((pairing, false)) = elliptic
        && let Some(schur) = schur(pairing, ALGEBRAIC_WEIGHT, direct)
    {
        return schur;
    }
    if !is_diagonal(&h) {
        let diagonal = Rows::new((0..=n).collect(), (0..n as u32).collect(), n);
        let (factors, analysis) = Direct::analyse(&diagonal, &j);
        let solve = analysis.map_or(2.0 * ((n + m) as f64).powi(2), |s| s.solve_flops);
        let product = (4 * h.nnz() + 4 * j.nnz()) as f64;
        let gmres = GMRES_WEIGHT * (factors + GMRES_STEPS * (solve + product));
        if gmres < direct {
            return Box::new(Krylov::new(
                "the factorization of K was predicted to cost more",
                options.max_inner,
            ));
        }
    }
    Box::new(Direct::with_analysis("predicted to cost least", sparse))
}

/// A of J = [A B], where the constraints are elliptic and the Hessian is diagonal; and whether it is the stencil of a grid.
fn elliptic(model: &Model<'_>, w: &[f64]) -> Option<(Pairing, bool)> {
    let (mut j, h) = model.matrices();
    if model.m == 0 || !is_diagonal(&h?) || !model.jacobian(w, &mut j) {
        return None;
    }
    let pairing = pair(&j)?;
    let is_grid = stencil(&j, &pairing).is_some();
    Some((pairing, is_grid))
}

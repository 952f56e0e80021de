//! Which attempts `auto` makes, in which order, and why.
//!
//! The order is fixed by the facts alone. Each attempt is made only if the ones before it did not end in
//! a verified answer:
//!
//! | matrix | attempts |
//! |---|---|
//! | Hermitian, diagonal of one sign | Cholesky if cheap, else CG + AMG (M-matrices only), CG + IC(0); then as indefinite |
//! | Hermitian, indefinite | LDLᴴ and LU if cheap, else MINRES; then as nonsymmetric |
//! | square, quick with Jacobi | CG or BiCGSTAB + Jacobi; then as below |
//! | square | BiCGSTAB + AMG if nearly symmetric and nearly dominant, LU if cheap, else BiCGSTAB + AMG (positive type with short rows only), BiCGSTAB + ILU(0) (positive type only), BiCGSTAB + ILUT, GMRES + ILUT; LU at any cost that fits; GMRES on these factors, and on those of A + δI |
//! | rectangular | LSMR |
//! | any, at the end | rank-revealing QR if small, else MINRES or LSMR: a least-squares verdict |

use super::Options;
use super::facts::MatrixFacts;
use crate::choice::{Method, PrecondKind};
use crate::direct::DirectKind;

/// The largest m n for which a dense rank-revealing factorization ends the list.
const MAX_DENSE_ENTRIES: usize = 6_000_000;

/// Iterations that a Krylov method may spend in an attempt that has another behind it.
const ATTEMPT_ITERS: usize = 3_000;

/// ... and multigrid, which is as quick as it should be in a few dozen, or does not suit the matrix.
const MULTIGRID_ITERS: usize = 100;

/// Mean entries in a row up to which a nonsymmetric matrix goes to multigrid before ILU(0). In two dimensions wind and
/// diffusion leave ILU(0) a hundred iterations (512², 0.33 s against 0.14), in three it needs ten (64³, 0.06 against 0.22).
const MAX_MULTIGRID_ROW: usize = 6;

/// One way to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What to run.
    pub kind: AttemptKind,
    /// Whether A is equilibrated first.
    pub scaled: bool,
    /// Most iterations, below the caller's own limit.
    pub max_iters: usize,
    /// Whether `auto` chose it; the caller named it otherwise.
    pub automatic: bool,
    /// Why, to be read after "method + preconditioner: ".
    pub why: &'static str,
}

/// What an attempt runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptKind {
    /// A sparse factorization with refinement.
    Direct(DirectKind),
    /// FGMRES with a sparse factorization as its preconditioner.
    GmresOnFactors(DirectKind),
    /// FGMRES with a factorization of A + δI: solves consistent singular systems, since the shift only damps
    /// what A does not see.
    GmresOnShiftedFactors,
    /// A Krylov method.
    Krylov(Method, PrecondKind),
    /// Dense least squares by column-pivoted QR.
    DenseLeastSquares,
}

/// The one attempt of a caller who named the method.
pub(super) fn named(facts: &MatrixFacts, options: &Options) -> Vec<Attempt> {
    let why = "the method was named by the caller";
    let attempt = |kind| Attempt { kind, scaled: false, max_iters: usize::MAX, automatic: false, why };
    if options.method != Method::Direct {
        return vec![attempt(AttemptKind::Krylov(options.method, options.precond))];
    }
    let mut kinds = Vec::new();
    if facts.hermitian && facts.positive_diagonal {
        kinds.push(DirectKind::Cholesky);
    }
    if facts.hermitian && facts.zero_diagonals == 0 {
        kinds.push(DirectKind::Ldlt);
    }
    kinds.push(if facts.is_square() { DirectKind::Lu } else { DirectKind::Qr });
    kinds.into_iter().map(|kind| attempt(AttemptKind::Direct(kind))).collect()
}

/// The attempts of a caller who left the method to `auto` but named the preconditioner.
fn with_named_precond(facts: &MatrixFacts, precond: PrecondKind) -> Vec<Attempt> {
    let attempt = |method, why| Attempt {
        kind: AttemptKind::Krylov(method, precond),
        scaled: false,
        max_iters: usize::MAX,
        automatic: true,
        why,
    };
    let mut list = Vec::new();
    if facts.hermitian && (facts.positive_diagonal || facts.negative_diagonal) {
        list.push(attempt(Method::Cg, "the matrix is Hermitian with a diagonal of one sign"));
    }
    list.push(attempt(
        Method::Bicgstab,
        "the matrix is not known to be definite, and BiCGSTAB needs the least memory",
    ));
    list.push(attempt(Method::Gmres, "BiCGSTAB did not converge, and GMRES cannot break down"));
    list
}

/// The attempts for a matrix with these facts.
pub(super) fn attempts(facts: &MatrixFacts, options: &Options) -> Vec<Attempt> {
    if options.precond != PrecondKind::Auto && facts.is_square() {
        return with_named_precond(facts, options.precond);
    }
    let scaled = facts.is_badly_scaled();
    let mut list = Vec::new();
    let mut add =
        |kind, why, max_iters, scaled| list.push(Attempt { kind, scaled, max_iters, automatic: true, why });
    let krylov = AttemptKind::Krylov;
    if !facts.is_square() {
        add(
            krylov(Method::Lsmr, PrecondKind::Auto),
            "the matrix is rectangular, so the answer is sought in the least-squares sense",
            usize::MAX,
            false,
        );
        add_dense(facts, &mut add);
        return list;
    }
    let cheap = facts.factorization_is_cheap();
    if let Some(iterations) = facts.jacobi_is_cheap() {
        let method = if facts.is_definite_candidate() { Method::Cg } else { Method::Bicgstab };
        add(
            krylov(method, PrecondKind::Jacobi),
            "the matrix is so well conditioned once its rows are scaled that a few iterations do",
            3 * iterations,
            false,
        );
    }
    let cholesky_kind = if facts.is_m_matrix() { PrecondKind::Mic0 } else { PrecondKind::Ic0 };
    let one_sign = facts.positive_diagonal || facts.negative_diagonal;
    if facts.hermitian && one_sign {
        if cheap {
            add(
                AttemptKind::Direct(DirectKind::Cholesky),
                "the matrix is Hermitian with a diagonal of one sign, and a sparse Cholesky factorization is cheaper than iterating",
                usize::MAX,
                scaled,
            );
        } else {
            if facts.is_m_matrix() {
                add(
                    krylov(Method::Cg, PrecondKind::Amg),
                    "the matrix is symmetric, dominant with a positive diagonal and no positive entry beside it, as elliptic problems give it, and too large for a cheap factorization",
                    MULTIGRID_ITERS,
                    scaled,
                );
            }
            add(
                krylov(Method::Cg, cholesky_kind),
                "the matrix is Hermitian with a diagonal of one sign and too large for a cheap factorization",
                usize::MAX,
                scaled,
            );
        }
    }
    if facts.hermitian {
        if cheap {
            if facts.zero_diagonals == 0 && facts.null_space.is_none() {
                add(
                    AttemptKind::Direct(DirectKind::Ldlt),
                    "the matrix is Hermitian and not definite, and a sparse factorization is cheaper than iterating",
                    usize::MAX,
                    scaled,
                );
            }
        } else {
            add(
                krylov(Method::Minres, PrecondKind::Auto),
                "the matrix is Hermitian and not known to be definite, and too large for a cheap factorization",
                ATTEMPT_ITERS,
                scaled,
            );
        }
    }
    add_nonsymmetric(facts, cheap, scaled, &mut add);
    if facts.hermitian && cheap {
        add(
            krylov(Method::Minres, PrecondKind::None),
            "the factorizations were not accurate, so the matrix may be singular",
            ATTEMPT_ITERS,
            false,
        );
    }
    add_dense(facts, &mut add);
    add(
        krylov(Method::Lsmr, PrecondKind::Auto),
        "nothing else converged, so the answer is sought in the least-squares sense",
        usize::MAX,
        false,
    );
    list
}

fn add_nonsymmetric(
    facts: &MatrixFacts,
    cheap: bool,
    scaled: bool,
    add: &mut impl FnMut(AttemptKind, &'static str, usize, bool),
) {
    let krylov = AttemptKind::Krylov;
    if facts.is_nearly_an_elliptic_operator() {
        add(
            krylov(Method::Bicgstab, PrecondKind::Amg),
            "the matrix is nearly symmetric and nearly dominant with a positive diagonal, as elliptic problems and networks give it",
            MULTIGRID_ITERS,
            false,
        );
    }
    let positive_type = !cheap && facts.is_positive_type();
    if positive_type && facts.nnz <= MAX_MULTIGRID_ROW * facts.rows {
        add(
            krylov(Method::Bicgstab, PrecondKind::Amg),
            "the matrix is dominant with a positive diagonal and no positive entry beside it, and too large for a cheap factorization",
            MULTIGRID_ITERS,
            scaled,
        );
    }
    if positive_type {
        add(
            krylov(Method::Bicgstab, PrecondKind::Ilu0),
            "the matrix is dominant with a positive diagonal and no positive entry beside it, and too large for a cheap factorization",
            ATTEMPT_ITERS,
            scaled,
        );
    }
    if !cheap {
        for (method, why) in [
            (
                Method::Bicgstab,
                "the matrix is too large for a cheap factorization, and BiCGSTAB needs the least memory",
            ),
            (Method::Gmres, "BiCGSTAB did not converge, and GMRES cannot break down"),
        ] {
            add(krylov(method, PrecondKind::Ilut), why, ATTEMPT_ITERS, scaled);
        }
    }
    if cheap || facts.factorization_fits() {
        let why = if cheap {
            "the matrix has no structure that a cheaper method could use, and a sparse LU factorization is cheap"
        } else {
            "no iterative method converged, and a sparse LU factorization fits the memory"
        };
        add(AttemptKind::Direct(DirectKind::Lu), why, usize::MAX, scaled);
        add(
            AttemptKind::Direct(DirectKind::Lu),
            "the factors were inaccurate, so the matrix was equilibrated first",
            usize::MAX,
            !scaled,
        );
        add(
            AttemptKind::GmresOnFactors(DirectKind::Lu),
            "refinement with the factors stagnated, so GMRES uses them as its preconditioner",
            200,
            true,
        );
        add(
            AttemptKind::GmresOnShiftedFactors,
            "the factors broke down, so the matrix may be singular, and GMRES uses those of a slightly shifted matrix",
            200,
            true,
        );
    }
}

fn add_dense(facts: &MatrixFacts, add: &mut impl FnMut(AttemptKind, &'static str, usize, bool)) {
    if facts.rows.saturating_mul(facts.cols) <= MAX_DENSE_ENTRIES {
        add(
            AttemptKind::DenseLeastSquares,
            "the matrix is numerically singular or nearly so, and small enough for a dense rank-revealing factorization",
            usize::MAX,
            true,
        );
    }
}

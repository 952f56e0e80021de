//! The numbers that are learned: a few for each of four levels, the last ones for all levels below.
//!
//! ```text
//! x ← x + ω_q θ_i/d_i (r − A x)_i      q = 1, 2; θ_i = walls where node i has a closed face, else 1
//! P e = e_I + α Σ_a f_a (e_J − e_I)    α = transfer, f from resistances in series
//! w_coarse = coarse · boundary · Σ 1/R  boundary on Dirichlet faces only
//! ```
//!
//! The cycle is symmetric positive definite for all values that [`Coefficients::check`] accepts. The post-smoother is the
//! adjoint of the pre-smoother (its steps commute, θ/d being the same), R = Pᵀ, coarse conductances are positive, so the
//! coarse matrix is positive semidefinite whatever its scale; and the smoother contracts: eigenvalues of θ/d A lie in
//! [0, 2] for θ ≤ 1, as A is weakly diagonally dominant, and |(1 − ω₁λ)(1 − ω₂λ)| < 1 on (0, 2] is asked for
//! (Bramble, Pasciak, Xu 1991, Math. Comp. 56). Three visits with the cycle B of level 2 amount to (I − (I − BA)³) A⁻¹, and
//! 1 − (1 − λ)³ is positive for every λ > 0, as it is for any odd number of visits; two would ask for λ < 2.

use crate::LearnedError;

/// Levels that have coefficients of their own; deeper ones share the last.
pub const LEVELS: usize = 4;

/// Numbers of a level, in their order: ω₁, ω₂, walls, transfer, coarse, boundary.
pub const PER_LEVEL: usize = 6;

/// Names of the numbers of a level.
pub const NAMES: [&str; PER_LEVEL] = ["omega_1", "omega_2", "walls", "transfer", "coarse", "boundary"];

/// Largest |(1 − ω₁λ)(1 − ω₂λ)| at λ = 2, and inside (0, 2) below zero.
const LIMIT: f64 = 0.98;

/// The coefficients of one level and of the step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// ω₁ and ω₂.
    pub omega: [f64; 2],
    /// θ of nodes with a closed face, in (0, 1].
    pub walls: f64,
    /// α in [0, 2]: 0 is the piecewise constant transfer.
    pub transfer: f64,
    /// Factor of all coarse conductances.
    pub coarse: f64,
    /// Further factor of those to boundary values.
    pub boundary: f64,
}

/// What a model of the multigrid kind holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// 2 or 3.
    pub dim: usize,
    /// The finest level first.
    pub levels: [Level; LEVELS],
}

impl Coefficients {
    /// Nothing learned, everything derived: Chebyshev's roots on [1/d, 2], flux-limited linear transfers, resistances
    /// in series with Dirichlet values at their true distance. The hand-corrected cycle.
    pub fn derived(dim: usize) -> Self {
        let lower = 1.0 / dim.clamp(2, 3) as f64;
        let (centre, radius) = (0.5 * (2.0 + lower), 0.5 * (2.0 - lower));
        let root = std::f64::consts::FRAC_1_SQRT_2 * radius;
        let omega = [1.0 / (centre + root), 1.0 / (centre - root)];
        let level = Level { omega, walls: 1.0, transfer: 1.0, coarse: 1.0, boundary: 1.0 };
        Self { dim, levels: [level; LEVELS] }
    }

    /// The cycle before any correction: piecewise constant transfers, Dirichlet values half a coarse cell away at any
    /// depth. The untuned cycle.
    pub fn plain(dim: usize) -> Self {
        let mut plain = Self::derived(dim);
        for level in &mut plain.levels {
            (level.transfer, level.boundary) = (0.0, 0.75);
        }
        plain
    }

    /// The coefficients of level `level`, counted from the finest.
    pub fn level(&self, level: usize) -> &Level {
        &self.levels[level.min(LEVELS - 1)]
    }

    /// All numbers, level by level.
    pub fn to_vec(&self) -> Vec<f64> {
        let of = |l: &Level| [l.omega[0], l.omega[1], l.walls, l.transfer, l.coarse, l.boundary];
        self.levels.iter().flat_map(of).collect()
    }

    /// From all numbers, checked.
    ///
    /// # Errors
    /// [`LearnedError::Model`] for a wrong count, and as [`check`](Self::check).
    pub fn from_slice(dim: usize, values: &[f64]) -> Result<Self, LearnedError> {
        let (rows, rest) = values.as_chunks::<PER_LEVEL>();
        let level = |&[a, b, walls, transfer, coarse, boundary]: &[f64; PER_LEVEL]| Level {
            omega: [a, b],
            walls,
            transfer,
            coarse,
            boundary,
        };
        let levels: Result<[Level; LEVELS], _> = rows.iter().map(level).collect::<Vec<_>>().try_into();
        match (levels, rest) {
            (Ok(levels), []) => {
                let all = Self { dim, levels };
                all.check().map(|()| all)
            }
            _ => Err(LearnedError::model(
                format!("{} coefficients", values.len()),
                format!("{LEVELS} rows of {PER_LEVEL}: {}", NAMES.join(", ")),
            )),
        }
    }

    /// Refuses values with which the cycle need not be symmetric positive definite, or that are no numbers.
    ///
    /// # Errors
    /// [`LearnedError::Model`] says which level and number.
    pub fn check(&self) -> Result<(), LearnedError> {
        if !matches!(self.dim, 2 | 3) {
            return Err(LearnedError::model(format!("grid dimension {}", self.dim), "2 or 3"));
        }
        for (k, level) in self.levels.iter().enumerate() {
            let Level { omega, walls, transfer, coarse, boundary } = *level;
            if !contracts(omega) {
                return Err(LearnedError::model(
                    format!("omega = {omega:?} on level {k}"),
                    "two positive numbers with |(1 - w1 t)(1 - w2 t)| < 1 for all t in (0, 2], else the cycle is not \
                     positive definite",
                ));
            }
            for (name, value, low, high) in [
                ("walls", walls, 0.05, 1.0),
                ("transfer", transfer, 0.0, 2.0),
                ("coarse", coarse, 0.05, 20.0),
                ("boundary", boundary, 0.05, 20.0),
            ] {
                if !(low..=high).contains(&value) {
                    let found = format!("{name} = {value} on level {k}");
                    return Err(LearnedError::model(found, format!("a number in [{low}, {high}]")));
                }
            }
        }
        Ok(())
    }
}

/// Whether two steps with these factors shrink every error, whatever the spectrum in (0, 2].
fn contracts([a, b]: [f64; 2]) -> bool {
    if !(a.is_finite() && b.is_finite() && a > 0.0 && b > 0.0) {
        return false;
    }
    let product = |t: f64| (1.0 - a * t) * (1.0 - b * t);
    // Least between the roots, largest at the upper end.
    let middle = 0.5 * (1.0 / a + 1.0 / b);
    product(2.0).abs() <= LIMIT && (middle > 2.0 || product(middle) >= -LIMIT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_of_contraction_is_that_of_a_scan() {
        let mut accepted = 0;
        for i in 0..40 {
            for j in 0..40 {
                let omega = [0.05 * f64::from(i), 0.25 * f64::from(j)];
                let scan = (1..=4000).map(|k| f64::from(k) * 5e-4);
                let most =
                    scan.map(|t| ((1.0 - omega[0] * t) * (1.0 - omega[1] * t)).abs()).fold(0.0, f64::max);
                if contracts(omega) {
                    accepted += 1;
                    assert!(most < 1.0, "{omega:?}: {most}");
                } else {
                    assert!(most > 0.979, "{omega:?}: {most}");
                }
            }
        }
        assert!(accepted > 20, "{accepted}");
        assert!(!contracts([-0.5, 0.5]) && !contracts([f64::NAN, 0.5]));
    }

    #[test]
    fn numbers_survive_and_wrong_ones_are_named() {
        for dim in [2, 3] {
            for c in [Coefficients::derived(dim), Coefficients::plain(dim)] {
                assert_eq!(Coefficients::from_slice(dim, &c.to_vec()).unwrap(), c);
            }
        }
        let good = Coefficients::derived(2).to_vec();
        for (at, value, name) in [
            (2, 1.5, "walls"),
            (9, -0.1, "transfer"),
            (0, f64::NAN, "omega"),
            (16, 0.0, "coarse"),
            (23, f64::NAN, "boundary"),
        ] {
            let mut bad = good.clone();
            bad[at] = value;
            let text = Coefficients::from_slice(2, &bad).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains(&format!("level {}", at / 6)), "{text}");
        }
        assert!(
            Coefficients::from_slice(2, &good[1..]).is_err() && Coefficients::from_slice(4, &good).is_err()
        );
    }
}

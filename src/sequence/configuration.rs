//! A configuration: the method, its preconditioner, its relaxation, and how long a set-up serves.

use residua_solvers::{Method, PrecondKind};
use std::fmt;

/// When a set-up is renewed. One that was made for the very values of the present matrix always serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// After this many steps, from 1.
    Every(usize),
    /// When the iterations that it has cost, beyond those of its first solve, outweigh a new one. Until then incomplete
    /// factorizations stay as they are; multigrid keeps its coarse grids and transfers, and takes the values of each matrix.
    WhenWorn,
}

/// One way to solve the systems of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The method; [`Method::Auto`] analyses every system anew.
    pub method: Method,
    /// Its preconditioner.
    pub precond: PrecondKind,
    /// ω of SOR and SSOR; none elsewhere.
    pub omega: Option<f64>,
    /// How long a set-up serves.
    pub renewal: Renewal,
}

impl Configuration {
    /// `method` with `precond`, set up anew for every step.
    pub fn new(method: Method, precond: PrecondKind) -> Self {
        Self { method, precond, omega: None, renewal: Renewal::Every(1) }
    }

    /// The toolkit's own choice for each system.
    pub fn auto() -> Self {
        Self::new(Method::Auto, PrecondKind::Auto)
    }

    /// SOR with relaxation `omega`, 0 < ω < 2.
    pub fn sor(omega: f64) -> Self {
        Self { omega: Some(omega), ..Self::new(Method::Sor, PrecondKind::None) }
    }

    /// CG with SSOR as its preconditioner, by Eisenstat's trick; 0 < ω < 2.
    pub fn ssor_cg(omega: f64) -> Self {
        Self { omega: Some(omega), ..Self::new(Method::Cg, PrecondKind::Ssor) }
    }

    /// The same with a set-up that serves `period` steps.
    #[must_use]
    pub fn every(mut self, period: usize) -> Self {
        self.renewal = Renewal::Every(period.max(1));
        self
    }

    /// The same with a set-up that serves until it is worn.
    #[must_use]
    pub fn until_worn(mut self) -> Self {
        self.renewal = Renewal::WhenWorn;
        self
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method)?;
        if !matches!(self.precond, PrecondKind::None | PrecondKind::Auto) {
            write!(f, "+{}", self.precond)?;
        }
        if let Some(omega) = self.omega {
            write!(f, " omega={omega}")?;
        }
        match self.renewal {
            Renewal::Every(0 | 1) => Ok(()),
            Renewal::Every(period) => write!(f, " every {period}"),
            Renewal::WhenWorn => write!(f, " until worn"),
        }
    }
}

/// `count` values of ω, evenly from 1 to 1.95, as in Khodak et al. (2024), section 5: with ω < 1 SOR is slower for every
/// consistently ordered matrix, and towards 2 it stops converging.
pub fn omega_grid(count: usize) -> Vec<f64> {
    let last = count.saturating_sub(1).max(1) as f64;
    // Rounded, so that 1.8 is called 1.8.
    (0..count).map(|i| ((1.0 + 0.95 * i as f64 / last) * 1e12).round() / 1e12).collect()
}

/// Configurations worth a try for matrices like `a`, the first of them the default.
///
/// For a symmetric matrix with a positive diagonal: `auto`; CG with Jacobi, SSOR (ω = 1.5, 1.8), incomplete Cholesky and
/// multigrid. For others: `auto`; BiCGSTAB with Jacobi, ILU(0), ILUT and multigrid. Set-ups that cost several iterations
/// come twice, made for every step and kept until worn. Where a sparse factorization is cheap, it is an arm too:
/// unlike `auto`'s, its ordering and symbolic analysis are kept from step to step.
pub fn candidates(a: &residua_data::CsrMatrix) -> Vec<Configuration> {
    let facts = residua_solvers::auto::analyse(a);
    let auto = Configuration::auto();
    let with = Configuration::new;
    let mut arms = if facts.symmetric && facts.positive_diagonal {
        vec![
            auto,
            with(Method::Cg, PrecondKind::Jacobi),
            Configuration::ssor_cg(1.5),
            Configuration::ssor_cg(1.8),
            with(Method::Cg, PrecondKind::Ic0),
            with(Method::Cg, PrecondKind::Mic0),
            with(Method::Cg, PrecondKind::Amg),
            with(Method::Cg, PrecondKind::Amg).until_worn(),
        ]
    } else {
        vec![
            auto,
            with(Method::Bicgstab, PrecondKind::Jacobi),
            with(Method::Bicgstab, PrecondKind::Ilu0),
            with(Method::Bicgstab, PrecondKind::Ilu0).until_worn(),
            with(Method::Bicgstab, PrecondKind::Ilut),
            with(Method::Bicgstab, PrecondKind::Ilut).until_worn(),
            with(Method::Bicgstab, PrecondKind::Amg),
            with(Method::Bicgstab, PrecondKind::Amg).until_worn(),
        ]
    };
    if facts.factorization_is_cheap() {
        arms.push(with(Method::Direct, PrecondKind::None));
    }
    arms
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_say_everything() {
        assert_eq!(Configuration::auto().to_string(), "auto");
        assert_eq!(Configuration::sor(1.25).to_string(), "sor omega=1.25");
        let amg = Configuration::new(Method::Cg, PrecondKind::Amg).every(10);
        assert_eq!(amg.to_string(), "cg+amg every 10");
        assert_eq!(amg.until_worn().to_string(), "cg+amg until worn");
    }

    #[test]
    fn the_grid_runs_from_gauss_seidel_to_nearly_two() {
        let grid = omega_grid(20);
        assert!((grid[0] - 1.0).abs() < 1e-15 && (grid[19] - 1.95).abs() < 1e-15);
        assert!(grid.windows(2).all(|w| (w[1] - w[0] - 0.05).abs() < 1e-12));
        assert_eq!(omega_grid(1), [1.0]);
        assert!(omega_grid(0).is_empty());
    }
}

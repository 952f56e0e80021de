//! The matrix that a network is trained on, and the loss of one direction.

use super::conv::Image;
use super::ritz::Ritz;
use crate::LearnedError;
use rand::rngs::StdRng;
use residua_data::CsrMatrix;
use residua_data::poisson::{PoissonKind, PoissonProblem};

/// One matrix on the points of a square.
pub(super) struct Square {
    a: CsrMatrix<f64>,
    point_of_unknown: Vec<u32>,
    pub(super) ritz: Ritz,
    n: usize,
}

impl Square {
    /// The problem `kind` of n × n points and its Ritz vectors, whose start is drawn from `random`.
    pub(super) fn new(
        kind: PoissonKind,
        seed: u64,
        n: usize,
        ritz_vectors: usize,
        random: &mut StdRng,
    ) -> Result<Self, LearnedError> {
        let system = PoissonProblem::new(kind, 2, n)
            .with_seed(seed)
            .build()
            .map_err(|e| LearnedError::geometry(e.to_string(), "a problem"))?;
        let points = 0..(n * n) as u32;
        let point_of_unknown = match system.medium.unknown_of_point() {
            None => points.collect(),
            Some(unknowns) => points.zip(unknowns).filter(|(_, u)| **u != u32::MAX).map(|(p, _)| p).collect(),
        };
        let ritz = Ritz::new(&system.matrix, ritz_vectors, random)?;
        Ok(Self { a: system.matrix, point_of_unknown, ritz, n })
    }

    /// Of a vector, zeros where there is no unknown.
    pub(super) fn image(&self, b: &[f32]) -> Image {
        let mut image = Image::new(1, self.n, self.n);
        for (&at, &b) in self.point_of_unknown.iter().zip(b) {
            image.data[at as usize] = b;
        }
        image
    }

    fn vector(&self, image: &Image) -> Vec<f64> {
        self.point_of_unknown.iter().map(|&at| f64::from(image.data[at as usize])).collect()
    }

    /// ‖b − (yᵀb / yᵀA y) A y‖² and its derivative by y.
    pub(super) fn loss(&self, b: &[f32], y: &Image) -> (f64, Image) {
        let y = self.vector(y);
        let b: Vec<f64> = b.iter().map(|&b| f64::from(b)).collect();
        let mut w = vec![0.0; y.len()];
        self.a.multiply(&y, &mut w);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        // A direction of zeros has no step; what is added is far below any other.
        let (yb, yw) = (dot(&y, &b), dot(&y, &w) + 1e-30);
        let step = yb / yw;
        let rest: Vec<f64> = b.iter().zip(&w).map(|(b, w)| b - step * w).collect();
        let mut ar = vec![0.0; y.len()];
        self.a.multiply(&rest, &mut ar);
        let rw = dot(&rest, &w);
        let d: Vec<f32> = (0..y.len())
            .map(|i| (-2.0 * (rw * (b[i] - 2.0 * step * w[i]) / yw + step * ar[i])) as f32)
            .collect();
        (dot(&rest, &rest), self.image(&d))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_derivative_of_the_loss_is_that_of_differences() {
        let mut random = StdRng::seed_from_u64(1);
        let square = Square::new(PoissonKind::Obstacles, 3, 12, 60, &mut random).unwrap();
        let (b, mut y) = (square.ritz.draw(&mut random), square.image(&square.ritz.draw(&mut random)));
        let (loss, d) = square.loss(&b, &y);
        assert!(loss > 0.0);
        for at in [13, 40, 77] {
            let mut shifted = |by: f32| {
                y.data[at] += by;
                let loss = square.loss(&b, &y).0;
                y.data[at] -= by;
                loss
            };
            let difference = (shifted(1e-3) - shifted(-1e-3)) / 2e-3;
            assert!((difference - f64::from(d.data[at])).abs() < 1e-3 + 0.01 * difference.abs(), "{at}");
        }
        // The best direction is A⁻¹ b; any multiple of it leaves nothing.
        let mut x = vec![0.0; b.len()];
        let rhs: Vec<f64> = b.iter().map(|&b| f64::from(b)).collect();
        let system = residua_solvers::LinearSystem::new(&square.a, &rhs).unwrap();
        let mut cg = residua_solvers::Cg::new(residua_solvers::precond::Jacobi::new(&square.a).unwrap());
        let stop = residua_solvers::StopRule::rtol(1e-10);
        residua_solvers::Solver::solve(&mut cg, &system, &mut x, &stop, &mut ()).unwrap();
        let x: Vec<f32> = x.iter().map(|&x| -2.5 * x as f32).collect();
        assert!(square.loss(&b, &square.image(&x)).0 < 1e-8);
    }
}

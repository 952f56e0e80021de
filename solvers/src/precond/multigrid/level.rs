//! One level of a hierarchy: its operator, its transfers, its smoother, and its vectors.

use super::coarsen::Fine;
use super::ops::{Constant, Faces};
use super::options::{Cycle, MultigridOptions, Smoother};
use super::real::Real;
use super::residual::Residual;
use super::stencil::BoxStencil;
use super::transfer::{PointWeights, Profiles, Shape};
use super::vertex::VertexWeights;
use super::wavefront::{Pool, Step};

/// The kinds of level: 2D or 3D; constant coefficients, own faces with weights of cells or of vertices, or a full
/// stencil.
#[derive(Debug)]
pub(super) enum Parts<T> {
    Constant2(Constant<T, false>, Profiles<T>),
    Constant3(Constant<T, true>, Profiles<T>),
    Faces2(Faces<T, false>, PointWeights<T>),
    Faces3(Faces<T, true>, PointWeights<T>),
    Varied2(Faces<T, false>, VertexWeights<T>),
    Varied3(Faces<T, true>, VertexWeights<T>),
    Box2(BoxStencil<T, false>, VertexWeights<T>),
    Box3(BoxStencil<T, true>, VertexWeights<T>),
}

/// Runs `$body` with the operator and the transfers of any kind of level.
macro_rules! on_parts {
    ($parts:expr, |$s:ident, $p:ident| $body:expr) => {
        match $parts {
            Parts::Constant2($s, $p) => $body,
            Parts::Constant3($s, $p) => $body,
            Parts::Faces2($s, $p) => $body,
            Parts::Faces3($s, $p) => $body,
            Parts::Varied2($s, $p) => $body,
            Parts::Varied3($s, $p) => $body,
            Parts::Box2($s, $p) => $body,
            Parts::Box3($s, $p) => $body,
        }
    };
}
pub(super) use on_parts;

impl<T: Real> Parts<T> {
    /// Of a level whose coarse points are cells.
    pub(super) fn of_cells(fine: &Fine<'_>, shape: Shape) -> Self {
        match (fine.has_middle(), fine.constant(), fine.constant()) {
            (true, _, Some(s)) => Self::Constant3(s, fine.profiles(shape)),
            (false, Some(s), _) => Self::Constant2(s, fine.profiles(shape)),
            (true, ..) => Self::Faces3(fine.faces(1.0), fine.point_weights(shape)),
            (false, ..) => Self::Faces2(fine.faces(1.0), fine.point_weights(shape)),
        }
    }
}

/// One level but the coarsest.
#[derive(Debug)]
pub(super) struct Level<T> {
    pub(super) shape: Shape,
    pub(super) parts: Parts<T>,
    pub(super) pre: Vec<Step<T>>,
    pub(super) post: Vec<Step<T>>,
    pub(super) pool: Pool<T>,
    /// What is given (not on the finest), after the pre-smoothing, and the result (not on the finest).
    pub(super) r: Vec<T>,
    pub(super) x: Vec<T>,
    pub(super) y: Vec<T>,
    /// For W-cycles and full multigrid, empty before the first use: an earlier result, and another right-hand side.
    pub(super) first: Vec<T>,
    pub(super) second_r: Vec<T>,
    residual: Residual<T>,
    /// Sums over slabs.
    pub(super) dots: Vec<f64>,
}

impl<T: Real> Level<T> {
    /// `lower` bounds the eigenvalues of D⁻¹A on what the coarse grid lacks.
    pub(super) fn new(
        shape: Shape,
        parts: Parts<T>,
        lower: f64,
        options: &MultigridOptions,
        finest: bool,
    ) -> Self {
        let pre = steps(options.smoother, options.pre_sweeps, lower, false);
        let post = steps(options.smoother, options.post_sweeps, lower, true);
        let n = shape.fine.iter().product();
        let inner = if finest { 0 } else { n };
        let zeros = |n| vec![T::ZERO; n];
        let most = pre.len().max(post.len());
        let mut level = Self {
            shape,
            parts,
            pool: Pool::new(&shape, most, rayon::current_num_threads()),
            pre,
            post,
            r: zeros(inner),
            x: zeros(n),
            y: zeros(inner),
            first: Vec::new(),
            second_r: Vec::new(),
            residual: Residual::default(),
            dots: vec![0.0; shape.fine[2]],
        };
        if options.cycle != Cycle::V {
            level.reserve_second();
        }
        level
    }

    /// Makes room for a second right-hand side and result; nothing where there is, or on the finest level.
    pub(super) fn reserve_second(&mut self) {
        let n = self.r.len();
        if n > 0 && self.second_r.len() != n {
            self.first = vec![T::ZERO; n];
            self.second_r = vec![T::ZERO; n];
            self.residual = Residual::new(self.shape.fine);
        }
    }

    /// r ← r − A y, and returns what r was; after [`reserve_second`](Self::reserve_second).
    pub(super) fn take_residual(&mut self) -> Vec<T> {
        let mut second = std::mem::take(&mut self.second_r);
        let Self { shape, parts, residual, r, y, .. } = self;
        on_parts!(&*parts, |s, _p| residual.run(s, shape.fine, r, y, &mut second));
        std::mem::replace(&mut self.r, second)
    }

    /// y ← y + first, and r becomes `r` again.
    pub(super) fn add_first(&mut self, r: Vec<T>) {
        self.second_r = std::mem::replace(&mut self.r, r);
        self.y.iter_mut().zip(&self.first).for_each(|(y, &first)| *y += first);
    }

    /// y ← y + ω D⁻¹ r; after [`reserve_second`](Self::reserve_second).
    pub(super) fn add_scaled(&mut self, omega: f64) {
        let Self { shape, parts, residual, r, y, .. } = self;
        on_parts!(&*parts, |s, _p| residual.add_scaled(s, shape.fine, T::of(omega), r, y));
    }
}

/// The sweeps: roots of the Chebyshev polynomial on [λ, 2], or equal damping, or the two colours.
fn steps<T: Real>(smoother: Smoother, sweeps: usize, lower: f64, post: bool) -> Vec<Step<T>> {
    let (theta, delta) = (0.5 * (2.0 + lower), 0.5 * (2.0 - lower));
    match smoother {
        Smoother::Chebyshev => (0..sweeps)
            .map(|q| {
                let angle = std::f64::consts::PI * (2 * q + 1) as f64 / (2 * sweeps) as f64;
                Step { omega: T::of(1.0 / (theta + delta * angle.cos())), colour: None }
            })
            .collect(),
        Smoother::Jacobi => vec![Step { omega: T::of(1.0 / theta), colour: None }; sweeps],
        Smoother::RedBlack => (0..2 * sweeps)
            .map(|q| Step { omega: T::ONE, colour: Some((q + usize::from(post)) % 2) })
            .collect(),
    }
}

//! Bounds l ≤ w ≤ u, their multipliers z_L, z_U ≥ 0, and the barrier.

/// κ_Σ of Wächter and Biegler (2006), eq. (16): how far z may be from μ/(w − l).
const KAPPA_SIGMA: f64 = 1e10;

/// Bounds that are ±∞ where there are none. Finite ones are relaxed by 1e-11 max(1, |bound|), so that an interior exists
/// (section 3.5 of the paper).
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
}

const RELAXATION: f64 = 1e-11;

impl Bounds {
    pub(crate) fn new(lower: &[f64], upper: &[f64]) -> Self {
        let relax = |b: f64| RELAXATION * b.abs().max(1.0);
        Self {
            lower: lower.iter().map(|&l| if l.is_finite() { l - relax(l) } else { l }).collect(),
            upper: upper.iter().map(|&u| if u.is_finite() { u + relax(u) } else { u }).collect(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count_first(self.lower.len())
    }

    pub(crate) fn count_first(&self, n: usize) -> usize {
        self.lower[..n].iter().chain(&self.upper[..n]).filter(|b| b.is_finite()).count()
    }

    /// Moves w strictly between its bounds: by κ max(1, |bound|), and at most κ of the distance between them.
    pub(crate) fn push_inside(&self, w: &mut [f64], kappa: f64) {
        for (i, w) in w.iter_mut().enumerate() {
            let (l, u) = (self.lower[i], self.upper[i]);
            let margin = |b: f64| (kappa * b.abs().max(1.0)).min(kappa * (u - l));
            if l.is_finite() {
                *w = w.max(l + margin(l));
            }
            if u.is_finite() {
                *w = w.min(u - margin(u));
            }
        }
    }

    /// Σ log(w − l) + Σ log(u − w); NaN outside.
    pub(crate) fn log_sum(&self, w: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (i, w) in w.iter().enumerate() {
            if self.lower[i].is_finite() {
                sum += (w - self.lower[i]).ln();
            }
            if self.upper[i].is_finite() {
                sum += (self.upper[i] - w).ln();
            }
        }
        sum
    }

    /// g ← g − μ/(w − l) + μ/(u − w).
    pub(crate) fn add_barrier_gradient(&self, w: &[f64], mu: f64, g: &mut [f64]) {
        for i in 0..w.len() {
            if self.lower[i].is_finite() {
                g[i] -= mu / (w[i] - self.lower[i]);
            }
            if self.upper[i].is_finite() {
                g[i] += mu / (self.upper[i] - w[i]);
            }
        }
    }

    /// The largest α ≤ 1 with w + α d at least 1 − τ of the way from its bounds.
    pub(crate) fn largest_step(&self, w: &[f64], d: &[f64], tau: f64) -> f64 {
        let mut alpha: f64 = 1.0;
        for i in 0..w.len() {
            if d[i] < 0.0 && self.lower[i].is_finite() {
                alpha = alpha.min(-tau * (w[i] - self.lower[i]) / d[i]);
            } else if d[i] > 0.0 && self.upper[i].is_finite() {
                alpha = alpha.min(tau * (self.upper[i] - w[i]) / d[i]);
            }
        }
        alpha
    }

    /// max |z (distance to the bound) − μ|.
    pub(crate) fn complementarity(&self, w: &[f64], duals: &Duals, mu: f64) -> f64 {
        let mut worst: f64 = 0.0;
        for i in 0..w.len() {
            if self.lower[i].is_finite() {
                worst = worst.max((duals.lower[i] * (w[i] - self.lower[i]) - mu).abs());
            }
            if self.upper[i].is_finite() {
                worst = worst.max((duals.upper[i] * (self.upper[i] - w[i]) - mu).abs());
            }
        }
        worst
    }
}

/// z_L and z_U; 0 where there is no bound.
#[derive(Debug, Clone)]
pub(crate) struct Duals {
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
}

impl Duals {
    /// μ over the distance, within 10⁻³ and 10³, for every bound.
    pub(crate) fn new(bounds: &Bounds, w: &[f64], mu: f64) -> Self {
        let z = |bound: f64, w: f64| {
            if bound.is_finite() { (mu / (w - bound).abs()).clamp(1e-3, 1e3) } else { 0.0 }
        };
        let of = |b: &[f64]| b.iter().zip(w).map(|(&b, &w)| z(b, w)).collect();
        Self { lower: of(&bounds.lower), upper: of(&bounds.upper) }
    }

    pub(crate) fn sum(&self) -> f64 {
        self.sum_first(self.lower.len())
    }

    pub(crate) fn sum_first(&self, n: usize) -> f64 {
        self.lower[..n].iter().chain(&self.upper[..n]).sum()
    }

    /// g ← g − z_L + z_U.
    pub(crate) fn add_to(&self, g: &mut [f64]) {
        g.iter_mut().enumerate().for_each(|(i, g)| *g += self.upper[i] - self.lower[i]);
    }

    /// Σ = z_L/(w − l) + z_U/(u − w).
    pub(crate) fn sigma(&self, bounds: &Bounds, w: &[f64], out: &mut [f64]) {
        for i in 0..w.len() {
            let lower =
                if bounds.lower[i].is_finite() { self.lower[i] / (w[i] - bounds.lower[i]) } else { 0.0 };
            let upper =
                if bounds.upper[i].is_finite() { self.upper[i] / (bounds.upper[i] - w[i]) } else { 0.0 };
            out[i] = lower + upper;
        }
    }

    /// The Newton step of the duals for the step d from w, to the fraction τ of the way to zero.
    pub(crate) fn step(&mut self, bounds: &Bounds, w: &[f64], d: &[f64], mu: f64, tau: f64) {
        let lower = |i: usize, z: f64| {
            let s = w[i] - bounds.lower[i];
            if bounds.lower[i].is_finite() { mu / s - z - z / s * d[i] } else { 0.0 }
        };
        let upper = |i: usize, z: f64| {
            let s = bounds.upper[i] - w[i];
            if bounds.upper[i].is_finite() { mu / s - z + z / s * d[i] } else { 0.0 }
        };
        let mut alpha: f64 = 1.0;
        for i in 0..w.len() {
            for (z, dz) in
                [(self.lower[i], lower(i, self.lower[i])), (self.upper[i], upper(i, self.upper[i]))]
            {
                if dz < 0.0 {
                    alpha = alpha.min(-tau * z / dz);
                }
            }
        }
        for i in 0..w.len() {
            self.lower[i] += alpha * lower(i, self.lower[i]);
            self.upper[i] += alpha * upper(i, self.upper[i]);
        }
    }

    /// Keeps z within a factor κ_Σ of μ over the distance.
    pub(crate) fn reset(&mut self, bounds: &Bounds, w: &[f64], mu: f64) {
        for i in 0..w.len() {
            for (z, bound) in [(&mut self.lower[i], bounds.lower[i]), (&mut self.upper[i], bounds.upper[i])] {
                if bound.is_finite() {
                    let central = mu / (w[i] - bound).abs();
                    *z = z.max(central / KAPPA_SIGMA).min(central * KAPPA_SIGMA);
                }
            }
        }
    }

    pub(crate) fn parts(&self) -> (Vec<f64>, Vec<f64>) {
        (self.lower.clone(), self.upper.clone())
    }
}

//! Linear elasticity: a cantilever beam of bilinear quadrilaterals or trilinear bricks.
//!
//! −∇·σ(u) = 0 with σ = λ tr(ε) I + 2μ ε and ε = (∇u + ∇uᵀ)/2 on a box of side lengths L₁ × L₂ (× L₃). The end x = 0 is
//! clamped (its unknowns are eliminated), a uniform traction of resultant 1 pulls the end x = L₁ along the last axis,
//! downwards. On equal Q1 elements, with 2ᵈ Gauss points,
//!
//! K₍ₐᵢ₎₍ᵦⱼ₎ = ∫ λ ∂ᵢNₐ ∂ⱼNᵦ + μ (∂ⱼNₐ ∂ᵢNᵦ + δᵢⱼ ∇Nₐ·∇Nᵦ)
//!
//! (Hughes 2000, *The Finite Element Method*, sections 2.7 and 3.2). λ = Eν/((1 + ν)(1 − 2ν)) in 3D and in plane strain,
//! Eν/(1 − ν²) in plane stress; μ = E/(2(1 + ν)).
//!
//! Unknowns are interleaved: d a node, nodes numbered with x fastest. Such a system is no M-matrix and its near null
//! space is that of the rigid-body motions, not of the constants: it is what multigrid for systems is tried on.

use crate::{CooBuilder, CsrError, CsrMatrix};

/// What is held constant across a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// No strain across the plane: a slice of a long body.
    Strain,
    /// No stress across the plane: a thin plate.
    Stress,
}

/// Why a beam cannot be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ElasticityError {
    /// An axis without elements.
    #[error("axis {axis} has 0 elements: expected 1 or more along each axis")]
    NoElements {
        /// 0-based.
        axis: usize,
    },
    /// More entries than 32-bit indices can address.
    #[error("{elements:?} elements are too many for 32-bit indices: choose fewer")]
    TooLarge {
        /// Elements along each axis.
        elements: [usize; 3],
    },
    /// A parameter outside of its range.
    #[error("{name} = {found} is not usable: expected {expected}")]
    Parameter {
        /// Which one.
        name: &'static str,
        /// What was given.
        found: f64,
        /// Its range.
        expected: &'static str,
    },
    /// The entries do not form a matrix: an error of this module.
    #[error("the assembled matrix is invalid: {0}")]
    Assembly(#[from] CsrError),
}

/// A cantilever beam: what to build.
///
/// ```
/// use residua_data::elasticity::ElasticityProblem;
/// let system = ElasticityProblem::beam_2d(16, 4).build()?;
/// assert_eq!(system.matrix.nrows(), 2 * 16 * 5);
/// assert_eq!(system.near_null_space.len(), 3);
/// # Ok::<(), residua_data::elasticity::ElasticityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ElasticityProblem {
    /// 2 or 3, from the constructor.
    dim: usize,
    /// Elements along each axis; 1 along z in 2D.
    elements: [usize; 3],
    /// Side lengths; by default cubes of elements, the beam's last side being 1.
    pub size: [f64; 3],
    /// Young's modulus E > 0; default 1.
    pub young: f64,
    /// Poisson's ratio ν in (−1, ½); default 0.3.
    pub poisson_ratio: f64,
    /// In 2D; default plane strain.
    pub plane: Plane,
}

impl ElasticityProblem {
    /// nx × ny square elements, the beam's height being 1.
    pub fn beam_2d(nx: usize, ny: usize) -> Self {
        Self::beam(2, [nx, ny, 1], ny)
    }

    /// nx × ny × nz cubic elements, the beam's height (along z) being 1.
    pub fn beam_3d(nx: usize, ny: usize, nz: usize) -> Self {
        Self::beam(3, [nx, ny, nz], nz)
    }

    fn beam(dim: usize, elements: [usize; 3], across: usize) -> Self {
        let h = 1.0 / across.max(1) as f64;
        let mut size = elements.map(|n| n as f64 * h);
        if dim == 2 {
            size[2] = 1.0;
        }
        Self { dim, elements, size, young: 1.0, poisson_ratio: 0.3, plane: Plane::Strain }
    }

    /// The clamped beam with its load.
    ///
    /// # Errors
    /// [`ElasticityError`] names the parameter that is wrong and its range.
    pub fn build(&self) -> Result<ElasticitySystem, ElasticityError> {
        let matrix = self.assemble(true)?;
        let coordinates = self.coordinates(true);
        let mut rhs = vec![0.0; matrix.nrows()];
        let last = self.dim - 1;
        for (node, point) in self.nodes(true).enumerate() {
            if point[0] == self.elements[0] {
                // Each node carries its share of the end's faces: a half at their rim.
                let share = |k: usize| {
                    let at_rim = point[k] == 0 || point[k] == self.elements[k];
                    if at_rim { 0.5 } else { 1.0 }
                };
                let load: f64 = (1..self.dim).map(|k| share(k) / self.elements[k] as f64).product();
                rhs[self.dim * node + last] = -load;
            }
        }
        let near_null_space = rigid_body_modes(self.dim, &coordinates);
        Ok(ElasticitySystem { problem: *self, matrix, rhs, coordinates, near_null_space })
    }

    /// The stiffness matrix of the free beam, all nodes included, and its nodes' coordinates: singular, with the
    /// rigid-body motions as its null space.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_free(&self) -> Result<(CsrMatrix<f64>, Vec<[f64; 3]>), ElasticityError> {
        Ok((self.assemble(false)?, self.coordinates(false)))
    }

    /// Grid positions of the nodes, in their order; those at x = 0 left out if `clamped`.
    fn nodes(&self, clamped: bool) -> impl Iterator<Item = [usize; 3]> {
        let [nx, ny, nz] = self.elements;
        let last_z = if self.dim == 3 { nz } else { 0 };
        let first_x = usize::from(clamped);
        (0..=last_z).flat_map(move |z| (0..=ny).flat_map(move |y| (first_x..=nx).map(move |x| [x, y, z])))
    }

    fn coordinates(&self, clamped: bool) -> Vec<[f64; 3]> {
        let h: [f64; 3] = std::array::from_fn(|k| self.size[k] / self.elements[k] as f64);
        self.nodes(clamped).map(|point| std::array::from_fn(|k| point[k] as f64 * h[k])).collect()
    }

    fn check(&self) -> Result<(), ElasticityError> {
        if let Some(axis) = (0..self.dim).find(|&k| self.elements[k] == 0) {
            return Err(ElasticityError::NoElements { axis });
        }
        let wrong = |name, found, expected| Err(ElasticityError::Parameter { name, found, expected });
        for &length in &self.size[..self.dim] {
            if !(length > 0.0 && length.is_finite()) {
                return wrong("size", length, "a positive, finite length");
            }
        }
        if !(self.young > 0.0 && self.young.is_finite()) {
            return wrong("young", self.young, "a positive, finite modulus");
        }
        if !(self.poisson_ratio > -1.0 && self.poisson_ratio < 0.5) {
            return wrong("poisson_ratio", self.poisson_ratio, "a number between -1 and 0.5");
        }
        // Every entry of every element, before duplicates are added; it bounds the unknowns as well.
        let local = self.dim << self.dim;
        let entries = self.elements[..self.dim].iter().try_fold(local * local, |e, &n| e.checked_mul(n));
        match entries {
            Some(entries) if entries <= u32::MAX as usize => Ok(()),
            _ => Err(ElasticityError::TooLarge { elements: self.elements }),
        }
    }

    fn assemble(&self, clamped: bool) -> Result<CsrMatrix<f64>, ElasticityError> {
        self.check()?;
        let dim = self.dim;
        let [nx, ny, nz] = self.elements;
        let layers = if dim == 3 { nz } else { 1 };
        let skipped = usize::from(clamped);
        let row_len = nx + 1 - skipped;
        let unknowns = dim * row_len * (ny + 1) * if dim == 3 { nz + 1 } else { 1 };
        let stiffness = self.element_stiffness();
        let local = dim << dim;
        let mut coo = CooBuilder::new(unknowns, unknowns)?;
        coo.reserve(local * local * nx * ny * layers);
        for (z, y, x) in (0..layers).flat_map(|z| (0..ny).flat_map(move |y| (0..nx).map(move |x| (z, y, x))))
        {
            let node = |a: usize| {
                let x = (x + (a & 1)).checked_sub(skipped)?;
                Some(((z + (a >> 2)) * (ny + 1) + y + (a >> 1 & 1)) * row_len + x)
            };
            for p in 0..local {
                let Some(row_node) = node(p / dim) else { continue };
                for q in 0..local {
                    if let Some(col_node) = node(q / dim) {
                        coo.push(
                            dim * row_node + p % dim,
                            dim * col_node + q % dim,
                            stiffness[p * local + q],
                        )?;
                    }
                }
            }
        }
        Ok(coo.build()?)
    }

    /// λ and μ.
    fn lame(&self) -> (f64, f64) {
        let (e, nu) = (self.young, self.poisson_ratio);
        let lambda = if self.dim == 2 && self.plane == Plane::Stress {
            e * nu / (1.0 - nu * nu)
        } else {
            e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu))
        };
        (lambda, e / (2.0 * (1.0 + nu)))
    }

    /// The element's matrix, (d 2ᵈ)² numbers, row by row; bit k of a corner's number says on which side it is along axis k.
    fn element_stiffness(&self) -> Vec<f64> {
        let (dim, corners) = (self.dim, 1usize << self.dim);
        let local = dim * corners;
        let (lambda, mu) = self.lame();
        let h: [f64; 3] = std::array::from_fn(|k| self.size[k] / self.elements[k] as f64);
        let weight = h[..dim].iter().product::<f64>() / corners as f64;
        let gauss = [0.5 - 0.5 / 3f64.sqrt(), 0.5 + 0.5 / 3f64.sqrt()];
        let mut stiffness = vec![0.0; local * local];
        for g in 0..corners {
            let gradients: Vec<[f64; 3]> = (0..corners).map(|a| gradient(dim, a, g, &gauss, &h)).collect();
            for p in 0..local {
                // The upper triangle, mirrored: symmetric to the last bit.
                for q in p..local {
                    let (i, j) = (p % dim, q % dim);
                    let (u, v) = (&gradients[p / dim], &gradients[q / dim]);
                    let dot: f64 = u.iter().zip(v).map(|(u, v)| u * v).sum();
                    let shear = u[j] * v[i] + if i == j { dot } else { 0.0 };
                    stiffness[p * local + q] += weight * (lambda * u[i] * v[j] + mu * shear);
                }
            }
        }
        for p in 0..local {
            for q in 0..p {
                stiffness[p * local + q] = stiffness[q * local + p];
            }
        }
        stiffness
    }
}

/// ∇N of corner `a` at Gauss point `g`.
fn gradient(dim: usize, a: usize, g: usize, gauss: &[f64; 2], h: &[f64; 3]) -> [f64; 3] {
    let value = |k: usize| {
        let t = gauss[g >> k & 1];
        if a >> k & 1 == 1 { t } else { 1.0 - t }
    };
    std::array::from_fn(|k| {
        if k >= dim {
            return 0.0;
        }
        let slope = if a >> k & 1 == 1 { 1.0 } else { -1.0 } / h[k];
        slope * (0..dim).filter(|&m| m != k).map(value).product::<f64>()
    })
}

/// The motions that strain nothing, on interleaved unknowns: `dim` translations, then the rotations about the nodes' mean
/// (1 in 2D, 3 in 3D). Each has length `dim` × nodes.
pub fn rigid_body_modes(dim: usize, coordinates: &[[f64; 3]]) -> Vec<Vec<f64>> {
    let mean: [f64; 3] = std::array::from_fn(|k| {
        coordinates.iter().map(|p| p[k]).sum::<f64>() / coordinates.len().max(1) as f64
    });
    // Rotation in the plane of the axes i and j: u_i = −x_j, u_j = x_i.
    let planes: &[(usize, usize)] = if dim == 2 { &[(0, 1)] } else { &[(0, 1), (1, 2), (2, 0)] };
    let mode = |motion: &dyn Fn([f64; 3]) -> [f64; 3]| -> Vec<f64> {
        coordinates
            .iter()
            .flat_map(|p| motion(std::array::from_fn(|k| p[k] - mean[k])).into_iter().take(dim))
            .collect()
    };
    let translations = (0..dim).map(|k| mode(&|_| std::array::from_fn(|i| f64::from(u8::from(i == k)))));
    let rotations = planes.iter().map(|&(i, j)| {
        mode(&|p| {
            let mut u = [0.0; 3];
            (u[i], u[j]) = (-p[j], p[i]);
            u
        })
    });
    translations.chain(rotations).collect()
}

/// A clamped beam, assembled.
#[derive(Debug, Clone, PartialEq)]
pub struct ElasticitySystem {
    /// What was built.
    pub problem: ElasticityProblem,
    /// K, symmetric positive definite, d unknowns a node.
    pub matrix: CsrMatrix<f64>,
    /// The load at the end.
    pub rhs: Vec<f64>,
    /// Where the nodes are; z = 0 in 2D.
    pub coordinates: Vec<[f64; 3]>,
    /// The rigid-body motions, each of length n: 3 in 2D, 6 in 3D.
    pub near_null_space: Vec<Vec<f64>>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

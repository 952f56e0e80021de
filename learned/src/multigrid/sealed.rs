//! Regions that no boundary value reaches: on each the constants are a null space of A.

/// The regions, and a copy of the residual to project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sealed {
    /// Of each unknown; no region of `sizes` where a boundary value reaches it.
    region: Vec<u32>,
    sizes: Vec<u32>,
    sums: Vec<f64>,
    projected: Vec<f64>,
}

impl Sealed {
    pub(crate) fn new(region: Vec<u32>, sizes: Vec<u32>) -> Self {
        let (sums, projected) = (vec![0.0; sizes.len()], vec![0.0; region.len()]);
        Self { region, sizes, sums, projected }
    }

    /// z ← `cycle` of r, both without their means.
    pub(crate) fn around<T>(
        &mut self,
        r: &[f64],
        z: &mut [f64],
        cycle: impl FnOnce(&[f64], &mut [f64]) -> T,
    ) -> T {
        let mut projected = std::mem::take(&mut self.projected);
        projected.copy_from_slice(r);
        self.project(&mut projected);
        let done = cycle(&projected, z);
        self.project(z);
        self.projected = projected;
        done
    }

    /// Takes the mean of each region away.
    pub(super) fn project(&mut self, v: &mut [f64]) {
        self.sums.fill(0.0);
        for (&region, v) in self.region.iter().zip(&*v) {
            if let Some(sum) = self.sums.get_mut(region as usize) {
                *sum += v;
            }
        }
        self.sums.iter_mut().zip(&self.sizes).for_each(|(sum, &size)| *sum /= f64::from(size));
        for (&region, v) in self.region.iter().zip(v) {
            if let Some(mean) = self.sums.get(region as usize) {
                *v -= mean;
            }
        }
    }
}

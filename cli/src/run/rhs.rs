//! The right-hand side that a case is solved with.

use crate::cases::Case;
use crate::engine::{self, Columns, Either, MatrixFile};
use crate::plan::Rhs;
use num_complex::Complex64;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use residua_data::matrix_market::DenseColumns;
use residua_data::{CsrMatrix, Scalar};
use std::path::Path;

/// A matrix with its right-hand sides, in one number type.
#[derive(Debug)]
pub(crate) struct System<T> {
    pub(crate) a: CsrMatrix<T>,
    /// Each column of length m.
    pub(crate) b: DenseColumns<T>,
}

/// A real or a complex system.
pub(crate) type AnySystem = Either<System<f64>, System<Complex64>>;

/// Joins `file` with the right-hand side that is wanted, and says which one it is. A complex right-hand
/// side makes a real matrix complex.
///
/// The error is one line, with the file's name where a file is wrong.
pub(crate) fn join(
    case: &Case,
    file: MatrixFile,
    rhs: &Rhs,
    seed: u64,
) -> Result<(AnySystem, String), String> {
    let path = match rhs {
        Rhs::File(path) => Some(path),
        Rhs::Default => case.rhs.as_ref(),
        _ => None,
    };
    if let Some(path) = path {
        let columns = engine::read_columns(path).map_err(|error| explain(error, rhs))?;
        return Ok((with_columns(file, columns, path)?, path.display().to_string()));
    }
    let system = match file.matrix {
        Either::Real(a) => {
            let b = DenseColumns::from_column(generate(&a, rhs, seed, |re, _| re));
            Either::Real(System { a, b })
        }
        Either::Complex(a) => {
            // Variance 1 in all, a half in each part.
            let b = generate(&a, rhs, seed, |re, im| Complex64::new(re, im) * 0.5f64.sqrt());
            Either::Complex(System { a, b: DenseColumns::from_column(b) })
        }
    };
    let name = if *rhs == Rhs::Default { Rhs::Consistent } else { rhs.clone() };
    Ok((system, name.to_string()))
}

/// A mistyped `--rhs one` looks like a file that does not exist.
fn explain(error: String, rhs: &Rhs) -> String {
    match rhs {
        Rhs::File(path) if !path.exists() => format!(
            "{}: no such file: expected a right-hand side file, or --rhs ones, consistent or random",
            path.display()
        ),
        _ => error,
    }
}

fn with_columns(file: MatrixFile, columns: Columns, path: &Path) -> Result<AnySystem, String> {
    let rows = file.rows();
    let (length, count) = match &columns {
        Either::Real(b) => (b.nrows(), b.ncols()),
        Either::Complex(b) => (b.nrows(), b.ncols()),
    };
    if count == 0 {
        return Err(format!("{}: has no column: expected at least one", path.display()));
    }
    if length != rows {
        return Err(format!(
            "{}:1: has {length} rows: expected {rows}, as many as the matrix has",
            path.display()
        ));
    }
    Ok(match (file.matrix, columns) {
        (Either::Real(a), Either::Real(b)) => Either::Real(System { a, b }),
        (Either::Complex(a), Either::Complex(b)) => Either::Complex(System { a, b }),
        (Either::Complex(a), Either::Real(b)) => Either::Complex(System { a, b: to_complex(&b) }),
        (Either::Real(a), Either::Complex(b)) => {
            Either::Complex(System { a: a.map(|&v| Complex64::from(v)), b })
        }
    })
}

fn to_complex(b: &DenseColumns<f64>) -> DenseColumns<Complex64> {
    let values: Vec<Complex64> = b.values().iter().map(|&v| Complex64::from(v)).collect();
    columns_of(b.nrows(), values)
}

/// `values`, whole columns of length `nrows`, as columns.
pub(crate) fn columns_of<T: Scalar>(nrows: usize, values: Vec<T>) -> DenseColumns<T> {
    let ncols = values.len().checked_div(nrows).unwrap_or(0);
    DenseColumns::try_new(nrows, ncols, values).unwrap_or_else(|| DenseColumns::from_column(Vec::new()))
}

/// One generated right-hand side; `scalar` makes a number of two independent standard normals.
fn generate<T: Scalar>(a: &CsrMatrix<T>, rhs: &Rhs, seed: u64, scalar: impl Fn(f64, f64) -> T) -> Vec<T> {
    match rhs {
        Rhs::Ones => vec![T::one(); a.nrows()],
        Rhs::Random => {
            let mut rng = StdRng::seed_from_u64(seed);
            (0..a.nrows())
                .map(|_| {
                    let (re, im) = normal_pair(&mut rng);
                    scalar(re, im)
                })
                .collect()
        }
        Rhs::Default | Rhs::Consistent | Rhs::File(_) => {
            let mut b = vec![T::zero(); a.nrows()];
            a.multiply(&vec![T::one(); a.ncols()], &mut b);
            b
        }
    }
}

/// Two independent standard normal numbers (Marsaglia and Bray 1964, SIAM Review 6(3): the polar method).
fn normal_pair(rng: &mut StdRng) -> (f64, f64) {
    loop {
        let (u, v) = (rng.random_range(-1.0..1.0f64), rng.random_range(-1.0..1.0f64));
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let factor = (-2.0 * s.ln() / s).sqrt();
            return (u * factor, v * factor);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn random_is_standard_normal_and_repeatable() {
        let a = CsrMatrix::<f64>::identity(20_000).unwrap();
        let b = generate(&a, &Rhs::Random, 7, |re, _| re);
        let n = b.len() as f64;
        let mean = b.iter().sum::<f64>() / n;
        let variance = b.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert_eq!(b, generate(&a, &Rhs::Random, 7, |re, _| re));
        assert_ne!(b, generate(&a, &Rhs::Random, 8, |re, _| re));
    }
}

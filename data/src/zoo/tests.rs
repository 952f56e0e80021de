use super::*;
use nalgebra::{DMatrix, DVector};
use num_complex::Complex;
use proptest::prelude::*;

type C64 = Complex<f64>;

fn dense<T: Scalar>(a: &CsrMatrix<T>, entry: impl Fn(T) -> C64) -> DMatrix<C64> {
    DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| entry(a.get(i, j)))
}

fn rank(a: &DMatrix<C64>) -> usize {
    let values = a.clone().svd(false, false).singular_values;
    values.iter().filter(|&&s| s > 1e-13 * values.max()).count()
}

/// Every fact against dense linear algebra.
fn check<T: Scalar>(system: &ZooSystem<T>, entry: impl Fn(T) -> C64) {
    let ZooSystem { name, matrix, rhs, exact, eigenvalues, facts } = system;
    assert_eq!(rhs.len(), matrix.nrows(), "{name}");
    assert_eq!(matrix.first_non_finite(), None, "{name}");
    assert_eq!(matrix.is_symmetric(), facts.symmetric, "{name}");
    assert_eq!(matrix.is_hermitian(), facts.definiteness != Definiteness::NotHermitian, "{name}");
    assert_eq!(exact.is_some(), facts.consistent, "{name}");
    if let Some(x) = exact {
        assert_eq!(x.len(), matrix.ncols(), "{name}");
        for (i, b) in rhs.iter().enumerate() {
            let (cols, vals) = matrix.row(i);
            let terms = || cols.iter().zip(vals).map(|(&j, &v)| entry(v) * entry(x[j as usize]));
            let (sum, size) = (terms().sum::<C64>(), terms().map(|t| t.norm()).sum::<f64>());
            assert!((sum - entry(*b)).norm() <= 1e-14 * size, "{name}, row {i}");
        }
    }
    if facts.extreme_scale {
        return;
    }
    let a = dense(matrix, &entry);
    let r = rank(&a);
    assert_eq!(r == matrix.nrows().min(matrix.ncols()), facts.full_rank, "{name}: rank {r}");
    let n = matrix.ncols();
    let augmented = DMatrix::from_fn(rhs.len(), n + 1, |i, j| if j == n { entry(rhs[i]) } else { a[(i, j)] });
    assert_eq!(rank(&augmented) == r, facts.consistent, "{name}");
    if facts.definiteness != Definiteness::NotHermitian && matrix.nrows() > 0 {
        let mut values: Vec<f64> = a.symmetric_eigenvalues().iter().copied().collect();
        values.sort_by(f64::total_cmp);
        let zero = 1e-13 * values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let found = match values[0] {
            v if v > zero => Definiteness::Positive,
            v if v >= -zero => Definiteness::Semidefinite,
            _ => Definiteness::Indefinite,
        };
        assert_eq!(found, facts.definiteness, "{name}: {values:?}");
        if let Some(expected) = eigenvalues {
            assert!(values.iter().zip(expected).all(|(v, e)| (v - e).abs() < 1e-12), "{name}");
        }
    }
}

#[test]
fn the_facts_are_true() {
    all().iter().for_each(|system| check(system, |v| C64::new(v, 0.0)));
    all_complex().iter().for_each(|system| check(system, |v| v));
}

#[test]
fn every_group_is_there_and_names_are_unique() {
    let names = names();
    assert_eq!(names.len(), 16 + 9 + 9 + 4, "{names:?}");
    assert_eq!(all_complex().len(), 4);
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    for name in names {
        assert_eq!(by_name(name).map(|s| s.name), Some(name));
    }
    assert_eq!(by_name("unicorn"), None);
}

#[test]
fn the_zoo_covers_what_a_solver_must_tell_apart() {
    let all = all();
    let has = |f: fn(&Facts) -> bool| all.iter().any(|s| f(&s.facts));
    assert!(has(|f| f.is_spd()));
    assert!(has(|f| f.definiteness == Definiteness::Indefinite && f.full_rank));
    assert!(has(|f| f.definiteness == Definiteness::Semidefinite && f.consistent));
    assert!(has(|f| f.definiteness == Definiteness::Semidefinite && !f.consistent));
    assert!(has(|f| !f.symmetric && f.full_rank));
    assert!(has(|f| !f.symmetric && !f.full_rank && f.consistent));
    assert!(all.iter().any(|s| s.matrix.nrows() > s.matrix.ncols() && s.facts.consistent));
    assert!(all.iter().any(|s| s.matrix.nrows() < s.matrix.ncols() && !s.facts.consistent));
    assert!(all.iter().any(|s| s.rhs.iter().all(|&b| b == 0.0)));
    assert!(all.iter().any(|s| s.matrix.empty_rows() > 0));
}

#[test]
fn extreme_scales_are_extreme() {
    for system in all().iter().filter(|s| s.facts.extreme_scale) {
        let moduli = system.matrix.values().iter().map(|v| v.abs());
        let (low, high) = moduli.fold((f64::INFINITY, 0.0), |(l, h): (f64, f64), v| (l.min(v), h.max(v)));
        assert!(low < 1e-149 && high > 1e149, "{}: {low:e} to {high:e}", system.name);
    }
}

#[test]
fn a_shift_has_its_full_period() {
    let system = by_name("circulant-shift").unwrap();
    assert_eq!(system.rhs[0], 1.0);
    assert_eq!(system.rhs.iter().filter(|&&b| b != 0.0).count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn random_families_are_what_they_say(
        kind in prop::sample::select(RandomKind::ALL.to_vec()),
        n in 1usize..24,
        seed in any::<u64>(),
    ) {
        let system = random(kind, n, seed).unwrap();
        prop_assert_eq!((system.matrix.nrows(), system.matrix.ncols()), (n, n));
        check(&system, |v| C64::new(v, 0.0));
        let facts = system.facts;
        let as_promised = match kind {
            RandomKind::Spd => facts.is_spd(),
            RandomKind::Indefinite => facts.definiteness == Definiteness::Indefinite && facts.full_rank,
            RandomKind::Nonsymmetric => facts.full_rank && facts.consistent,
            RandomKind::SingularConsistent => !facts.full_rank && facts.consistent,
            RandomKind::SingularInconsistent => !facts.full_rank && !facts.consistent,
            RandomKind::BadlyScaled => facts.extreme_scale && facts.consistent,
        };
        prop_assert!(as_promised, "{:?}", facts);
        prop_assert_eq!(random(kind, n, seed).unwrap(), system);
    }
}

#[test]
fn an_inconsistent_right_hand_side_is_far_from_the_range() {
    // The least-squares residual is a visible part of b: no tolerance of 1e-8 can be met by accident.
    for seed in 0..200 {
        let system = random(RandomKind::SingularInconsistent, 40, seed).unwrap();
        let a = dense(&system.matrix, |v| C64::new(v, 0.0));
        let b = DVector::from_iterator(40, system.rhs.iter().map(|&b| C64::new(b, 0.0)));
        let x = a.clone().svd(true, true).solve(&b, 1e-12).unwrap();
        let relative = (&b - a * x).norm() / b.norm();
        assert!(relative > 1e-4, "seed {seed}: {relative:e}");
    }
}

#[test]
fn families_reach_both_kinds_of_singular_matrix() {
    let symmetric = |seed| random(RandomKind::SingularConsistent, 20, seed).unwrap().facts.symmetric;
    assert!(symmetric(0) && !symmetric(1));
    assert_eq!("spd".parse(), Ok(RandomKind::Spd));
    assert!("spc".parse::<RandomKind>().unwrap_err().contains("singular-consistent"));
    assert_eq!(random(RandomKind::SingularInconsistent, 0, 1).unwrap().matrix.nrows(), 0);
}

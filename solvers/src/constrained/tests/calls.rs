//! Wrong calls, limits, warm starts, derivative checks.

use super::*;

#[test]
fn wrong_calls_are_refused() {
    let problem = hs6();
    let call = |options: &MinimizeOptions, start: Option<(&[f64], Option<&[f64]>)>| {
        minimize(&problem, options, start, &mut |_| ControlFlow::Continue(())).unwrap_err()
    };
    let options = MinimizeOptions::default();
    assert!(matches!(call(&options, Some((&[1.0], None))), MinimizeError::Length { .. }));
    assert!(matches!(
        call(&options, Some((&[1.0, f64::NAN], None))),
        MinimizeError::NotANumber { index: 1, .. }
    ));
    assert!(matches!(call(&options, Some((&[1.0, 1.0], Some(&[1.0, 2.0])))), MinimizeError::Length { .. }));
    assert!(matches!(call(&MinimizeOptions { tol: 0.0, ..options }, None), MinimizeError::Option { .. }));
}

#[test]
fn the_monitor_and_the_limits_stop_a_run() {
    let problem = bt11();
    let stopped = minimize(&problem, &MinimizeOptions::default(), None, &mut |r: &IterationRecord| {
        if r.iteration == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!((stopped.status, stopped.iterations), (MinimizeStatus::Interrupted, 2));
    let (limited, _) = solve(&problem, &MinimizeOptions { max_iters: 3, ..MinimizeOptions::default() });
    assert_eq!((limited.status, limited.iterations), (MinimizeStatus::MaxIterations, 3));
    let limit = Some(std::time::Duration::ZERO);
    let (limited, _) = solve(&problem, &MinimizeOptions { time_limit: limit, ..MinimizeOptions::default() });
    assert_eq!(limited.status, MinimizeStatus::TimeLimit);
}

#[test]
fn a_warm_start_with_multipliers_needs_no_steps() {
    let problem = hs40();
    let (outcome, _) = solve(&problem, &MinimizeOptions { tol: 1e-10, ..MinimizeOptions::default() });
    let start = (&outcome.x[..], Some(&outcome.multipliers[..]));
    let again =
        minimize(&problem, &MinimizeOptions::default(), Some(start), &mut |_| ControlFlow::Continue(()))
            .unwrap();
    assert_eq!((again.status, again.iterations), (MinimizeStatus::Converged, 0));
}

#[test]
fn derivatives_are_checked() {
    for problem in [hs7(), hs26(), hs40(), bt11()] {
        let mut x = vec![0.0; problem.variables()];
        problem.initial_point(&mut x);
        let lambda: Vec<f64> = (0..problem.constraints()).map(|i| 1.0 + i as f64).collect();
        let report = check_derivatives(&problem, &x, &lambda).unwrap();
        assert!(report.max() < 1e-6, "{} {report:?}", problem.name());
    }
    assert!(check_derivatives(&hs7(), &[1.0], &[1.0]).is_err());
}

/// HS7 with one derivative wrong.
struct Wrong {
    inner: ExpressionProblem,
    what: &'static str,
}

impl NonlinearProblem for Wrong {
    fn name(&self) -> &str {
        self.what
    }
    fn variables(&self) -> usize {
        self.inner.variables()
    }
    fn constraints(&self) -> usize {
        self.inner.constraints()
    }
    fn initial_point(&self, x: &mut [f64]) {
        self.inner.initial_point(x);
    }
    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError> {
        self.inner.objective(x)
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        self.inner.gradient(x, gradient)?;
        if self.what == "gradient" {
            gradient[1] += 0.01;
        }
        Ok(())
    }
    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        self.inner.constraint_values(x, values)
    }
    fn jacobian_pattern(&self) -> &SparsePattern {
        self.inner.jacobian_pattern()
    }
    fn jacobian_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        self.inner.jacobian_values(x, values)?;
        if self.what == "Jacobian" {
            values[0] *= 1.01;
        }
        Ok(())
    }
    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        self.inner.hessian_pattern()
    }
    fn hessian_values(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        self.inner.hessian_values(x, sigma, lambda, values)?;
        if self.what == "Hessian" {
            values[0] += 0.1;
        }
        Ok(())
    }
    fn hessian_product(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        self.inner.hessian_product(x, sigma, lambda, v, product)?;
        if self.what == "product" {
            product[0] += 0.1;
        }
        Ok(())
    }
}

#[test]
fn the_derivative_check_finds_each_wrong_derivative() {
    for what in ["gradient", "Jacobian", "Hessian", "product"] {
        let problem = Wrong { inner: hs7(), what };
        let report = check_derivatives(&problem, &[2.0, 2.0], &[1.5]).unwrap();
        let found = [
            (what == "gradient", report.gradient.0),
            (what == "Jacobian", report.jacobian.0),
            (what == "Hessian", report.hessian.0),
            (what == "product", report.hessian_product),
        ];
        for (wrong, error) in found {
            // A wrong first derivative shows in the differences of it too.
            assert!(!wrong || error > 1e-3, "{what}: {report:?}");
        }
        if what == "gradient" {
            assert_eq!(report.gradient.1, 1);
        }
    }
}

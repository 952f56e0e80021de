//! What a call brings: options and a starting point, checked.

use super::options::MinimizeOptions;
use super::outcome::MinimizeError;
use residua_data::nlp::NonlinearProblem;

pub(super) fn check(options: &MinimizeOptions) -> Result<(), MinimizeError> {
    let invalid = |name, value: String, expected| Err(MinimizeError::Option { name, value, expected });
    let c = &options.lagrangian;
    if !(options.tol > 0.0 && options.tol.is_finite()) {
        return invalid("tol", options.tol.to_string(), "it must be positive and finite");
    }
    if !(c.eta1 > 0.0 && c.eta2 > 0.0 && c.delta > 0.0 && c.nu > 1.0 && c.xi_b > 0.0) {
        return invalid(
            "lagrangian",
            format!("{c:?}"),
            "eta1, eta2, delta and xi_b must be positive, nu above 1",
        );
    }
    if !(c.beta > 0.0 && c.beta < 0.5) {
        return invalid("beta", c.beta.to_string(), "it must lie between 0 and 1/2");
    }
    let b = &options.barrier;
    let shares = [b.kappa_mu, b.tau_min, b.push];
    if !(b.mu > 0.0 && b.mu.is_finite() && b.theta_mu > 1.0 && b.theta_mu < 2.0 && b.kappa_epsilon > 0.0)
        || shares.iter().any(|v| !(*v > 0.0 && *v < 1.0))
    {
        return invalid(
            "barrier",
            format!("{b:?}"),
            "mu and kappa_epsilon must be positive, theta_mu between 1 and 2, kappa_mu, tau_min and push between 0 and 1",
        );
    }
    Ok(())
}

type StartingPoint = (Vec<f64>, Option<Vec<f64>>);

pub(super) fn starting_point(
    problem: &dyn NonlinearProblem,
    start: Option<(&[f64], Option<&[f64]>)>,
) -> Result<StartingPoint, MinimizeError> {
    let (n, m) = (problem.variables(), problem.constraints());
    let (x, lambda) = match start {
        Some((x, lambda)) => (x.to_vec(), lambda.map(<[f64]>::to_vec)),
        None => {
            let mut x = vec![0.0; n];
            problem.initial_point(&mut x);
            (x, problem.initial_multipliers().map(<[f64]>::to_vec))
        }
    };
    let vectors = [("the start", n, Some(&x)), ("the multipliers of the start", m, lambda.as_ref())];
    for (what, expected, vector) in vectors {
        let Some(vector) = vector else { continue };
        if vector.len() != expected {
            return Err(MinimizeError::Length { what, expected, found: vector.len() });
        }
        if let Some(index) = vector.iter().position(|v| !v.is_finite()) {
            return Err(MinimizeError::NotANumber { what, index });
        }
    }
    Ok((x, lambda))
}

//! `residua transport`, checked.

use super::{UsageError, check_output_file, time_limit};
use crate::args::TransportArgs;
use residua_solvers::transport::{Epsilon, Ground, TransportOptions};
use std::path::PathBuf;

/// ε as a share of the largest cost where none is given.
const DEFAULT_RELATIVE_EPSILON: f64 = 1e-3;

/// Where the problem comes from.
#[derive(Debug, Clone)]
pub(crate) enum TransportInput {
    /// A stored cost with weights on both sides.
    Cost { cost: PathBuf, source: PathBuf, target: PathBuf },
    /// Two point clouds; weights that are not given are uniform.
    Points {
        source_points: PathBuf,
        target_points: PathBuf,
        source: Option<PathBuf>,
        target: Option<PathBuf>,
        ground: Ground,
    },
    /// Two images, their grey levels taken as densities.
    Images { source: PathBuf, target: PathBuf, ground: Ground },
}

/// What `residua transport` has to do.
#[derive(Debug)]
pub(crate) struct TransportPlan {
    pub(crate) input: TransportInput,
    /// `tol` is that of the command line, absolute.
    pub(crate) options: TransportOptions,
    pub(crate) out_plan: Option<PathBuf>,
    pub(crate) plan_threshold: Option<f64>,
    pub(crate) out_potentials: Option<PathBuf>,
    pub(crate) round: bool,
}

impl TransportPlan {
    pub(crate) fn new(typed: TransportArgs) -> Result<Self, UsageError> {
        let input = input(&typed)?;
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(value);
            }
            Err(UsageError::new(format!("--{name} {value}: expected a finite number greater than 0")))
        };
        let epsilon = match (typed.epsilon, typed.relative_epsilon) {
            (Some(epsilon), _) => Epsilon::Absolute(positive("epsilon", epsilon)?),
            (None, Some(share)) => Epsilon::Relative(positive("relative-epsilon", share)?),
            (None, None) => Epsilon::Relative(DEFAULT_RELATIVE_EPSILON),
        };
        let mut options = TransportOptions::new(epsilon);
        options.method = typed.method;
        options.tol = positive("tol", typed.tol)?;
        options.max_iters = typed.max_iters;
        options.time_limit = time_limit(typed.time_limit)?;
        if let Some(threshold) = typed.plan_threshold.filter(|t| !(t.is_finite() && *t >= 0.0)) {
            return Err(UsageError::new(format!(
                "--plan-threshold {threshold}: expected a finite number, 0 or greater"
            )));
        }
        for (option, path) in [("--out-plan", &typed.out_plan), ("--out-potentials", &typed.out_potentials)] {
            path.as_ref().map_or(Ok(()), |path| check_output_file(option, path))?;
        }
        Ok(Self {
            input,
            options,
            out_plan: typed.out_plan,
            plan_threshold: typed.plan_threshold,
            out_potentials: typed.out_potentials,
            round: typed.round,
        })
    }
}

fn input(typed: &TransportArgs) -> Result<TransportInput, UsageError> {
    let ground = typed.ground.unwrap_or(Ground::SqEuclidean);
    if let [source, target] = &typed.images[..] {
        return Ok(TransportInput::Images { source: source.clone(), target: target.clone(), ground });
    }
    if let (Some(source_points), Some(target_points)) = (&typed.source_points, &typed.target_points) {
        return Ok(TransportInput::Points {
            source_points: source_points.clone(),
            target_points: target_points.clone(),
            source: typed.source.clone(),
            target: typed.target.clone(),
            ground,
        });
    }
    match (&typed.cost, &typed.source, &typed.target) {
        (Some(cost), Some(source), Some(target)) => {
            Ok(TransportInput::Cost { cost: cost.clone(), source: source.clone(), target: target.clone() })
        }
        (Some(_), _, _) => Err(UsageError::new(
            "--cost: the weights are missing: expected --source FILE and --target FILE (they are optional with points only)",
        )),
        _ => Err(UsageError::new(
            "no problem is given: expected --cost FILE, or --source-points FILE --target-points FILE, or --images A B",
        )),
    }
}

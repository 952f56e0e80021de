//! `residua sequence`, checked.

use super::{UsageError, stop_rule};
use crate::args::SequenceArgs;
use residua::sequence::{Configuration, Cost, candidates, omega_grid};
use residua_data::CsrMatrix;
use residua_data::sequence::{
    HeatEquation, JumpDrift, MovingObstacleFlow, Sequence, SequenceError, ShiftedLaplacian, SystemFolder,
    Variance,
};
use residua_solvers::StopRule;
use std::path::{Path, PathBuf};

/// Values of ω that a grid may have.
const MAX_GRID: usize = 1000;

/// Contrast of the moving inclusion.
const JUMP_CONTRAST: f64 = 1e4;

/// Where the systems come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Folder(PathBuf),
    /// Name, size and number of steps.
    Simulation(String, usize, usize),
}

/// What the choice looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContextKind {
    /// What the simulation knows of itself.
    Own,
    Trace,
    Shift,
    File(PathBuf),
}

/// What chooses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Selector {
    Auto,
    TsallisInf,
    ChebCb,
    ChebCbRidge,
    Uniform,
    Oracle,
    Fixed,
    /// Young's formula with one number learned from the first solve.
    Model,
    /// The same for SSOR under CG.
    SpectralModel,
}

/// A sequence and how to solve it.
#[derive(Debug)]
pub(crate) struct SequencePlan {
    pub(crate) source: Source,
    /// Empty: chosen from the first matrix.
    pub(crate) arms: Vec<Configuration>,
    /// The name of the one among those that is to be used.
    pub(crate) fixed_configuration: Option<String>,
    pub(crate) selector: Selector,
    pub(crate) selector_name: String,
    pub(crate) context: ContextKind,
    pub(crate) state: Option<PathBuf>,
    pub(crate) cost: Cost,
    pub(crate) hindsight: bool,
    pub(crate) stop: StopRule,
    pub(crate) seed: u64,
}

impl SequencePlan {
    pub(crate) fn new(typed: SequenceArgs, seed: u64) -> Result<Self, UsageError> {
        let stop = stop_rule(&typed.stop)?;
        let source = match (typed.dir, typed.simulation) {
            (Some(dir), _) => Source::Folder(dir),
            (None, name) => {
                Source::Simulation(name.unwrap_or_else(|| "heat".to_owned()), typed.n, typed.steps)
            }
        };
        let configurations = typed.method == "auto";
        let arm: fn(f64) -> Configuration =
            if typed.method == "sor" { Configuration::sor } else { Configuration::ssor_cg };
        let fixed_configuration =
            typed.selector.strip_prefix("fixed:").filter(|_| configurations).map(str::to_owned);
        let (mut selector, fixed) = match &fixed_configuration {
            Some(name) if name.parse::<f64>().is_ok() => {
                return Err(UsageError::new(
                    "--selector fixed:W: expected --method sor or cg, whose arms are values of ω, or the name of a configuration",
                ));
            }
            Some(_) => (Selector::Fixed, None),
            None => parse_selector(&typed.selector)?,
        };
        if selector == Selector::Model && configurations {
            return Err(UsageError::new(
                "--selector model: expected --method sor or cg, whose best ω the model knows",
            ));
        }
        if selector == Selector::Model && typed.method == "cg" {
            selector = Selector::SpectralModel;
        }
        if typed.grid == 0 || typed.grid > MAX_GRID {
            return Err(UsageError::new(format!(
                "--grid {}: expected a number from 1 to {MAX_GRID}",
                typed.grid
            )));
        }
        let arms = match fixed {
            _ if configurations => Vec::new(),
            Some(omega) => vec![arm(omega)],
            None => omega_grid(typed.grid).into_iter().map(arm).collect(),
        };
        let context = match typed.context {
            None if matches!(source, Source::Folder(_)) => ContextKind::Trace,
            None => ContextKind::Own,
            Some(name) if name == Path::new("trace") => ContextKind::Trace,
            Some(name) if name == Path::new("shift") => ContextKind::Shift,
            Some(file) => ContextKind::File(file),
        };
        let cost = match typed.cost.as_deref() {
            Some("seconds") => Cost::Seconds,
            Some(_) => Cost::Iterations,
            None if configurations => Cost::Seconds,
            None => Cost::Iterations,
        };
        Ok(Self {
            source,
            arms,
            fixed_configuration,
            selector,
            selector_name: typed.selector,
            context,
            state: typed.state,
            cost,
            hindsight: typed.hindsight,
            stop,
            seed,
        })
    }

    /// The configurations for a sequence that begins with `a`.
    pub(crate) fn configurations(&self, a: &CsrMatrix) -> Result<Vec<Configuration>, String> {
        let mut all = candidates(a);
        if let Some(name) = &self.fixed_configuration {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            all.retain(|configuration| configuration.to_string() == *name);
            if all.is_empty() {
                return Err(format!("--selector fixed:{name}: expected one of {}", names.join(", ")));
            }
        }
        Ok(all)
    }

    /// The sequence from its start.
    pub(crate) fn open(&self) -> Result<Box<dyn Sequence>, SequenceError> {
        Ok(match &self.source {
            Source::Folder(path) => Box::new(SystemFolder::open(path)?),
            Source::Simulation(name, n, steps) => match name.as_str() {
                "flow" => Box::new(MovingObstacleFlow::new(*n, *steps, self.seed)?),
                "jump" => Box::new(JumpDrift::new(*n, *steps, JUMP_CONTRAST)?),
                "shifts-low" => Box::new(ShiftedLaplacian::new(*n, *steps, Variance::Low, self.seed)?),
                "shifts-high" => Box::new(ShiftedLaplacian::new(*n, *steps, Variance::High, self.seed)?),
                _ => Box::new(HeatEquation::new(*n, *steps)?),
            },
        })
    }
}

/// The selector, and W of fixed:W.
fn parse_selector(name: &str) -> Result<(Selector, Option<f64>), UsageError> {
    let selector = match name {
        "auto" => Selector::Auto,
        "tsallis-inf" => Selector::TsallisInf,
        "cheb-cb" => Selector::ChebCb,
        "cheb-cb-r" => Selector::ChebCbRidge,
        "uniform" => Selector::Uniform,
        "oracle" => Selector::Oracle,
        "model" => Selector::Model,
        _ => {
            let omega = name.strip_prefix("fixed:").and_then(|w| w.parse::<f64>().ok());
            return match omega.filter(|w| *w > 0.0 && *w < 2.0) {
                Some(omega) => Ok((Selector::Fixed, Some(omega))),
                None => Err(UsageError::new(format!(
                    "--selector {name}: expected auto, tsallis-inf, cheb-cb, cheb-cb-r, uniform, oracle, model, or fixed:W with \
                     0 < W < 2"
                ))),
            };
        }
    };
    Ok((selector, None))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_told_apart_and_others_refused() {
        assert_eq!(parse_selector("cheb-cb").unwrap(), (Selector::ChebCb, None));
        assert_eq!(parse_selector("fixed:1.5").unwrap(), (Selector::Fixed, Some(1.5)));
        for bad in ["", "fixed", "fixed:", "fixed:2", "fixed:0", "fixed:nan", "chebcb"] {
            assert!(parse_selector(bad).is_err(), "{bad}");
        }
    }
}

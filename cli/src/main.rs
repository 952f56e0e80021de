//! The command `residua`: sparse linear systems and constrained optimisation from the command line.
//!
//! What was typed ([`args`]) becomes what is meant ([`plan`]); [`run`] does it, case by case, and
//! [`report`] says what came of it: JSON Lines, a table, a page. Every end has an [`exit::Exit`].

mod args;
mod cases;
mod engine;
mod exit;
mod interrupt;
mod plan;
mod report;
mod run;

use clap::{CommandFactory, Parser};
use exit::Exit;
use std::process::ExitCode;

/// Matrices and vectors of many megabytes are streamed: large pages make that faster.
#[global_allocator]
static ALLOCATOR: residua_data::memory::LargePages = residua_data::memory::LargePages;

fn main() -> ExitCode {
    residua_data::memory::keep_freed_memory();
    // clap ends the process itself: 0 after --help and --version, 2 after a usage error.
    run(args::Args::parse_from(args::as_typed(std::env::args_os()))).into()
}

fn run(args: args::Args) -> Exit {
    if let args::Command::Completions { shell } = args.command {
        return completions(shell);
    }
    let outcome = plan::Context::new(&args.common).and_then(|context| {
        let pool = context.thread_pool()?;
        interrupt::listen();
        pool.install(|| match args.command {
            args::Command::Solve(solve) => {
                Ok(run::solve(&plan::SolvePlan::new(solve, context.seed)?, &context))
            }
            args::Command::Info(info) => Ok(run::info(&info, &context)),
            args::Command::Poisson(poisson) => {
                Ok(run::poisson(&plan::PoissonPlan::new(poisson, context.seed)?, &context))
            }
            args::Command::Sequence(sequence) => {
                Ok(run::sequence(&plan::SequencePlan::new(sequence, context.seed)?, &context))
            }
            args::Command::Transport(transport) => {
                Ok(run::transport(&plan::TransportPlan::new(transport)?, &context))
            }
            args::Command::Minimize(minimize) => {
                Ok(run::minimize(&plan::MinimizePlan::new(minimize, context.seed)?, &context))
            }
            args::Command::Train(train) => {
                Ok(run::train(&plan::TrainPlan::new(train, context.seed)?, &context))
            }
            args::Command::Completions { .. } => Ok(Exit::Success),
        })
    });
    outcome.unwrap_or_else(|usage| {
        report::error_line(&usage.to_string());
        Exit::Usage
    })
}

fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::Args::command(), "residua", &mut script);
    report::Stdout::new().write(&script).exit()
}

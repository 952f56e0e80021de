//! Schedules on random patterns, grids and wide matrices.

use super::*;
use proptest::prelude::*;
use residua_data::CooBuilder;

fn matrix(n: usize, entries: &[(usize, usize)]) -> CsrMatrix {
    let mut coo = CooBuilder::new(n, n).unwrap();
    (0..n).for_each(|i| coo.push(i, i, 1.0).unwrap());
    entries.iter().for_each(|&(i, j)| coo.push(i % n, j % n, 1.0).unwrap());
    coo.build().unwrap()
}

fn grid(n: usize) -> CsrMatrix {
    let across = (0..n * n).filter(|i| i % n + 1 < n).flat_map(|i| [(i, i + 1), (i + 1, i)]);
    let up = (0..n * n - n).flat_map(|i| [(i, i + n), (i + n, i)]);
    matrix(n * n, &across.chain(up).collect::<Vec<_>>())
}

/// Task and stage of each row; fails if a row is missing or comes twice.
fn tasks_and_stages(schedule: &Schedule) -> Vec<(usize, usize)> {
    let mut found = vec![None; schedule.len()];
    let mut place = 0;
    for (stage, tasks) in schedule.stages().enumerate() {
        for task in tasks {
            for i in schedule.runs(task).flatten() {
                assert_eq!(found[i].replace((task, stage)), None, "row {i} comes twice");
                assert_eq!(schedule.position()[i], place);
                place += 1;
            }
        }
    }
    found.into_iter().map(Option::unwrap).collect()
}

/// Coupled rows are in one task or in different stages.
fn assert_valid(schedule: &Schedule, a: &CsrMatrix) {
    let found = tasks_and_stages(schedule);
    for i in 0..a.nrows() {
        for &j in a.row(i).0 {
            let ((task, stage), (other_task, other_stage)) = (found[i], found[j as usize]);
            assert!(task == other_task || stage != other_stage, "rows {i} and {j} are coupled");
        }
    }
}

proptest! {
    #[test]
    fn every_row_comes_once_and_coupled_rows_never_at_the_same_time(
        n in 1usize..80,
        entries in prop::collection::vec((0usize..80, 0usize..6), 0..160),
        blocks in 1usize..9,
        level_rows in 1usize..20,
    ) {
        // Mostly banded, one direction only: the pattern is not symmetric.
        let entries: Vec<_> = entries.iter().map(|&(i, d)| (i, i + d)).collect();
        let a = matrix(n, &entries);
        for coupling in [Coupling::Pattern, Coupling::Fill] {
            assert_valid(&Schedule::with_blocks(&a, coupling, blocks, level_rows), &a);
            let schedule = Schedule::with_blocks(&a.transpose(), coupling, blocks, level_rows);
            assert_valid(&schedule, &a);
            // Fill couples separators with each other: they must be one task.
            if coupling == Coupling::Fill {
                prop_assert!(schedule.stages().skip(1).all(|tasks| tasks.len() == 1));
            }
        }
    }

    #[test]
    fn level_sets_are_valid_on_any_pattern(
        n in 1usize..60,
        entries in prop::collection::vec((0usize..60, 0usize..60), 0..120),
    ) {
        let a = matrix(n, &entries);
        if let Some(levels) = level_sets(&a, 1) {
            let schedule = Schedule::from_levels(&levels, 4);
            assert_valid(&schedule, &a);
            // The order within coupled rows is the natural one.
            for i in 0..n {
                for &j in a.row(i).0 {
                    let position = schedule.position();
                    prop_assert_eq!(i < j as usize, position[i] < position[j as usize]);
                }
            }
        }
    }
}

#[test]
fn a_grid_is_cut_into_interiors_and_separators() {
    let a = grid(40);
    let schedule = Schedule::with_blocks(&a, Coupling::Pattern, 4, 1);
    // 4 interiors, then the 3 grid lines between them.
    assert_eq!((schedule.stage_count(), schedule.task_count()), (2, 7));
    let separators: usize = (4..7).flat_map(|task| schedule.runs(task)).map(|run| run.len()).sum();
    assert_eq!(separators, 3 * 40);
    let fill = Schedule::with_blocks(&a, Coupling::Fill, 4, 1);
    assert_eq!((fill.stage_count(), fill.task_count()), (2, 5));
}

#[test]
fn separators_that_couple_to_later_ones_wait_for_a_later_stage() {
    // Blocks of 4 rows; row 3 couples to 5, row 5 to 8: both are separators, and 3 waits for 5.
    let a = matrix(16, &[(3, 5), (5, 8)]);
    let schedule = Schedule::with_blocks(&a, Coupling::Pattern, 4, 1);
    assert_eq!(schedule.stage_count(), 3);
    assert!(schedule.position()[3] > schedule.position()[5]);
    assert_valid(&schedule, &a);
}

#[test]
fn wide_matrices_fall_back_to_levels_and_then_to_one_task() {
    // A red-black matrix: two levels.
    let pairs: Vec<_> = (0..50).flat_map(|i| (50..100).map(move |j| (i, j))).collect();
    let a = matrix(100, &pairs);
    let schedule = Schedule::with_blocks(&a, Coupling::Pattern, 4, 10);
    assert_eq!(schedule.stage_count(), 2);
    assert!(schedule.task_count() > 2);
    assert_valid(&schedule, &a);
    // A full one: a chain.
    let full: Vec<_> = (0..30).flat_map(|i| (0..30).map(move |j| (i, j))).collect();
    assert!(Schedule::with_blocks(&matrix(30, &full), Coupling::Pattern, 4, 10).is_sequential());
    assert!(Schedule::new(&grid(10), Coupling::Pattern).is_sequential());
    assert!(Schedule::sequential(0).is_empty());
    assert_eq!(Schedule::sequential(0).stages().count(), 0);
}

#[test]
fn backward_is_the_opposite_of_forward() {
    let schedule = Schedule::with_blocks(&grid(20), Coupling::Pattern, 4, 1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (there, back) = (std::sync::Mutex::new(vec![]), std::sync::Mutex::new(vec![]));
    pool.install(|| {
        schedule.forward(|task, run| there.lock().unwrap().extend(run.map(|i| (task, i))));
        schedule.backward(|task, run| back.lock().unwrap().extend(run.rev().map(|i| (task, i))));
    });
    let place = |order: &[(usize, usize)], row| order.iter().position(|&(_, i)| i == row).unwrap();
    let (there, back) = (there.into_inner().unwrap(), back.into_inner().unwrap());
    assert_eq!((there.len(), back.len()), (400, 400));
    let a = grid(20);
    for i in 0..400 {
        for &j in a.row(i).0.iter().filter(|&&j| j as usize != i) {
            assert_eq!(
                place(&there, i) < place(&there, j as usize),
                place(&back, i) > place(&back, j as usize)
            );
        }
    }
}

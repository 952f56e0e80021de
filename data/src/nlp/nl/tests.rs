use super::*;
use crate::nlp::NonlinearProblem;
use proptest::prelude::*;

/// min (x0 − 1)² + x1 x2 + 3 x2, s.t. x0 x1 + x2 = 4, x0 ≥ exp(x1) (as −∞ ≤ ... ≤ 0), 0 ≤ x2 ≤ 5, with a defined
/// variable v3 = x0 − 1.
const MODEL: &str = "g3 1 1 0\t# problem small
 3 2 1 0 1\t# vars, constraints, objectives, ranges, eqns
 2 1
 0 0
 2 3 2
 0 0 0 1
 0 0 0 0 0
 5 1
 0 0
 0 0 1 0 0
V3 1 2
0 1
n-1
C0
o2\t#*
v0
v1
C1
o44
v1
O0 0
o54
3
o5
v3
n2
o2
v1
v2
n0.5
x1
1 0.25
d1
0 -2
r
4 4
1 0
b
3
3
0 0 5
k2
2
4
J0 3
0 0
1 0
2 1
J1 2
0 -1
1 0
G0 1
2 3
S4 1 scale
0 2.5
";

fn problem(text: &str) -> Result<NlModel, NlError> {
    read_bytes("small.nl", text.as_bytes())
}

fn binary(text: &str, big: bool) -> Vec<u8> {
    // The test's own translator, line by line: the header as it is, then letters, integers and reals.
    let bytes4 = |v: i32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
    let bytes8 = |v: f64| if big { v.to_be_bytes() } else { v.to_le_bytes() };
    let mut lines = text.lines();
    let mut out = Vec::new();
    for (k, line) in lines.by_ref().take(10).enumerate() {
        let line = if k == 0 { line.replacen('g', "b", 1) } else { line.to_owned() };
        let line = if k == 5 { format!(" 0 0 {} 1", if big { 2 } else { 1 }) } else { line };
        out.extend(format!("{line}\n").into_bytes());
    }
    let mut kind = ' ';
    let mut left_in_bounds = 0;
    for line in lines {
        let line = line.split('\t').next().unwrap_or_default();
        let first = line.chars().next().unwrap_or(' ');
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_bound = left_in_bounds > 0;
        if is_bound {
            left_in_bounds -= 1;
            out.push(first as u8);
            words[1..].iter().for_each(|w| out.extend(bytes8(w.parse().unwrap())));
        } else if first == 'n' {
            out.push(b'n');
            out.extend(bytes8(line[1..].parse().unwrap()));
        } else if first.is_ascii_alphabetic() {
            kind = if "ov".contains(first) { kind } else { first };
            left_in_bounds = match first {
                'r' => 2,
                'b' => 3,
                _ => 0,
            };
            out.push(first as u8);
            let numbers: Vec<&str> = line[1..].split_whitespace().collect();
            for number in numbers {
                match number.parse::<i32>() {
                    Ok(v) => out.extend(bytes4(v)),
                    Err(_) => {
                        out.extend(bytes4(number.len() as i32));
                        out.extend(number.bytes());
                    }
                }
            }
        } else {
            out.extend(bytes4(words[0].parse().unwrap()));
            words[1..].iter().for_each(|w| out.extend(bytes8(w.parse().unwrap())));
        }
    }
    out
}

fn check(model: &NlModel) {
    let p = &model.problem;
    let x = [2.0, 0.5, 3.0];
    assert_eq!((p.variables(), p.constraints()), (3, 2));
    assert_eq!(p.objective(&x).unwrap(), 1.0 + 1.5 + 0.5 + 9.0);
    let mut c = [0.0; 2];
    p.constraint_values(&x, &mut c).unwrap();
    assert_eq!(c, [4.0, 0.5f64.exp() - 2.0]);
    let mut start = [0.0; 3];
    p.initial_point(&mut start);
    assert_eq!(start, [0.0, 0.25, 0.0]);
    assert_eq!(p.initial_multipliers(), Some(&[2.0, 0.0][..]));
    assert_eq!(p.variable_bounds().1, [f64::INFINITY, f64::INFINITY, 5.0]);
    assert_eq!(p.constraint_bounds(), (&[4.0, f64::NEG_INFINITY][..], &[4.0, 0.0][..]));
    assert_eq!(p.jacobian_pattern().columns, [0, 1, 2, 0, 1]);
    let mut j = [0.0; 5];
    p.jacobian_values(&x, &mut j).unwrap();
    assert_eq!(j, [0.5, 2.0, 1.0, -1.0, 0.5f64.exp()]);
    let pattern = p.hessian_pattern().unwrap();
    assert_eq!((&pattern.row_starts[..], &pattern.columns[..]), (&[0, 1, 3, 4][..], &[0, 0, 1, 1][..]));
}

#[test]
fn a_text_file_is_the_model_it_says() {
    let model = problem(MODEL).unwrap();
    assert!(!model.is_binary());
    check(&model);
}

#[test]
fn binary_files_of_both_byte_orders_are_the_same_model() {
    for big in [false, true] {
        let model = read_bytes("small.nl", &binary(MODEL, big)).unwrap();
        assert!(model.is_binary());
        check(&model);
    }
}

#[test]
fn a_maximised_objective_changes_sign_and_its_multipliers_too() {
    let model = problem(&MODEL.replace("O0 0", "O0 1")).unwrap();
    assert!(model.problem.is_maximised());
    assert_eq!(model.problem.objective(&[2.0, 0.5, 3.0]).unwrap(), -12.0);
    assert_eq!(model.problem.initial_multipliers(), Some(&[-2.0, 0.0][..]));
    let text = model.solution_text("m", &[], &[1.5, 0.0], SolveResult::Solved);
    assert!(text.contains("\n1.5\n"), "{text}");
}

#[test]
fn every_error_names_the_line_and_what_was_expected() {
    let cases = [
        (MODEL.replace("g3", "h3"), "small.nl:1: this is no .nl file: expected"),
        (MODEL.replace(" 3 2 1 0 1", " 3 x"), "small.nl:2: the header has a word"),
        (MODEL.replace(" 3 2 1 0 1", " 99999 2 1 0 1"), "small.nl:2: 99999 variables"),
        (MODEL.replace(" 0 0 0 0 0\n", " 0 1 0 0 0\n"), "small.nl:7: the model has integer variables"),
        (MODEL.replace("C0\no2", "C0\no99"), "small.nl:15: operator 99"),
        (
            MODEL.replace("C0\no2", "C7\no2"),
            "small.nl:14: the number of a constraint is 7: expected at least 0 and below 2",
        ),
        (MODEL.replace("v3\nn2", "v4\nn2"), "small.nl:25: the number of a variable is 4"),
        (MODEL.replace("n0.5", "n0.5x"), "small.nl:30: \"0.5x\" is not the number"),
        (MODEL.replace("0 0 5", "0 6 5"), "variable 2 has the bounds 6 and 5: expected"),
        (MODEL.replace("1 0.25", "1 0.25 7"), "\"7\" is too much"),
        (MODEL.replace("V3 1 2", "F0 1 1 f\nV3 1 2"), "small.nl:11: the model has user-defined functions"),
        (MODEL.replace("J0 3", "J0 99999"), "the number of entries is 99999"),
        (MODEL[..MODEL.find("o44").unwrap()].to_owned(), "the file ends too early: expected an expression"),
        (MODEL[..20].to_owned(), "the header ends after"),
        (String::new(), "small.nl:1: this is no .nl file"),
    ];
    for (text, expected) in cases {
        let error = problem(&text).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}\n{expected}");
    }
}

#[test]
fn deep_expressions_and_operators_of_all_kinds_are_read() {
    let deep = "o41\n".repeat(100_000);
    let text = MODEL.replace("o44\nv1", &format!("{deep}v1"));
    assert!(problem(&text).is_ok());
    let comparisons = "o35\no28\nv0\nn1\no12\n2\nv1\nv0\no64\n2\nn-1\nn0\nn1\nv1";
    let model = problem(&MODEL.replace("o44\nv1", comparisons)).unwrap();
    let mut c = [0.0; 2];
    model.problem.constraint_values(&[2.0, 3.0, 0.0], &mut c).unwrap();
    assert_eq!(c[1], 3.0 - 2.0);
    model.problem.constraint_values(&[0.0, -3.0, 0.0], &mut c).unwrap();
    assert_eq!(c[1], 3.0);
}

#[test]
fn a_solution_has_options_counts_duals_primals_and_the_result() {
    let model = problem(MODEL).unwrap();
    let text = model.solution_text(
        "residua: converged\n\nsecond",
        &[1.0, -2.5, 0.0],
        &[0.5, 0.0],
        SolveResult::Limit,
    );
    let expected = "residua: converged\n \nsecond\n\nOptions\n3\n1\n1\n0\n2\n2\n3\n3\n-0.5\n0\n1\n-2.5\n0\nobjno 0 400\n";
    assert_eq!(text, expected);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small.sol");
    write_sol(&path, &text).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(
        write_sol(&dir.path().join("no/such.sol"), &text)
            .unwrap_err()
            .to_string()
            .contains("cannot be written")
    );
}

#[test]
fn a_stem_is_found() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("small.nl"), MODEL).unwrap();
    assert_eq!(read(&dir.path().join("small")).unwrap().problem.name(), "small");
    let missing = read(&dir.path().join("missing")).unwrap_err().to_string();
    assert!(missing.contains("cannot be read (no such file"), "{missing}");
}

/// Reads whatever it is; a model that was read is evaluated.
fn survive(bytes: &[u8]) {
    match read_bytes("hostile.nl", bytes) {
        Err(error) => assert!(!error.to_string().contains('\n')),
        Ok(model) => {
            let p = &model.problem;
            let (n, m) = (p.variables(), p.constraints());
            let x = vec![0.5; n];
            let _ = p.objective(&x);
            let _ = p.gradient(&x, &mut vec![0.0; n]);
            let _ = p.jacobian_values(&x, &mut vec![0.0; p.jacobian_pattern().nnz()]);
            if let Some(pattern) = p.hessian_pattern() {
                let _ = p.hessian_values(&x, 1.0, &vec![1.0; m], &mut vec![0.0; pattern.nnz()]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn mutated_files_are_read_or_refused(
        is_binary: bool,
        edits in prop::collection::vec((0usize..1000, 0u8..4, any::<u8>()), 1..6),
    ) {
        let mut bytes = if is_binary { binary(MODEL, false) } else { MODEL.as_bytes().to_vec() };
        for (at, what, byte) in edits {
            let at = at % bytes.len().max(1);
            match what {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 if !bytes.is_empty() => { bytes.remove(at); }
                _ if !bytes.is_empty() => bytes[at] = if is_binary { byte } else { b"0123456789ovnCJ \n-"[byte as usize % 18] },
                _ => {}
            }
        }
        survive(&bytes);
    }
}

//! Expressions in Polish prefix form, read without recursion: a deep one must not exhaust the stack.

use super::NlError;
use super::scan::Scanner;
use crate::nlp::expression::{Binary, Graph, GraphError, NodeId, Unary};

/// Nodes that `v` may name.
#[derive(Debug)]
pub(super) struct Names {
    /// The node of each variable, made when it is first met.
    pub(super) variables: Vec<Option<NodeId>>,
    /// The node of each defined variable, once its segment was read.
    pub(super) common: Vec<Option<NodeId>>,
}

/// What an operator makes of its arguments.
#[derive(Debug, Clone, Copy)]
enum Operator {
    Unary(Unary),
    Binary(Binary),
    /// The arguments in the other order.
    Swapped(Binary),
    /// 1 where the two differ.
    Differ,
    Sum,
    /// Folded from the left.
    List(Binary),
    Select,
    /// Of the pieces with this number.
    Pieces(usize),
}

/// An operator whose arguments are being read.
struct Frame {
    operator: Operator,
    missing: usize,
    arguments: Vec<NodeId>,
}

/// Breakpoints and slopes.
type Pieces = (Vec<f64>, Vec<f64>);

/// Reads one expression.
pub(super) fn read(
    scanner: &mut Scanner<'_>,
    graph: &mut Graph,
    names: &mut Names,
) -> Result<NodeId, NlError> {
    let mut stack: Vec<Frame> = Vec::new();
    let mut pieces: Vec<Pieces> = Vec::new();
    loop {
        let mut done = match scanner.key("an expression: o, n, s, l or v and a number")? {
            b'o' => {
                let (operator, count) = operator(scanner, &mut pieces)?;
                match stack.last_mut() {
                    // A sum in a sum is one sum: chains of additions stay flat.
                    Some(top) if matches!((top.operator, operator), (Operator::Sum, Operator::Sum)) => {
                        top.missing += count - 1;
                    }
                    _ => stack.push(Frame { operator, missing: count, arguments: Vec::new() }),
                }
                continue;
            }
            b'v' => reference(scanner, graph, names)?,
            key @ (b'n' | b's' | b'l') => {
                let value = match key {
                    b'n' => scanner.real("a number after n")?,
                    b's' => scanner.short("an integer after s")? as f64,
                    _ => scanner.integer("an integer after l")? as f64,
                };
                graph.constant(value).map_err(|e| wrong(scanner, e))?
            }
            b'f' => return Err(scanner.error("a call of a user-defined function", "built-in operators only")),
            b'h' => return Err(scanner.error("a string in an expression", "numbers only")),
            other => {
                let what = format!("\"{}\" begins no expression", char::from(other));
                return Err(scanner.error(what, "o, n, s, l or v and a number"));
            }
        };
        scanner.end_of_item()?;
        // Complete every operator whose last argument this was.
        loop {
            let Some(top) = stack.last_mut() else { return Ok(done) };
            top.arguments.push(done);
            top.missing -= 1;
            if top.missing > 0 {
                break;
            }
            let Some(frame) = stack.pop() else { return Ok(done) };
            done = complete(graph, &frame, &pieces).map_err(|e| wrong(scanner, e))?;
        }
    }
}

fn wrong(scanner: &Scanner<'_>, error: GraphError) -> NlError {
    scanner.error(error.to_string(), "an expression that can be stored")
}

fn reference(scanner: &mut Scanner<'_>, graph: &mut Graph, names: &mut Names) -> Result<NodeId, NlError> {
    let n = names.variables.len();
    let k = scanner.index(n + names.common.len(), "the number of a variable")?;
    if let Some(slot) = names.variables.get_mut(k) {
        if let Some(node) = *slot {
            return Ok(node);
        }
        let node = graph.variable(k as u32).map_err(|e| wrong(scanner, e))?;
        *slot = Some(node);
        return Ok(node);
    }
    names.common[k - n].ok_or_else(|| {
        scanner.error(
            format!("defined variable {k} is used before its segment"),
            format!("\"V{k}\" above this line"),
        )
    })
}

/// The operator with the number that follows, and how many arguments it takes.
fn operator(scanner: &mut Scanner<'_>, pieces: &mut Vec<Pieces>) -> Result<(Operator, usize), NlError> {
    use Operator::{Differ, List, Select, Sum, Swapped};
    let code = scanner.integer("the number of an operator")?;
    let unary = |op| (Operator::Unary(op), 1);
    let binary = |op| (Operator::Binary(op), 2);
    let found = match code {
        0 => (Sum, 2),
        1 => binary(Binary::Sub),
        2 => binary(Binary::Mul),
        3 => binary(Binary::Div),
        4 => binary(Binary::Rem),
        5 | 76 | 78 => binary(Binary::Pow),
        6 => binary(Binary::Less),
        13 => unary(Unary::Floor),
        14 => unary(Unary::Ceil),
        15 => unary(Unary::Abs),
        16 => unary(Unary::Neg),
        20 => binary(Binary::Or),
        21 => binary(Binary::And),
        22 => binary(Binary::IsLess),
        23 => binary(Binary::IsLessOrEqual),
        24 => binary(Binary::IsEqual),
        28 => (Swapped(Binary::IsLessOrEqual), 2),
        29 => (Swapped(Binary::IsLess), 2),
        30 => (Differ, 2),
        34 => unary(Unary::Not),
        35 => (Select, 3),
        37 => unary(Unary::Tanh),
        38 => unary(Unary::Tan),
        39 => unary(Unary::Sqrt),
        40 => unary(Unary::Sinh),
        41 => unary(Unary::Sin),
        42 => unary(Unary::Log10),
        43 => unary(Unary::Log),
        44 => unary(Unary::Exp),
        45 => unary(Unary::Cosh),
        46 => unary(Unary::Cos),
        47 => unary(Unary::Atanh),
        48 => binary(Binary::Atan2),
        49 => unary(Unary::Atan),
        50 => unary(Unary::Asinh),
        51 => unary(Unary::Asin),
        52 => unary(Unary::Acosh),
        53 => unary(Unary::Acos),
        55 => binary(Binary::IntDiv),
        57 => binary(Binary::Round),
        58 => binary(Binary::Trunc),
        77 => unary(Unary::Power(2.0)),
        11 | 12 | 54 | 70 | 71 => {
            scanner.end_of_item()?;
            let count = scanner.count("the number of arguments")?;
            if count == 0 {
                return Err(scanner.error("an operator without arguments", "at least 1"));
            }
            let operator = match code {
                11 => List(Binary::Min),
                12 => List(Binary::Max),
                54 => Sum,
                70 => List(Binary::And),
                _ => List(Binary::Or),
            };
            (operator, count)
        }
        64 => {
            scanner.end_of_item()?;
            pieces.push(read_pieces(scanner)?);
            return Ok((Operator::Pieces(pieces.len() - 1), 1));
        }
        _ => {
            let expected = "an arithmetic operator, a function, a comparison, if, or a piecewise linear term";
            return Err(scanner.error(format!("operator {code} is not known or not smooth"), expected));
        }
    };
    scanner.end_of_item()?;
    Ok(found)
}

/// k slopes and the k − 1 breakpoints between them, alternating.
fn read_pieces(scanner: &mut Scanner<'_>) -> Result<Pieces, NlError> {
    let count = scanner.count("the number of slopes")?;
    scanner.end_of_item()?;
    if count == 0 {
        return Err(scanner.error("a piecewise linear term without slopes", "at least 1"));
    }
    let (mut breakpoints, mut slopes) = (Vec::new(), Vec::new());
    for k in 0..2 * count - 1 {
        let value = match scanner.key("a slope or breakpoint")? {
            b'n' => scanner.real("a number after n")?,
            b's' => scanner.short("an integer after s")? as f64,
            b'l' => scanner.integer("an integer after l")? as f64,
            other => return Err(scanner.error(format!("\"{}\" is no slope", char::from(other)), "n, s or l")),
        };
        scanner.end_of_item()?;
        if k % 2 == 0 { slopes.push(value) } else { breakpoints.push(value) }
    }
    Ok((breakpoints, slopes))
}

fn complete(graph: &mut Graph, frame: &Frame, pieces: &[Pieces]) -> Result<NodeId, GraphError> {
    match (frame.operator, frame.arguments.as_slice()) {
        (Operator::Unary(op), &[x]) => graph.unary(op, x),
        (Operator::Binary(op), &[x, y]) => graph.binary(op, x, y),
        (Operator::Swapped(op), &[x, y]) => graph.binary(op, y, x),
        (Operator::Differ, &[x, y]) => {
            let equal = graph.binary(Binary::IsEqual, x, y)?;
            graph.unary(Unary::Not, equal)
        }
        (Operator::Sum, terms) => graph.sum(terms),
        (Operator::List(op), [first, rest @ ..]) => {
            rest.iter().try_fold(*first, |x, y| graph.binary(op, x, *y))
        }
        (Operator::Select, &[condition, yes, no]) => graph.select(condition, yes, no),
        (Operator::Pieces(k), &[x]) => match pieces.get(k) {
            Some((breakpoints, slopes)) => graph.piecewise_linear(breakpoints.clone(), slopes.clone(), x),
            None => Err(GraphError::Pieces),
        },
        _ => Err(GraphError::UnknownNode),
    }
}

//! The segments of a `.nl` file.

use super::expression::{Names, read as read_expression};
use super::header::Header;
use super::scan::{Encoding, Scanner};
use super::{NlError, NlModel};
use crate::nlp::expression::{ExpressionProblem, Function, NodeId, ProblemParts};

/// Everything read so far.
struct Reader<'a, 's> {
    scanner: &'s mut Scanner<'a>,
    header: Header,
    parts: ProblemParts,
    names: Names,
    objective: Function,
    has_objective: bool,
}

/// Reads `bytes`, the content of `file`.
pub(super) fn read(file: &str, name: &str, bytes: &[u8]) -> Result<NlModel, NlError> {
    let mut scanner = Scanner::new(file, bytes);
    let header = Header::read(&mut scanner)?;
    let (n, m) = (header.variables, header.constraints);
    if n == 0 {
        return Err(scanner.error("the model has no variables", "at least one variable in line 2"));
    }
    let is_binary = scanner.encoding != Encoding::Text;
    let mut reader = Reader {
        parts: ProblemParts {
            name: name.to_owned(),
            initial_point: vec![0.0; n],
            variable_lower: vec![f64::NEG_INFINITY; n],
            variable_upper: vec![f64::INFINITY; n],
            constraints: vec![Function::default(); m],
            constraint_lower: vec![f64::NEG_INFINITY; m],
            constraint_upper: vec![f64::INFINITY; m],
            ..ProblemParts::default()
        },
        names: Names { variables: vec![None; n], common: vec![None; header.common] },
        objective: Function::default(),
        has_objective: false,
        scanner: &mut scanner,
        header,
    };
    while let Some(key) = reader.scanner.segment() {
        reader.segment(key)?;
    }
    reader.finish(file, is_binary)
}

impl Reader<'_, '_> {
    fn segment(&mut self, key: u8) -> Result<(), NlError> {
        match key {
            b'C' => {
                let i = self.constraint()?;
                self.scanner.end_of_item()?;
                let expression = self.expression()?;
                self.parts.constraints[i].expression = Some(expression);
                Ok(())
            }
            b'O' => self.objective(),
            b'V' => self.defined_variable(),
            b'J' => {
                let i = self.constraint()?;
                let linear = self.linear_terms()?;
                self.parts.constraints[i].linear = linear;
                Ok(())
            }
            b'G' => {
                let k = self.scanner.index(self.header.objectives, "the number of an objective")?;
                let linear = self.linear_terms()?;
                if k == 0 {
                    self.objective.linear = linear;
                }
                Ok(())
            }
            b'x' => {
                for (k, value) in self.pairs(self.header.variables, "the number of a variable")? {
                    if !value.is_finite() {
                        return Err(self
                            .scanner
                            .error(format!("the start of variable {k} is {value}"), "a finite number"));
                    }
                    self.parts.initial_point[k] = value;
                }
                Ok(())
            }
            b'd' => {
                let pairs = self.pairs(self.header.constraints, "the number of a constraint")?;
                let duals =
                    self.parts.initial_multipliers.get_or_insert_with(|| vec![0.0; self.header.constraints]);
                pairs.into_iter().filter(|(_, y)| y.is_finite()).for_each(|(i, y)| duals[i] = y);
                Ok(())
            }
            b'b' => self.variable_bounds(),
            b'r' => self.constraint_ranges(),
            // Sizes of the Jacobian's columns: those of the J segments are counted instead.
            b'k' | b'K' => {
                let count = self.scanner.count("the number of column sizes")?;
                self.scanner.end_of_item()?;
                for _ in 0..count {
                    self.scanner.integer("the size of a column")?;
                    self.scanner.end_of_item()?;
                }
                Ok(())
            }
            b'S' => self.suffix(),
            b'F' => {
                Err(self.scanner.error("the model has user-defined functions", "built-in operators only"))
            }
            b'L' => {
                Err(self.scanner.error("the model has logical constraints", "algebraic constraints only"))
            }
            other => {
                let what = format!("\"{}\" begins no segment", char::from(other).escape_default());
                Err(self.scanner.error(what, "one of C, O, V, J, G, x, d, b, r, k, S"))
            }
        }
    }

    fn constraint(&mut self) -> Result<usize, NlError> {
        self.scanner.index(self.header.constraints, "the number of a constraint")
    }

    fn expression(&mut self) -> Result<NodeId, NlError> {
        read_expression(self.scanner, &mut self.parts.graph, &mut self.names)
    }

    fn objective(&mut self) -> Result<(), NlError> {
        let k = self.scanner.index(self.header.objectives, "the number of an objective")?;
        let sense = self.scanner.index(2, "the sense of an objective, 0 for min and 1 for max,")?;
        self.scanner.end_of_item()?;
        let expression = self.expression()?;
        // Where there are several, the first is meant, as AMPL's solvers do by default.
        if k == 0 {
            self.objective.expression = Some(expression);
            self.parts.is_maximised = sense == 1;
            self.has_objective = true;
        }
        Ok(())
    }

    /// V k j t: variable k is a sum of j linear terms and an expression; t says where it is used.
    fn defined_variable(&mut self) -> Result<(), NlError> {
        let (n, common) = (self.header.variables, self.header.common);
        let k = self.scanner.index(n + common, "the number of a defined variable")?;
        if k < n {
            return Err(self
                .scanner
                .error(format!("variable {k} is defined"), format!("a number of at least {n}")));
        }
        let count = self.scanner.count("the number of linear terms")?;
        self.scanner.integer("where the defined variable is used")?;
        self.scanner.end_of_item()?;
        let mut terms = Vec::new();
        for _ in 0..count {
            let j = self.scanner.index(n, "the number of a variable")?;
            let coefficient = self.scanner.real("a coefficient")?;
            self.scanner.end_of_item()?;
            terms.push(self.scaled(j, coefficient)?);
        }
        terms.push(self.expression()?);
        let node =
            self.parts.graph.sum(&terms).map_err(|e| self.scanner.error(e.to_string(), "a smaller model"))?;
        self.names.common[k - n] = Some(node);
        Ok(())
    }

    /// The node a xⱼ.
    fn scaled(&mut self, j: usize, a: f64) -> Result<NodeId, NlError> {
        let graph = &mut self.parts.graph;
        let made = match self.names.variables[j] {
            Some(x) => Ok(x),
            None => graph.variable(j as u32),
        }
        .and_then(|x| {
            self.names.variables[j] = Some(x);
            let a = graph.constant(a)?;
            graph.binary(crate::nlp::expression::Binary::Mul, a, x)
        });
        made.map_err(|e| self.scanner.error(e.to_string(), "a smaller model"))
    }

    fn linear_terms(&mut self) -> Result<Vec<(u32, f64)>, NlError> {
        let pairs = self.pairs(self.header.variables, "the number of a variable")?;
        Ok(pairs.into_iter().map(|(k, a)| (k as u32, a)).collect())
    }

    /// A count, and as many items of an index below `limit` and a number.
    fn pairs(&mut self, limit: usize, what: &str) -> Result<Vec<(usize, f64)>, NlError> {
        let count = self.scanner.count("the number of entries")?;
        self.scanner.end_of_item()?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            let k = self.scanner.index(limit, what)?;
            pairs.push((k, self.scanner.real("a number")?));
            self.scanner.end_of_item()?;
        }
        Ok(pairs)
    }

    fn variable_bounds(&mut self) -> Result<(), NlError> {
        self.scanner.end_of_item()?;
        for k in 0..self.header.variables {
            let (lower, upper) = self.interval("variable", k)?;
            (self.parts.variable_lower[k], self.parts.variable_upper[k]) = (lower, upper);
        }
        Ok(())
    }

    fn constraint_ranges(&mut self) -> Result<(), NlError> {
        self.scanner.end_of_item()?;
        for i in 0..self.header.constraints {
            let (lower, upper) = self.interval("constraint", i)?;
            (self.parts.constraint_lower[i], self.parts.constraint_upper[i]) = (lower, upper);
        }
        Ok(())
    }

    /// 0 l u, 1 u, 2 l, 3 (free) or 4 c (equal).
    fn interval(&mut self, what: &str, index: usize) -> Result<(f64, f64), NlError> {
        let key = self.scanner.key("0, 1, 2, 3 or 4 and bounds")?;
        let mut real = || self.scanner.real("a bound");
        let (lower, upper) = match key {
            b'0' => (real()?, real()?),
            b'1' => (f64::NEG_INFINITY, real()?),
            b'2' => (real()?, f64::INFINITY),
            b'3' => (f64::NEG_INFINITY, f64::INFINITY),
            b'4' => {
                let value = real()?;
                (value, value)
            }
            b'5' => {
                return Err(self.scanner.error("a complementarity condition", "0, 1, 2, 3 or 4 and bounds"));
            }
            other => {
                let what = format!("\"{}\" is no kind of bound", char::from(other).escape_default());
                return Err(self.scanner.error(what, "0, 1, 2, 3 or 4 and bounds"));
            }
        };
        if lower.is_nan() || upper.is_nan() || lower > upper {
            let what = format!("{what} {index} has the bounds {lower} and {upper}");
            return Err(self.scanner.error(what, "numbers, the lower one not above the upper"));
        }
        self.scanner.end_of_item()?;
        Ok((lower, upper))
    }

    /// S kind n name: values beside variables, constraints, objectives or the problem; none is used here.
    fn suffix(&mut self) -> Result<(), NlError> {
        let kind = self.scanner.integer("the kind of a suffix")?;
        let count = self.scanner.count("the number of values of a suffix")?;
        self.scanner.name()?;
        self.scanner.end_of_item()?;
        for _ in 0..count {
            self.scanner.integer("an index")?;
            if kind & 4 != 0 {
                self.scanner.real("a value")?;
            } else {
                self.scanner.integer("a value")?;
            }
            self.scanner.end_of_item()?;
        }
        Ok(())
    }

    fn finish(self, file: &str, is_binary: bool) -> Result<NlModel, NlError> {
        let Self { scanner, header, mut parts, objective, has_objective, .. } = self;
        if header.objectives > 0 && !has_objective && objective.linear.is_empty() {
            return Err(scanner.error("the file ends without its objective", "a segment O0"));
        }
        parts.objective = objective;
        // AMPL's multipliers y satisfy ∇F = Jᵀ y for the F that is asked for; ours ∇f + Jᵀ λ = 0, f = ±F.
        let sign = if parts.is_maximised { 1.0 } else { -1.0 };
        if let Some(duals) = &mut parts.initial_multipliers {
            duals.iter_mut().for_each(|y| *y *= sign);
        }
        let problem = ExpressionProblem::new(parts)
            .map_err(|e| NlError::in_file(file, e.to_string(), "a model that can be stored"))?;
        Ok(NlModel { problem, options: header.options, tolerance: header.tolerance, is_binary })
    }
}

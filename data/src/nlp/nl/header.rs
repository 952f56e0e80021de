//! The ten lines that open a `.nl` file, text in binary files too.

use super::NlError;
use super::scan::{Encoding, Scanner};

/// What the header says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Header {
    /// AMPL options, repeated in the `.sol` file.
    pub(super) options: Vec<i64>,
    /// Given where the second option is 3.
    pub(super) tolerance: Option<f64>,
    pub(super) variables: usize,
    pub(super) constraints: usize,
    pub(super) objectives: usize,
    /// Defined variables.
    pub(super) common: usize,
}

/// Discrete variables and other features that no method here handles: (line, field, name).
const REFUSED: [(usize, usize, &str); 9] = [
    (1, 5, "logical constraints"),
    (2, 2, "complementarity conditions"),
    (2, 3, "complementarity conditions"),
    (5, 1, "user-defined functions"),
    (6, 0, "binary variables"),
    (6, 1, "integer variables"),
    (6, 2, "integer variables"),
    (6, 3, "integer variables"),
    (6, 4, "integer variables"),
];

const LINES: usize = 10;

impl Header {
    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, NlError> {
        let mut header = Self::default();
        let is_binary = header.read_options(scanner)?;
        let mut fields: Vec<Vec<i64>> = vec![Vec::new()];
        for k in 1..LINES {
            if scanner.is_at_end() {
                return Err(scanner.error(format!("the header ends after {k} lines"), "10 lines"));
            }
            let here = scanner.error("the header has a word that is no integer", "integers");
            let numbers: Result<Vec<i64>, _> =
                scanner.rest_of_line().split_whitespace().map(str::parse).collect();
            let numbers = numbers.map_err(|_| here.clone())?;
            if let Some((_, field, what)) = REFUSED
                .iter()
                .find(|(line, field, _)| *line == k && numbers.get(*field).is_some_and(|v| *v != 0))
            {
                let what = format!("the model has {what} (field {})", field + 1);
                return Err(NlError {
                    what,
                    expected: "a smooth model of real variables".to_owned(),
                    ..here
                });
            }
            if k == 1 && numbers.len() < 3 {
                let what = format!("the line has {} numbers", numbers.len());
                return Err(NlError {
                    what,
                    expected: "variables, constraints, objectives, ...".to_owned(),
                    ..here
                });
            }
            if numbers.iter().any(|v| *v < 0) {
                let what = "a count is negative".to_owned();
                return Err(NlError { what, expected: "counts of at least 0".to_owned(), ..here });
            }
            // A variable or constraint takes a byte of the file at the least.
            let largest = numbers.iter().take(3).max().copied().unwrap_or(0);
            if k == 1 && usize::try_from(largest).map_or(true, |v| v > scanner.len()) {
                let what = format!("{largest} variables or constraints in a file of {} bytes", scanner.len());
                return Err(NlError {
                    what,
                    expected: "counts that the file has room for".to_owned(),
                    ..here
                });
            }
            fields.push(numbers);
        }
        let get = |line: usize, field: usize| fields[line].get(field).map_or(0, |v| *v as usize);
        (header.variables, header.constraints, header.objectives) = (get(1, 0), get(1, 1), get(1, 2));
        header.common = fields[9].iter().fold(0usize, |sum, v| sum.saturating_add(*v as usize));
        if header.common > scanner.len() {
            return Err(scanner.error(
                format!("{} defined variables", header.common),
                "no more than the file has room for",
            ));
        }
        if is_binary {
            scanner.encoding = match get(5, 2) {
                0 | 1 => Encoding::LittleEndian,
                2 => Encoding::BigEndian,
                kind => {
                    let expected = "1 (IEEE, little-endian) or 2 (IEEE, big-endian) in line 6";
                    return Err(scanner.error(format!("binary numbers are of kind {kind}"), expected));
                }
            };
        }
        Ok(header)
    }

    /// The first line: g or b, the number of options, the options. Whether the file is binary.
    fn read_options(&mut self, scanner: &mut Scanner<'_>) -> Result<bool, NlError> {
        let here = scanner
            .error("this is no .nl file", "a first line like \"g3 1 1 0\" (text) or \"b3 1 1 0\" (binary)");
        let line = scanner.rest_of_line();
        let (is_binary, rest) = match (line.strip_prefix('g'), line.strip_prefix('b')) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(here),
        };
        let mut words = rest.split_whitespace();
        let count: usize =
            words.next().and_then(|w| w.parse().ok()).filter(|k| *k <= 9).ok_or(here.clone())?;
        for _ in 0..count {
            self.options.push(words.next().map_or(Ok(0), str::parse).map_err(|_| here.clone())?);
        }
        if self.options.get(1) == Some(&3) {
            self.tolerance = words.next().and_then(|w| w.parse().ok());
        }
        Ok(is_binary)
    }
}

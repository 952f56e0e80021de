//! Stand-in until the Matrix Market reader lands.
use super::*;
use residua_data::CooBuilder;
use std::fs;

fn lines(path: &Path) -> Result<(Vec<String>, Vec<Vec<f64>>), String> {
    let text = fs::read_to_string(path)
        .map_err(|e| format!("{}: {}", path.display(), crate::cases::unreadable(&e)))?;
    let mut it = text.lines();
    let head = it.next().unwrap_or("").to_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for (k, l) in it.enumerate().filter(|(_, l)| !l.starts_with('%') && !l.trim().is_empty()) {
        let r: Result<Vec<f64>, _> = l.split_whitespace().map(str::parse).collect();
        rows.push(r.map_err(|e| format!("{}:{}: {e}: expected a number", path.display(), k + 2))?);
    }
    Ok((head, rows))
}
pub(crate) fn read_matrix(path: &Path) -> Result<MatrixFile, String> {
    let (head, rows) = lines(path)?;
    let bad = || format!("{}:1: bad file: expected Matrix Market", path.display());
    let size = rows.first().ok_or_else(bad)?;
    if size.len() != 3 || head.len() < 5 || head[3] == "complex" {
        return Err(bad());
    }
    let mut coo = CooBuilder::new(size[0] as usize, size[1] as usize).map_err(|e| e.to_string())?;
    for r in &rows[1..] {
        let v = if head[3] == "pattern" { 1.0 } else { r[2] };
        let (i, j) = (r[0] as usize - 1, r[1] as usize - 1);
        coo.push(i, j, v).map_err(|e| format!("{}:2: {e}: expected less", path.display()))?;
        if head[4] == "symmetric" && i != j {
            coo.push(j, i, v).map_err(|e| e.to_string())?;
        }
    }
    let field = match head[3].as_str() {
        "pattern" => "pattern",
        "integer" => "integer",
        _ => "real",
    };
    Ok(MatrixFile { matrix: Either::Real(coo.build().map_err(|e| e.to_string())?), field, duplicates: 0 })
}
pub(crate) fn read_columns(path: &Path) -> Result<Columns, String> {
    let (_, rows) = lines(path)?;
    let (m, k) = (rows[0][0] as usize, rows[0][1] as usize);
    let all: Vec<f64> = rows[1..].iter().map(|r| r[0]).collect();
    Ok(Either::Real((0..k).map(|c| all[c * m..(c + 1) * m].to_vec()).collect()))
}
pub(crate) fn write_columns<T: residua_data::Scalar>(path: &Path, columns: &[Vec<T>]) -> std::io::Result<()> {
    let mut s = format!("%%MatrixMarket matrix array real general\n{} {}\n", columns[0].len(), columns.len());
    for c in columns {
        for v in c {
            s.push_str(&format!("{:.16e}\n", v.real_f64()));
        }
    }
    let tmp = path.with_extension("tmp");
    fs::write(&tmp, s)?;
    fs::rename(tmp, path)
}

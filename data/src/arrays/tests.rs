use super::*;
use crate::arrays::npy::read as read_npy;
use std::fs;
use tempfile::TempDir;

/// A `.npy` file with this header and these bytes.
fn npy_bytes(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn parse(bytes: &[u8]) -> Result<DenseArray, ArrayError> {
    read_npy(&mut &bytes[..], "a.npy", bytes.len() as u64)
}

fn read_text(name: &str, text: impl AsRef<[u8]>) -> Result<DenseArray, ArrayError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    read(&path)
}

/// The message without the folder.
fn message(result: Result<DenseArray, ArrayError>) -> String {
    let text = result.unwrap_err().to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn every_type_and_byte_order_of_npy_is_read() {
    let cases: [(&str, Vec<u8>, f64); 12] = [
        ("'<f8'", (-2.5f64).to_le_bytes().to_vec(), -2.5),
        ("'>f8'", (-2.5f64).to_be_bytes().to_vec(), -2.5),
        ("'<f4'", 0.1f32.to_le_bytes().to_vec(), f64::from(0.1f32)),
        ("'>f4'", 0.1f32.to_be_bytes().to_vec(), f64::from(0.1f32)),
        ("'|i1'", vec![0xff], -1.0),
        ("'<i2'", (-300i16).to_le_bytes().to_vec(), -300.0),
        ("'>i4'", (-70_000i32).to_be_bytes().to_vec(), -70_000.0),
        ("'<i8'", i64::MIN.to_le_bytes().to_vec(), i64::MIN as f64),
        ("\"|u1\"", vec![0xff], 255.0),
        ("'>u2'", 65_535u16.to_be_bytes().to_vec(), 65_535.0),
        ("'<u8'", u64::MAX.to_le_bytes().to_vec(), u64::MAX as f64),
        ("'|b1'", vec![2], 1.0),
    ];
    for (descr, data, value) in cases {
        let array = parse(&npy_bytes(descr, false, "(1,)", &data)).unwrap();
        assert_eq!((array.rows, array.cols, array.values), (1, 1, vec![value]), "{descr}");
    }
}

#[test]
fn shapes_and_orders_of_npy() {
    let data: Vec<u8> = (0..6).collect();
    let rows = parse(&npy_bytes("'|u1'", false, "(2, 3)", &data)).unwrap();
    assert_eq!((rows.rows, rows.cols, rows.values), (2, 3, vec![0., 1., 2., 3., 4., 5.]));
    let columns = parse(&npy_bytes("'|u1'", true, "(2, 3)", &data)).unwrap();
    assert_eq!(columns.values, [0., 2., 4., 1., 3., 5.]);
    let vector = parse(&npy_bytes("'|u1'", false, "(6,)", &data)).unwrap();
    assert_eq!((vector.rows, vector.cols), (6, 1));
    let image = parse(&npy_bytes("'|u1'", false, "(2, 3, 1)", &data)).unwrap();
    assert_eq!((image.rows, image.cols), (2, 3));
    let scalar = parse(&npy_bytes("'|u1'", false, "()", &data[..1])).unwrap();
    assert_eq!((scalar.rows, scalar.cols), (1, 1));
}

#[test]
fn hostile_npy_files_are_refused_without_memory() {
    let cases = [
        (npy_bytes("'<f8'", false, "(4000000000, 4000000000)", &[]), "no more than"),
        (npy_bytes("'<f8'", false, "(18446744073709551615, 2)", &[]), "no more than"),
        (npy_bytes("'<f8'", false, "(99999999999999999999999,)", &[]), "no shape"),
        (npy_bytes("'<f8'", false, "(1000000,)", &[0; 80]), "no more than"),
        (npy_bytes("'<f8'", false, "(2, 3, 4)", &[0; 192]), "3 axes"),
        (npy_bytes("'<c16'", false, "(1,)", &[0; 16]), "'<c16'"),
        (npy_bytes("'|O'", false, "(1,)", &[0; 16]), "'|O'"),
        (npy_bytes("[('a', '<f8')]", false, "(1,)", &[0; 8]), "expected real numbers"),
        (npy_bytes("'<é'", false, "(1,)", &[0; 8]), "expected real numbers"),
        (npy_bytes("''", false, "(1,)", &[0; 8]), "expected real numbers"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "too long"),
        (b"\x93NUMPY\x09\x00\xff\xff\xff\xff".to_vec(), "version"),
        (b"\x93NUM".to_vec(), "no .npy file"),
        (b"hello, world".to_vec(), "no .npy file"),
        (Vec::new(), "no .npy file"),
    ];
    for (bytes, part) in cases {
        let text = message(parse(&bytes));
        assert!(text.contains(part) && text.contains("expected"), "{text}");
    }
}

#[test]
fn what_is_written_comes_back() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let values: Vec<f64> = (0..12).map(|k| f64::from(k).sin()).collect();
    write_npy(at("a.npy"), &[3, 4], &values).unwrap();
    let array = read(at("a.npy")).unwrap();
    assert_eq!((array.rows, array.cols, &array.values), (3, 4, &values));
    assert_eq!(fs::metadata(at("a.npy")).unwrap().len(), 128 + 96, "the values are aligned");
    let arrays = [
        NamedArray { name: "f", shape: &[5], values: &values[..5] },
        NamedArray { name: "g", shape: &[2, 6], values: &values },
    ];
    write_npz(at("p.npz"), &arrays).unwrap();
    let g = read(at("p.npz:g")).unwrap();
    assert_eq!((g.rows, g.cols, &g.values), (2, 6, &values));
    assert_eq!(read(at("p.npz:f")).unwrap().values, values[..5]);
    let text = message(read(at("p.npz")));
    assert!(text.contains("holds 2 arrays") && text.contains("p.npz:NAME with NAME one of f, g"), "{text}");
    let text = message(read(at("p.npz:h")));
    assert!(text.contains("no array of this name: expected one of f, g"), "{text}");
    write_npz(at("one.npz"), &arrays[..1]).unwrap();
    assert_eq!(read(at("one.npz")).unwrap().values, values[..5]);
    assert!(write_npy(at("b.npy"), &[5], &values).is_err() && !at("b.npy").exists());
    assert!(write_npy(at("nowhere/b.npy"), &[12], &values).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn damaged_archives_are_refused() {
    for bytes in [&b"PK\x03\x04 and nothing more"[..], b"", b"not an archive"] {
        let text = message(read_text("a.npz", bytes));
        assert!(text.contains("no .npz archive"), "{text}");
    }
}

#[test]
fn text_in_every_form() {
    for text in [
        "1,2,3\n4,5,6\n",
        "1, 2, 3\r\n4, 5, 6",
        "1;2;3\n4;5;6\n\n",
        "1 2\t3\n 4  5 6 \n",
        "# comment\nx,y,z\n1,2,3\n\n4,5,6 % last\n",
        "\u{feff}\"a b\";\"c\";d\n1e0;2.;+3\n4;5;6",
    ] {
        let array = read_text("a.csv", text).unwrap();
        assert_eq!((array.rows, array.cols), (2, 3), "{text}");
        assert_eq!(array.values, [1., 2., 3., 4., 5., 6.], "{text}");
    }
    let array = read_text("weights", "w\n0.5\ninf\nNaN\n").unwrap();
    assert_eq!((array.rows, array.cols), (3, 1));
    assert!(array.values[1].is_infinite() && array.values[2].is_nan());
    assert!(array.place(2).ends_with("weights:4"), "{}", array.place(2));
    let row = read_text("row.csv", "1,2,3").unwrap();
    assert_eq!((row.rows, row.cols), (1, 3));
    assert!(row.place(1).ends_with("row.csv:1: value 2"), "{}", row.place(1));
}

#[test]
fn wrong_text_is_named_with_its_line() {
    for (text, part) in [
        ("1,2\n3\n", "a.csv:2: the line has 1 values: expected 2"),
        ("1,2\n\n3,x\n", "a.csv:3: value 2 is 'x': expected a number"),
        ("1,,3\n", "a.csv:1: value 2 is ''"),
        ("1;2,5\n", "a.csv:1: value 2 is '2,5'"),
        ("a,b\nc,d\n", "a.csv:2: value 1 is 'c'"),
        ("1,b\n", "a.csv:1: value 2 is 'b'"),
        ("", "a.csv: there are no numbers"),
        ("x,y\n# nothing\n", "a.csv: there are no numbers"),
    ] {
        let text_of_error = message(read_text("a.csv", text));
        assert!(text_of_error.contains(part), "{text:?}: {text_of_error}");
    }
    let text = message(read_text("a.csv", b"1,2\n\xff\xfe\n"));
    assert!(text.contains("a.csv:2: the line is not UTF-8"), "{text}");
}

#[test]
fn matrix_market_arrays_are_stored_by_columns() {
    let text = "%%MatrixMarket matrix array real general\n2 3\n1\n4\n2\n5\n3\n6\n";
    for name in ["a.mtx", "without_ending"] {
        let array = read_text(name, text).unwrap();
        assert_eq!((array.rows, array.cols), (2, 3));
        assert_eq!(array.values, [1., 2., 3., 4., 5., 6.]);
    }
    let wrong = message(read_text("a.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\nx\n"));
    assert!(wrong.contains("a.mtx:4: ") && wrong.matches("a.mtx").count() == 1, "{wrong}");
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let folder = TempDir::new().unwrap();
    let text = message(read(folder.path().join("none.npy")));
    assert!(text.contains("none.npy: cannot open") && text.contains("expected a .npy"), "{text}");
    let text = message(read(folder.path()));
    assert!(text.contains("cannot read"), "{text}");
}

/// An image by the encoder of the crate.
fn image(color: ::png::ColorType, depth: ::png::BitDepth, size: (u32, u32), data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ::png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn images_of_every_kind_become_grey_levels() {
    use ::png::{BitDepth::*, ColorType::*};
    let cases: [(_, _, _, &[u8], &[f64]); 7] = [
        (Grayscale, Eight, (2, 1), &[0, 200], &[0., 200.]),
        (Grayscale, Sixteen, (2, 1), &[1, 0, 255, 255], &[256., 65_535.]),
        (Grayscale, One, (2, 1), &[0b0100_0000], &[0., 255.]),
        (Rgb, Eight, (1, 2), &[255, 255, 255, 0, 100, 0], &[255., 58.7]),
        (Rgba, Eight, (2, 1), &[255, 0, 0, 0, 0, 0, 255, 255], &[255., 29.07]),
        (GrayscaleAlpha, Eight, (2, 1), &[10, 0, 10, 255], &[255., 10.]),
        (Indexed, Eight, (2, 1), &[0, 1], &[0., 76.245]),
    ];
    for (color, depth, size, data, expected) in cases {
        let array = read_text("a.png", image(color, depth, size, data)).unwrap();
        assert_eq!((array.cols, array.rows), (size.0 as usize, size.1 as usize));
        for (found, expected) in array.values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{color:?} {depth:?}: {:?}", array.values);
        }
    }
}

#[test]
fn damaged_images_are_refused_without_memory() {
    let whole = image(::png::ColorType::Grayscale, ::png::BitDepth::Eight, (40, 40), &[7; 1600]);
    let mut huge = whole.clone();
    huge[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    // The checksum of the changed header.
    let crc = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    for bytes in [&whole[..whole.len() / 2], &b"\x89PNG"[..], b"", &huge] {
        let text = message(read_text("a.png", bytes));
        assert!(text.contains("expected"), "{text}");
    }
}

/// The checksum of PNG and zip.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

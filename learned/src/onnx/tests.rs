use super::*;

fn model() -> Model {
    let mut model = Model::new(Coefficients::derived(2));
    model.metadata.insert("seed".to_owned(), "7".to_owned());
    model
}

#[test]
fn a_model_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    model().write(&path).unwrap();
    assert_eq!(Model::read(&path).unwrap(), model());
    assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
}

#[test]
fn shipped_models_load_and_carry_their_history() {
    for dim in [2, 3] {
        let model = Model::shipped(dim).unwrap();
        assert_eq!(model.coefficients.dim, dim);
        for key in ["spacing", "training_matrix", "date", "seed", "loss_history"] {
            assert!(model.metadata.contains_key(key), "{dim}D: {key}");
        }
    }
    assert!(Model::shipped(4).is_err());
}

/// Each damage is named.
#[test]
fn damaged_models_say_what_was_expected() {
    let damage = |f: &dyn Fn(&mut ModelProto)| {
        let mut proto = ModelProto::decode(&model().to_bytes()[..]).unwrap();
        f(&mut proto);
        Model::from_bytes(&proto.encode_to_vec()).unwrap_err().to_string()
    };
    fn coefficients(m: &mut ModelProto) -> &mut TensorProto {
        let graph = m.graph.as_mut().unwrap();
        graph.initializer.iter_mut().find(|t| t.name == cycle::COEFFICIENTS).unwrap()
    }
    for (text, expected) in [
        (damage(&|m| m.graph = None), "without a graph"),
        (damage(&|m| m.metadata_props.clear()), "residua.kind"),
        (damage(&|m| coefficients(m).dims = vec![6, 4]), "shape [6, 4]"),
        (damage(&|m| coefficients(m).data_type = 11), "type 11"),
        (damage(&|m| coefficients(m).raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes())), "omega"),
        (damage(&|m| coefficients(m).raw_data.truncate(9)), "2 coefficients"),
        (damage(&|m| coefficients(m).name.clear()), "no learned coefficients"),
        (damage(&|m| m.graph.as_mut().unwrap().input.truncate(5)), "no input"),
        (damage(&|m| m.graph.as_mut().unwrap().output.clear()), "one output, z"),
    ] {
        assert!(text.contains(expected) && text.contains("expected"), "{text}");
    }
    assert!(Model::from_bytes(b"not a model at all").is_err());
    assert!(
        Model::read(Path::new("/nowhere/m.onnx")).unwrap_err().to_string().starts_with("/nowhere/m.onnx: ")
    );
}

//! `openapi/openapi.json` is what the handlers say.

use std::path::PathBuf;

/// `UPDATE_OPENAPI=1 cargo test -p server openapi` writes the file.
#[test]
fn openapi_document_is_the_committed_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let document = server::openapi_document();
    let text = document
        .to_pretty_json()
        .expect("the document is made of structs")
        + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).expect("the file is writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi/openapi.json is not what the handlers say; UPDATE_OPENAPI=1 cargo test -p server openapi writes it"
    );
}

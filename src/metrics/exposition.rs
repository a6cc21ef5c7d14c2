//! The two text forms of the metrics: OpenMetrics 1.0 for who asks for it, as Prometheus does, and the older text format
//! 0.0.4 for everybody else.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::borrow::Cow;

const OPEN_METRICS: &str = "application/openmetrics-text";

/// Everything in the registry, as OpenMetrics.
pub(super) fn encoded(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    encode(&mut text, registry).ok();
    text
}

/// The answer to a scrape, in the form that was asked for.
pub(super) fn answer(headers: &HeaderMap, open_metrics: String) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (form, text) = if accepted.into_iter().any(|value| value.contains(OPEN_METRICS)) {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", open_metrics)
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", plain(&open_metrics))
    };
    ([(header::CONTENT_TYPE, form)], text).into_response()
}

/// The same in the older format. There the name of a family is that of its samples, a type `info` does not exist, and
/// units and the end are not said.
fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        let line = match line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            Some(("HELP", rest)) => {
                help = rest.split_once(' ');
                continue;
            }
            Some(("TYPE", rest)) => Cow::Owned(described(help.take(), rest)),
            Some(("UNIT", _)) => continue,
            None if line == "# EOF" => continue,
            _ => Cow::Borrowed(line),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The lines HELP and TYPE of a family.
fn described(help: Option<(&str, &str)>, name_and_type: &str) -> String {
    let (name, kind) = name_and_type.split_once(' ').unwrap_or((name_and_type, "untyped"));
    let (name, kind) = match kind {
        "counter" => (format!("{name}_total"), "counter"),
        "info" => (format!("{name}_info"), "gauge"),
        "unknown" => (name.to_owned(), "untyped"),
        kind => (name.to_owned(), kind),
    };
    let help = help.map_or("", |(_, help)| help);
    format!("# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_families_after_their_samples() {
        let open = "# HELP x_y Things.\n# TYPE x_y counter\n# UNIT x_y seconds\nx_y_total 5\n\
                    # HELP b Built.\n# TYPE b info\nb_info{version=\"# 1\"} 1\n\
                    # HELP g Now.\n# TYPE g gauge\ng 2\n# EOF\n";
        let old = "# HELP x_y_total Things.\n# TYPE x_y_total counter\nx_y_total 5\n\
                   # HELP b_info Built.\n# TYPE b_info gauge\nb_info{version=\"# 1\"} 1\n\
                   # HELP g Now.\n# TYPE g gauge\ng 2\n";
        assert_eq!(plain(open), old);
    }
}

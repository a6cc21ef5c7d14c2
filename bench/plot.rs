//! The plot of docs/performance.md: what waiting calls cost, from ten to a hundred thousand.
//!
//! Four small plots with one axis: the number of pending calls, in powers of ten. It has a ground of its own, so that it
//! can be read on a dark page as well.

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::*;
use serde_json::Value;
use std::path::Path;

const SIZE: (u32, u32) = (960, 640);
const FONT: &str = "sans-serif";
/// They can be told apart by those who do not see colours as others do.
const COLOURS: [RGBColor; 2] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0)];

/// One of the small plots.
struct Panel {
    title: &'static str,
    /// Figures of a point of growth, each with its name.
    lines: &'static [(&'static str, &'static str)],
    /// The least height of the axis: what is next to nothing shall look so.
    at_least: f64,
}

const PANELS: [Panel; 4] = [
    Panel { title: "Memory of the operator, MiB", lines: &[("memoryMiB", "")], at_least: 50.0 },
    Panel { title: "CPU at rest, % of a core", lines: &[("cpuAtRestPercent", "")], at_least: 1.0 },
    Panel {
        title: "Start-up, s",
        lines: &[("startUpSeconds", "until ready"), ("firstRingSeconds", "until the first due call rings")],
        at_least: 2.0,
    },
    Panel {
        title: "Lateness of single calls, ms",
        lines: &[("latenessP50", "median"), ("latenessMax", "most")],
        at_least: 20.0,
    },
];

/// Draws the growth of these results.
pub fn draw(growth: &[Value], file: &Path) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| format!("cannot draw {}: {error}", file.display());
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(|error| told(&error))?;
    for (panel, part) in PANELS.iter().zip(area.split_evenly((2, 2))) {
        draw_panel(panel, growth, &part).map_err(|error| told(&error))?;
    }
    area.present().map_err(|error| told(&error))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_panel(panel: &Panel, growth: &[Value], area: &Area<'_>) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let highest = panel
        .lines
        .iter()
        .flat_map(|(key, _)| points(growth, key))
        .map(|(_, y)| y)
        .fold(panel.at_least, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, (FONT, 18))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(48)
        .build_cartesian_2d((8.0..130_000.0_f64).log_scale(), 0.0..highest * 1.1)
        .map_err(|error| told(&error))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_desc("pending calls")
        .x_labels(6)
        .x_label_formatter(&|calls| thousands(*calls))
        .y_labels(6)
        .y_label_formatter(&|figure| {
            if highest < 5.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
        })
        .label_style((FONT, 13))
        .draw()
        .map_err(|error| told(&error))?;
    for ((key, name), colour) in panel.lines.iter().zip(COLOURS) {
        let line = LineSeries::new(points(growth, key), colour.stroke_width(2)).point_size(4);
        let drawn = chart.draw_series(line).map_err(|error| told(&error))?;
        if !name.is_empty() {
            drawn
                .label(*name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 1), (x + 14, y + 1)], colour.filled()));
        }
    }
    if panel.lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .label_font((FONT, 13))
            .draw()
            .map_err(|error| told(&error))?;
    }
    Ok(())
}

/// A figure over the number of calls.
fn points(growth: &[Value], key: &str) -> Vec<(f64, f64)> {
    growth.iter().filter_map(|point| Some((point["calls"].as_f64()?, point[key].as_f64()?))).collect()
}

/// `1,000`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len() {
        length @ 4.. => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
        _ => digits,
    }
}

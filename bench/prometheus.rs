//! Metrics as a process tells them, in Prometheus' text format. Pure.

/// All series of a scrape.
pub struct Scrape(String);

impl Scrape {
    /// Of this text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The sum of all series of this name that have these labels; zero if there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let series = self.0.lines().filter_map(|line| line.strip_prefix(name));
        let matching = series.filter(|rest| {
            rest.starts_with(['{', ' ']) && wanted.iter().all(|label| rest.contains(label.as_str()))
        });
        // A label's value may hold spaces, the number cannot.
        matching.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Scrape;

    #[test]
    fn sums_the_series_that_have_the_labels_and_no_other_name() {
        let text = "# TYPE a_total counter\na_total{code=\"200\",method=\"PUT\"} 3\n\
                    a_total{code=\"409\",method=\"PUT\"} 1\na_total{code=\"200\",method=\"GET\"} 7\na_total_created 9\nb 2.5\n";
        let scrape = Scrape::new(text.to_owned());
        assert_eq!(scrape.sum("a_total", &[("method", "PUT")]), 4.0);
        assert_eq!(scrape.sum("a_total", &[]), 11.0);
        assert_eq!(scrape.sum("b", &[]), 2.5);
        assert_eq!(scrape.sum("c", &[]), 0.0);
    }
}

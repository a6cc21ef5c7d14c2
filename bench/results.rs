//! The figures of all runs, as they come, and as they are told at the end.

use crate::budgets::{MAX, P50, P99, expectation};
use crate::load::Lateness;
use crate::spread::Spread;
use serde_json::{Value, json};

/// Figures in the order in which they were first told.
#[derive(Debug, Default)]
pub struct Results {
    /// Each figure once.
    pub figures: Vec<Figure>,
    /// One entry for each number of pending calls: figures by name.
    pub growth: Vec<Value>,
}

/// One figure of one scenario, with its value in each run.
#[derive(Debug)]
pub struct Figure {
    /// The scenario.
    pub scenario: String,
    /// What is measured.
    pub name: String,
    /// In which unit.
    pub unit: &'static str,
    /// One for each run.
    pub values: Vec<f64>,
    /// What puts it into perspective.
    pub note: String,
    /// What the API server alone takes for it, measured in the same run: no operator can do better.
    pub api_server_alone: Option<f64>,
}

/// How a figure stands to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within it.
    Met,
    /// Not, and the API server alone exceeds it.
    Forbidden,
    /// Not.
    Missed,
}

impl Results {
    /// Adds the value of one run.
    pub fn add(&mut self, scenario: &str, name: &str, unit: &'static str, value: f64) {
        if let Some(figure) = self.find(scenario, name) {
            figure.values.push(value);
            return;
        }
        let figure = Figure {
            scenario: scenario.to_owned(),
            name: name.to_owned(),
            unit,
            values: vec![value],
            note: String::new(),
            api_server_alone: None,
        };
        // Behind the others of its scenario, which may be measured twice, with others in between.
        let last = self.figures.iter().rposition(|figure| figure.scenario == scenario);
        self.figures.insert(last.map_or(self.figures.len(), |last| last + 1), figure);
    }

    /// Adds the lateness of one run.
    pub fn add_lateness(&mut self, scenario: &str, lateness: &Lateness) {
        self.add(scenario, P50, "ms", lateness.percentile(0.5));
        self.add(scenario, P99, "ms", lateness.percentile(0.99));
        self.add(scenario, MAX, "ms", lateness.max());
    }

    /// Says beside a figure what puts it into perspective.
    pub fn note(&mut self, scenario: &str, name: &str, note: String) {
        if let Some(figure) = self.find(scenario, name) {
            figure.note = note;
        }
    }

    /// Says what the API server alone takes for a figure.
    pub fn api_server_alone(&mut self, scenario: &str, name: &str, value: f64) {
        if let Some(figure) = self.find(scenario, name) {
            figure.api_server_alone = Some(value);
        }
    }

    fn find(&mut self, scenario: &str, name: &str) -> Option<&mut Figure> {
        self.figures.iter_mut().find(|figure| figure.scenario == scenario && figure.name == name)
    }

    /// The median of all values of figures of this scenario whose name begins so.
    pub fn median(&self, scenario: &str, name: &str) -> Option<f64> {
        let such = |figure: &&Figure| figure.scenario == scenario && figure.name.starts_with(name);
        let values: Vec<f64> =
            self.figures.iter().filter(such).flat_map(|figure| figure.values.clone()).collect();
        Some(Spread::of(&values)?.median)
    }

    /// Figures with this verdict.
    pub fn with_verdict(&self, verdict: Verdict) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.verdict() == Some(verdict)).collect()
    }
}

impl Figure {
    /// What it must not exceed.
    pub fn budget(&self) -> Option<f64> {
        expectation(&self.scenario, &self.name)?.budget
    }

    /// The old service's figure.
    pub fn old_service(&self) -> Option<f64> {
        expectation(&self.scenario, &self.name)?.old_service
    }

    /// Whether its median is within the budget, if there is one.
    pub fn verdict(&self) -> Option<Verdict> {
        let (median, budget) = (Spread::of(&self.values)?.median, self.budget()?);
        Some(match self.api_server_alone {
            _ if median <= budget => Verdict::Met,
            Some(alone) if alone > budget => Verdict::Forbidden,
            _ => Verdict::Missed,
        })
    }

    /// All of it, for a machine.
    pub fn to_json(&self) -> Value {
        let spread = Spread::of(&self.values);
        json!({
            "scenario": self.scenario,
            "figure": self.name,
            "unit": self.unit,
            "min": spread.map(|spread| spread.min),
            "median": spread.map(|spread| spread.median),
            "max": spread.map(|spread| spread.max),
            "runs": self.values,
            "budget": self.budget(),
            "met": self.verdict().map(|verdict| verdict == Verdict::Met),
            "apiServerAlone": self.api_server_alone,
            "oldService": self.old_service(),
            "note": self.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Results, Verdict};
    use crate::budgets::P50;

    #[test]
    fn the_median_of_the_runs_is_held_against_the_budget() {
        let mut results = Results::default();
        for value in [4.0, 6.0, 4.5] {
            results.add("idle", P50, "ms", value);
        }
        assert_eq!(results.figures[0].verdict(), Some(Verdict::Met));
        results.add("idle", P50, "ms", 7.0);
        assert_eq!(results.figures[0].verdict(), Some(Verdict::Missed));
        assert_eq!(results.with_verdict(Verdict::Missed).len(), 1);
        results.api_server_alone("idle", P50, 4.9);
        assert_eq!(results.figures[0].verdict(), Some(Verdict::Missed));
        results.api_server_alone("idle", P50, 5.1);
        assert_eq!(results.figures[0].verdict(), Some(Verdict::Forbidden));
        results.add("idle", "something else", "ms", 7.0);
        assert_eq!(results.figures[1].verdict(), None);
    }
}

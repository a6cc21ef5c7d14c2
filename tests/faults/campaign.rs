//! Many runs side by side, and the table of their verdicts.

use crate::api::Api;
use crate::points::{Harm, everything, learned};
use crate::replay::{Run, run};
use crate::scenario::Scenario;
use crate::scene::tails;
use crate::support::ControlPlane;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Runs at a time, in all tests together: most of each is waiting.
const SIDE_BY_SIDE: usize = 24;
/// Of the runs that failed so many are told in full.
const TOLD: usize = 3;
/// After so many runs a line says how far it is.
const PROGRESS: usize = 100;

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every promise was kept.
    Kept,
    /// The request did not come in this run.
    NotReached,
    /// What was broken.
    Broken(Vec<String>),
}

/// One run that is wanted.
pub struct Wanted<'a> {
    /// Of this scenario.
    pub scenario: &'a Learned,
    /// With these harms.
    pub harms: Vec<Harm>,
}

/// A scenario and how it goes without harm.
pub struct Learned {
    /// The scenario.
    pub scenario: Scenario,
    /// How its calls end.
    pub ends: BTreeMap<String, String>,
    /// What can be harmed.
    pub names: Vec<String>,
}

/// Runs scenarios without harm, twice, to know what belongs to the story and what to the moment. Nothing may be broken.
pub fn learn(cluster: &ControlPlane, api: &Api, scenarios: Vec<Scenario>) -> Vec<Learned> {
    let twice: Vec<&Scenario> = scenarios.iter().chain(&scenarios).collect();
    let mut runs = side_by_side(&twice, |scenario| {
        let run = run(cluster, api, scenario, &[]);
        assert!(
            run.broken.is_empty(),
            "{} without harm: {:#?}{}",
            scenario.name,
            run.broken,
            tails(&run.files)
        );
        run
    });
    let again = runs.split_off(scenarios.len());
    let learned_from = |((scenario, first), again): ((Scenario, Run), Run)| {
        assert_eq!(first.ends, again.ends, "{} without harm", scenario.name);
        let seen_again: BTreeSet<String> = learned(&again.requests).into_iter().collect();
        // Which of two rivals does a thing is another matter each time: all of it may come.
        let belongs = |name: &String| scenario.rival || seen_again.contains(name);
        let names: Vec<String> = learned(&first.requests).into_iter().filter(belongs).collect();
        println!("{}: {} requests and events; {:?}", scenario.name, names.len(), first.ends);
        Learned { scenario, ends: first.ends, names }
    };
    scenarios.into_iter().zip(runs).zip(again).map(learned_from).collect()
}

impl Wanted<'_> {
    /// As it can be asked for by `FAULTS_ONLY`.
    pub fn name(&self) -> String {
        let harms: Vec<String> = self.harms.iter().map(Harm::to_argument).collect();
        format!("{}: {}", self.scenario.scenario.name, harms.join(", "))
    }
}

impl Learned {
    /// Every harm at every place.
    pub fn everything(&self) -> Vec<Wanted<'_>> {
        everything(&self.names).into_iter().map(|harm| Wanted { scenario: self, harms: vec![harm] }).collect()
    }
}

/// Runs all that is wanted, prints the table, and fails if anything was broken.
pub fn replay(cluster: &ControlPlane, api: &Api, wanted: &[Wanted<'_>]) {
    let failures = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let verdicts = side_by_side(wanted, |wanted_one| {
        let Wanted { scenario, harms } = wanted_one;
        let run = run(cluster, api, &scenario.scenario, harms);
        let verdict = judge(scenario, harms, &run);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Verdict::Broken(broken) = &verdict {
            println!("{done}/{}: {}: {broken:#?}", wanted.len(), wanted_one.name());
            if failures.fetch_add(1, Ordering::Relaxed) < TOLD {
                println!("{}", tails(&run.files));
            }
        }
        if done.is_multiple_of(PROGRESS) {
            println!("{done} of {} runs are done", wanted.len());
        }
        verdict
    });
    print!("{}", table(wanted, &verdicts));
    let told = wanted.iter().zip(&verdicts).filter(|(wanted, _)| !wanted.scenario.scenario.rival);
    let stray = told.filter(|(_, verdict)| **verdict == Verdict::NotReached).count();
    let of = |sort: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| sort(verdict)).count();
    let kept = of(|verdict| *verdict == Verdict::Kept);
    let missed = of(|verdict| *verdict == Verdict::NotReached);
    let broken = of(|verdict| matches!(verdict, Verdict::Broken(_)));
    println!(
        "{} runs: {kept} kept every promise, {missed} did not come to their request, {broken} broke one",
        wanted.len()
    );
    assert_eq!(broken, 0, "to repeat one: FAULTS_ONLY='SCENARIO: FAULT @ NAME' make faults");
    assert!(stray * 10 <= wanted.len(), "too many runs went another way: the harness proves little");
}

fn judge(learned: &Learned, harms: &[Harm], run: &Run) -> Verdict {
    let mut broken = run.broken.clone();
    if broken.is_empty() && !run.struck {
        return Verdict::NotReached;
    }
    let doubt = |end: &String| {
        harms.iter().any(Harm::excuses_doubt) && end.contains("OutcomeUnknown")
            || harms.iter().any(Harm::excuses_waiting) && end.contains("ForbiddenConcurrent")
    };
    // A refusal uses up an attempt, and with it that part of the script: another number of rings may lead to the end.
    let refused =
        harms.iter().any(|harm| harm.at.starts_with("DIAL POST") && harm.fault.starts_with("answer:"));
    let state = |end: &str| end.split(',').next().unwrap_or_default().to_owned();
    for (call, end) in &learned.ends {
        match run.ends.get(call) {
            Some(other) if other == end || doubt(other) => {}
            Some(other) if refused && state(other) == state(end) => {}
            other => broken.push(format!("as-without-harm: {call} is {other:?}, without harm {end}")),
        }
    }
    if broken.is_empty() { Verdict::Kept } else { Verdict::Broken(broken) }
}

/// A table for each scenario: a line for each request, with the faults that were tried there.
fn table(wanted: &[Wanted<'_>], verdicts: &[Verdict]) -> String {
    let mut rows: BTreeMap<&str, Vec<(&str, Vec<String>)>> = BTreeMap::new();
    for (wanted, verdict) in wanted.iter().zip(verdicts) {
        for harm in &wanted.harms {
            let cell = match verdict {
                Verdict::Kept => harm.fault.clone(),
                Verdict::NotReached => format!("({})", harm.fault),
                Verdict::Broken(_) => format!("BROKEN:{}", harm.fault),
            };
            let rows = rows.entry(wanted.scenario.scenario.name).or_default();
            match rows.iter_mut().find(|(at, _)| *at == harm.at) {
                Some((_, cells)) => cells.push(cell),
                None => rows.push((&harm.at, vec![cell])),
            }
        }
    }
    let mut text = String::new();
    for (scenario, rows) in rows {
        writeln!(text, "{scenario}: kept under, (not reached), BROKEN under").unwrap();
        for (at, cells) in rows {
            writeln!(text, "  {at:<45} {}", cells.join(" ")).unwrap();
        }
    }
    text
}

/// Does something with each item, many at a time; results in the order of the items.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let turn = Turn::take();
                    let result = work(item);
                    drop(turn);
                    *results[index].lock().unwrap() = Some(result);
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().unwrap().unwrap()).collect()
}

/// A place among those that run at a time.
struct Turn;

static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Turn {
    fn take() -> Self {
        let taken = TURNS.0.lock().unwrap_or_else(PoisonError::into_inner);
        *TURNS.1.wait_while(taken, |taken| *taken >= SIDE_BY_SIDE).unwrap_or_else(PoisonError::into_inner) +=
            1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        TURNS.1.notify_one();
    }
}

//! What the figures are held against: the budgets of the design, and what the old service did on such a machine.

/// What is known beforehand of a figure.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    scenario: &'static str,
    figure: &'static str,
    /// The figure must not exceed it.
    pub budget: Option<f64>,
    /// The old service's figure, with a durable store.
    pub old_service: Option<f64>,
}

const fn expect(
    scenario: &'static str,
    figure: &'static str,
    budget: Option<f64>,
    old_service: Option<f64>,
) -> Expectation {
    Expectation { scenario, figure, budget, old_service }
}

/// The median of the runs is held against the budget.
const EXPECTATIONS: &[Expectation] = &[
    expect("ceiling", CPU_RATIO, Some(1.9), None),
    expect("idle", P50, Some(5.0), Some(4.8)),
    expect("idle", P99, Some(50.0), Some(5.7)),
    expect("burst 100 ms", P50, Some(800.0), Some(816.0)),
    expect("burst 100 ms", P99, Some(1600.0), Some(1555.0)),
    expect("burst 0 ms, 10 at a time", P50, None, Some(738.0)),
    expect("burst 0 ms, 10 at a time", P99, None, Some(1335.0)),
    expect("steady", P50, None, Some(13.0)),
    expect("steady", P99, None, Some(45.0)),
    expect("drain", RINGS_PER_SECOND, None, Some(1232.0)),
    expect("drain", RECORDED_SHARE, Some(1.0), None),
    expect("drain", OPERATOR_CPU_PER_CALL, Some(1.0), Some(1.27)),
    expect("pending", START_UP, Some(10.0), None),
    expect("pending", FIRST_DUE_CALL, Some(2.0), None),
    expect("pending", WRITES_AT_START, Some(0.0), None),
    expect("pending", BYTES_PER_CALL, Some(4000.0), Some(2100.0)),
    expect("pending", IDLE_CPU, Some(1.0), Some(0.34)),
    expect("pending", P50, Some(5.0), None),
    expect("pending", P99, Some(50.0), None),
    expect("pending", RECOVERY, Some(5.0), None),
    expect("plan", "next occurrence: …", Some(5.0), None),
    expect("plan", "adjustment: …", Some(5.0), None),
];

/// Names of figures that more than one place knows.
pub const P50: &str = "lateness p50";
pub const P99: &str = "lateness p99";
pub const MAX: &str = "lateness max";
pub const CEILING: &str = "status writes, our CRD, 8 in flight, just before";
pub const CPU_RATIO: &str = "API server CPU per write, ours ÷ permissive";
pub const RINGS_PER_SECOND: &str = "rings per second";
pub const RECORDED_SHARE: &str = "all recorded, as a share of what is allowed";
pub const OPERATOR_CPU_PER_CALL: &str = "operator CPU per call";
pub const START_UP: &str = "start-up until ready";
pub const FIRST_DUE_CALL: &str = "start-up until the first due call rings";
pub const LAST_DUE_CALL: &str = "start-up until a due call at the end of the list rings";
pub const WRITES_AT_START: &str = "writes to calls and series at start-up";
pub const BYTES_PER_CALL: &str = "operator memory per call";
pub const IDLE_CPU: &str = "operator CPU at rest";
pub const RECOVERY: &str = "API server answers lists again until calls ring on time";

/// What is expected of a figure, if anything is.
pub fn expectation(scenario: &str, figure: &str) -> Option<Expectation> {
    // `…` stands for whatever follows.
    let fits = |pattern: &str| match pattern.strip_suffix('…') {
        Some(start) => figure.starts_with(start),
        None => figure == pattern,
    };
    EXPECTATIONS.iter().copied().find(|known| known.scenario == scenario && fits(known.figure))
}

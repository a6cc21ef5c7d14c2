//! How random cases are drawn.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Of no meaning; fixed, so that a run on another day tests the same.
const SEED: u64 = 20_260_302;

/// So many cases from the fixed seed, unless the environment asks for others.
pub fn config(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, max_shrink_time: 10_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    println!("{} cases, seed {:?}", config.cases, config.rng_seed);
    config
}

/// One of the values, or a number of them, each once and in order.
pub fn some_of<T: Clone + Ord + std::fmt::Debug + 'static>(
    values: Vec<T>,
    most: usize,
) -> impl Strategy<Value = Vec<T>> + Clone {
    proptest::collection::btree_set(proptest::sample::select(values), 1..=most)
        .prop_map(|set| set.into_iter().collect())
}

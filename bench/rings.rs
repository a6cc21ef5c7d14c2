//! The dialer process, and what it says has rung.

use crate::guarded::Guarded;
use crate::{plain_http, programs};
use jiff::Timestamp;
use serde::Deserialize;
use std::path::Path;

/// A running dialer; ends when dropped.
pub struct Dialer {
    process: Guarded,
    address: String,
}

/// All that a dialer has noted.
#[derive(Debug, Default)]
pub struct Rings {
    /// Each request, as it came.
    pub rings: Vec<Ring>,
    /// The most requests at a time.
    pub peak: usize,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ring {
    /// When it arrived.
    pub at: Timestamp,
    /// Whom it was to ring.
    pub number: String,
}

#[derive(Deserialize)]
struct Noted {
    peak: usize,
    rings: Vec<(i64, String)>,
}

impl Dialer {
    /// Starts one that takes so long for an answer.
    pub fn start(directory: &Path, delay_ms: u64) -> Result<Self, String> {
        let log = directory.join(format!("dialer-{}.log", crate::guarded::random_hex(4)?));
        let arguments = ["--delay-ms", &delay_ms.to_string()];
        let process = Guarded::spawn(programs::built("examples/bench-dialer")?, &arguments, &[], log)?;
        let address = programs::wait("the dialer does not listen", &process, || {
            process.log().lines().find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()))
        })?;
        Ok(Self { process, address })
    }

    /// Where it takes requests.
    pub fn url(&self) -> String {
        format!("http://{}/calls", self.address)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// How many requests have come.
    pub fn count(&self) -> Result<usize, String> {
        let text = self.ask("/count")?;
        text.parse().map_err(|_| format!("the dialer has counted {text}"))
    }

    /// All requests.
    pub fn rings(&self) -> Result<Rings, String> {
        let text = self.ask("/rings")?;
        let noted: Noted = serde_json::from_str(&text).map_err(|error| format!("the dialer: {error}"))?;
        let ring = |(at, number)| {
            let at = Timestamp::from_microsecond(at).map_err(|error| error.to_string())?;
            Ok(Ring { at, number })
        };
        let rings = noted.rings.into_iter().map(ring).collect::<Result<_, String>>()?;
        Ok(Rings { rings, peak: noted.peak })
    }

    fn ask(&self, path: &str) -> Result<String, String> {
        programs::check(&self.process)?;
        Ok(plain_http::get(&self.address, path)?.1)
    }
}

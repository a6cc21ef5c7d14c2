//! Election of a leader by a Lease, by the rules of client-go.
//!
//! It only saves work: that a call is placed once rests on the claim alone. Promise: written only with the
//! resourceVersion that was read, so of two who take it one gets it; a holder is given up only after a lease duration of
//! silence on our own clock; who cannot renew for the renew deadline, which is shorter, stops by itself; given up last
//! when the process ends, after what has left is recorded. A term that was lost ends the process.

mod election;
mod leadership;
mod standing;

pub use election::Election;
pub use leadership::Leadership;

use super::api_server::managed;
use super::error::{ApiError, ErrorClass};
use crate::clock::{Clock, Monotonic};
use crate::metrics::Metrics;
use crate::probes::{Heartbeat, Part};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, ObjectMeta};
use standing::{Observation, Standing, held, released};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// Between two signs of life.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Tries in a row to write a Lease that somebody else writes as well.
const TRIES: u32 = 3;

/// Which Lease, and how long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Where it is; absent = the namespace that the configuration of the client names (in a pod: its own).
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// For how long a holder without a sign of life is left alone by others.
    pub duration: Duration,
    /// After how long without a renewal the holder stops by itself.
    pub renew_deadline: Duration,
    /// Between two renewals; also the longest that one request may take.
    pub retry_period: Duration,
}

impl LeaseSettings {
    /// Whether the times fit together.
    ///
    /// # Errors
    /// Which do not, for the command line.
    pub fn check(&self) -> Result<(), String> {
        let Self { duration, renew_deadline, retry_period, .. } = self;
        if *duration < Duration::from_secs(1) {
            return Err(format!("--lease-duration {}: must be at least 1", duration.as_secs_f64()));
        }
        if renew_deadline >= duration {
            return Err(format!(
                "--lease-renew-deadline {}: must be less than --lease-duration, which is {}",
                renew_deadline.as_secs_f64(),
                duration.as_secs_f64()
            ));
        }
        if retry_period.is_zero() || *retry_period * 2 > *renew_deadline {
            return Err(format!(
                "--lease-retry-period {}: must be above 0 and at most half of --lease-renew-deadline, which is {}",
                retry_period.as_secs_f64(),
                renew_deadline.as_secs_f64()
            ));
        }
        Ok(())
    }
}

/// Takes and keeps the Lease for this process.
struct Elector {
    api: Api<Lease>,
    settings: LeaseSettings,
    me: String,
    clock: Clock,
    leadership: Leadership,
    part: Part,
    heartbeat: Heartbeat,
    metrics: Metrics,
    observation: Observation,
    /// The Lease as we last wrote it: it can be renewed without reading it first.
    ours: Option<Lease>,
    /// Who held it when it was last read, for the log.
    known_holder: Option<String>,
}

/// What became of a try to take or keep the Lease.
enum Tried {
    /// It is ours.
    Held,
    /// It is somebody else's until then, at least.
    Taken { holder: String, until: Monotonic },
}

/// What the elector is given of the process.
struct Candidate {
    /// Says whether it leads.
    pub leadership: Leadership,
    /// Names this process in the Lease; of no other process that lives.
    pub me: String,
    /// Tells `/readyz` of trouble.
    pub part: Part,
    /// Tells `/livez` that it goes on.
    pub heartbeat: Heartbeat,
    /// Counts who leads.
    pub metrics: Metrics,
}

impl Elector {
    /// An elector that has not begun. `client` must not retry by itself.
    pub fn new(client: &Client, settings: LeaseSettings, candidate: Candidate, clock: Clock) -> Self {
        let Candidate { leadership, me, part, heartbeat, metrics } = candidate;
        metrics.leading(&settings.name, false);
        let api = match &settings.namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::default_namespaced(client.clone()),
        };
        Self {
            api,
            settings,
            me,
            clock,
            leadership,
            part,
            heartbeat,
            metrics,
            observation: Observation::default(),
            ours: None,
            known_holder: None,
        }
    }

    /// Campaigns and renews until `stop`, then gives the Lease up if it is ours. When a term is lost, `lost` is called off
    /// first and the campaign ends.
    pub async fn run(mut self, stop: CancellationToken, lost: CancellationToken) {
        while !stop.is_cancelled() {
            if self.leadership.has_lapsed() {
                let deadline = self.settings.renew_deadline;
                self.lose(&format!("it could not be renewed for {} s", deadline.as_secs_f64()));
            }
            if self.leadership.lost().is_some() {
                lost.cancel();
                return;
            }
            self.heartbeat.beat();
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.round() => {}
            }
        }
        self.give_up().await;
    }

    /// One try, and the pause after it.
    async fn round(&mut self) {
        let asked = self.clock.monotonic();
        let tried = tokio::time::timeout(self.settings.retry_period, self.take_or_keep()).await;
        let tried = tried.unwrap_or_else(|_| Err(ApiError::Uncertain("no answer in time".to_owned())));
        // Those who wait look twice as often as the holder writes: what it gives up is taken within a moment.
        let look_again = asked.after(self.settings.retry_period / 2);
        let next = match tried {
            Ok(Tried::Held) => self.note_held(asked),
            Ok(Tried::Taken { holder, until }) => {
                self.note_taken(&holder);
                look_again.min(until)
            }
            Err(error) => {
                self.note_error(&error);
                look_again
            }
        };
        self.pause(next).await;
    }

    /// Waits until then, and shows meanwhile that it does nothing else.
    async fn pause(&self, until: Monotonic) {
        while self.clock.monotonic() < until {
            self.heartbeat.beat();
            self.clock.monotonic().after(LONGEST_PAUSE).min(until).reached().await;
        }
    }

    async fn take_or_keep(&mut self) -> Result<Tried, ApiError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once().await {
                // Perhaps only a label was edited, or our own write came through after all, or it was deleted.
                Err(ApiError::Conflict | ApiError::Gone) if tries < TRIES => {}
                tried => return tried,
            }
        }
    }

    async fn try_once(&mut self) -> Result<Tried, ApiError> {
        // Whatever comes of it, the next try reads anew unless this one is known to have landed.
        let stored = match self.ours.take() {
            Some(ours) => Some(ours),
            None => self.api.get_opt(&self.settings.name).await?,
        };
        let now = self.clock.monotonic();
        let record = stored.as_ref().map(|lease| lease.spec.clone().unwrap_or_default());
        let standing = record.as_ref().map_or(Standing::Free, |record| {
            self.observation.judge(record, &self.me, self.settings.duration, now)
        });
        if let Standing::Taken { holder, until } = standing {
            return Ok(Tried::Taken { holder, until });
        }
        let next = held(record.as_ref(), &self.me, self.settings.duration, self.clock.system_now());
        let written = match stored {
            Some(lease) => {
                let lease = Lease { spec: Some(next), ..lease };
                self.api.replace(&self.settings.name, &managed(), &lease).await
            }
            None => {
                let metadata = ObjectMeta { name: Some(self.settings.name.clone()), ..Default::default() };
                self.api.create(&managed(), &Lease { metadata, spec: Some(next) }).await
            }
        };
        self.ours = Some(written?);
        Ok(Tried::Held)
    }

    /// When to renew it.
    fn note_held(&mut self, asked: Monotonic) -> Monotonic {
        self.part.ready();
        // Counted from before the request: others may have seen it from then on.
        if self.leadership.extend(asked.after(self.settings.renew_deadline)) {
            info!(lease = self.settings.name, identity = self.me, "leading");
            self.metrics.leading(&self.settings.name, true);
        }
        asked.after(self.settings.retry_period)
    }

    fn note_taken(&mut self, holder: &str) {
        self.part.ready();
        if self.leadership.leads() {
            self.lose(&format!("\"{holder}\" holds it now"));
        } else if self.known_holder.as_deref() != Some(holder) {
            info!(lease = self.settings.name, holder, "standing by");
            self.known_holder = Some(holder.to_owned());
        }
    }

    fn note_error(&mut self, error: &ApiError) {
        match error.class() {
            // Nobody would lead, and nothing would ring: not ready until somebody mends it.
            ErrorClass::Refused => {
                warn!(lease = self.settings.name, %error, "cannot take part in the election");
                self.part.lost(&error.to_string());
            }
            ErrorClass::Transient if self.leadership.leads() => {
                warn!(lease = self.settings.name, %error, "lease not renewed");
            }
            ErrorClass::Conflict | ErrorClass::Gone | ErrorClass::Transient => {
                debug!(lease = self.settings.name, %error, "lease neither read nor written");
                self.part.trouble(&error.to_string());
            }
        }
    }

    fn lose(&mut self, why: &str) {
        error!(lease = self.settings.name, why, "the lease was lost: the process ends");
        self.ours = None;
        self.leadership.end(why);
        self.metrics.leading(&self.settings.name, false);
    }

    /// Gives the Lease up if it is ours: whoever waits takes it at once.
    async fn give_up(&mut self) {
        if !self.leadership.leads() {
            return;
        }
        self.leadership.stand_down();
        self.metrics.leading(&self.settings.name, false);
        match tokio::time::timeout(self.settings.retry_period, self.write_release()).await {
            Ok(Ok(())) => info!(lease = self.settings.name, "lease given up"),
            Ok(Err(error)) => warn!(lease = self.settings.name, %error, "lease not given up; it runs out"),
            Err(_) => warn!(lease = self.settings.name, "lease not given up in time; it runs out"),
        }
    }

    async fn write_release(&mut self) -> Result<(), ApiError> {
        // A renewal may have been under way: only what is stored tells.
        let Some(lease) = self.api.get_opt(&self.settings.name).await? else { return Ok(()) };
        let record = lease.spec.clone().unwrap_or_default();
        if record.holder_identity.as_deref() != Some(self.me.as_str()) {
            return Ok(());
        }
        let lease = Lease { spec: Some(released(&record, self.clock.system_now())), ..lease };
        self.api.replace(&self.settings.name, &managed(), &lease).await?;
        Ok(())
    }
}

/// Names this process in the Lease: its machine (in a cluster the pod) for people, the id of its journal for being the
/// only one. Who takes up a journal again is the holder again, and need not wait.
fn identity(holder: &str) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = machine.trim();
    if machine.is_empty() { holder.to_owned() } else { format!("{machine}_{holder}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(duration: f64, renew_deadline: f64, retry_period: f64) -> LeaseSettings {
        LeaseSettings {
            namespace: None,
            name: "call-operator".to_owned(),
            duration: Duration::from_secs_f64(duration),
            renew_deadline: Duration::from_secs_f64(renew_deadline),
            retry_period: Duration::from_secs_f64(retry_period),
        }
    }

    #[test]
    fn a_holder_must_stop_before_others_take_over() {
        assert_eq!(settings(15.0, 10.0, 2.0).check(), Ok(()));
        let refused = |settings: LeaseSettings, flag: &str| {
            let why = settings.check().unwrap_err();
            assert!(why.starts_with(flag), "{why}");
        };
        refused(settings(0.5, 0.3, 0.1), "--lease-duration");
        refused(settings(10.0, 10.0, 2.0), "--lease-renew-deadline");
        refused(settings(15.0, 10.0, 6.0), "--lease-retry-period");
        refused(settings(15.0, 10.0, 0.0), "--lease-retry-period");
    }

    #[test]
    fn an_identity_ends_with_the_id_of_the_journal() {
        assert!(identity("abc").ends_with("abc"));
    }
}

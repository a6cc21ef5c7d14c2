//! The part that this process takes in the election, from its start to its end.

use super::{Candidate, Elector, Leadership, LeaseSettings, identity};
use crate::clock::Clock;
use crate::controller::context::Context;
use crate::probes::{Liveness, Part};
use kube::Client;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The election, while it goes on.
pub struct Election {
    stop: CancellationToken,
    campaign: Option<JoinHandle<()>>,
}

impl Election {
    /// How a process begins: without an election it leads at once.
    pub fn leadership(lease: Option<&LeaseSettings>, clock: Clock) -> Leadership {
        match lease {
            Some(_) => Leadership::to_be_elected(clock),
            None => Leadership::without_election(clock),
        }
    }

    /// Takes part in the election, if there is one. Losing the lease later shuts the process down.
    pub fn begin(
        lease: Option<&LeaseSettings>,
        client: &Client,
        context: &Arc<Context>,
        liveness: &Liveness,
    ) -> Self {
        let stop = CancellationToken::new();
        let campaign = lease.map(|lease| {
            let candidate = Candidate {
                leadership: context.leadership.clone(),
                me: identity(context.journal.holder()),
                part: Part::new(&context.readiness, "lease", None),
                heartbeat: liveness.heartbeat("election"),
                metrics: context.metrics.clone(),
            };
            let elector = Elector::new(client, lease.clone(), candidate, context.clock);
            tokio::spawn(elector.run(stop.clone(), context.shutdown.clone()))
        });
        Self { stop, campaign }
    }

    /// Gives up the lease, if it is ours.
    pub async fn end(self) {
        self.stop.cancel();
        if let Some(campaign) = self.campaign {
            // It ends by itself; should it have panicked, the lease runs out.
            campaign.await.ok();
        }
    }
}

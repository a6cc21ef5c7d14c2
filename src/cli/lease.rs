//! Flags of the leader election.

use super::values::seconds;
use crate::controller::LeaseSettings;
use clap::Args;
use jiff::SignedDuration;

/// How replicas agree on one that works.
#[derive(Debug, Args)]
pub struct LeaseArgs {
    /// Elect a leader by a Lease, and stand by while another leads. Several operators at once are safe without it (each
    /// call is rung once), only wasteful.
    #[arg(long, env = "CALL_OPERATOR_LEADER_ELECT", default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    leader_elect: bool,

    /// Namespace of the Lease; the operator's own if not set (outside of a pod: that of the kubeconfig's context).
    #[arg(long, env = "CALL_OPERATOR_LEASE_NAMESPACE")]
    lease_namespace: Option<String>,

    /// Name of the Lease. Operators that serve different namespaces need different ones.
    #[arg(long, env = "CALL_OPERATOR_LEASE_NAME", default_value = "call-operator")]
    lease_name: String,

    /// Seconds for which a leader without a sign of life is left alone by the others; at least 1.
    #[arg(long, env = "CALL_OPERATOR_LEASE_DURATION", default_value = "15", value_parser = seconds)]
    lease_duration: SignedDuration,

    /// Seconds after which a leader that cannot renew its lease stops by itself; less than the duration.
    #[arg(long, env = "CALL_OPERATOR_LEASE_RENEW_DEADLINE", default_value = "10", value_parser = seconds)]
    lease_renew_deadline: SignedDuration,

    /// Seconds between two renewals, and the longest that a request for the lease may take.
    #[arg(long, env = "CALL_OPERATOR_LEASE_RETRY_PERIOD", default_value = "2", value_parser = seconds)]
    lease_retry_period: SignedDuration,
}

impl LeaseArgs {
    /// What they ask for; nothing without an election.
    ///
    /// # Errors
    /// When the times do not fit each other.
    pub fn settings(self) -> Result<Option<LeaseSettings>, String> {
        if !self.leader_elect {
            return Ok(None);
        }
        let settings = LeaseSettings {
            namespace: self.lease_namespace,
            name: self.lease_name,
            duration: self.lease_duration.unsigned_abs(),
            renew_deadline: self.lease_renew_deadline.unsigned_abs(),
            retry_period: self.lease_retry_period.unsigned_abs(),
        };
        settings.check().map(|()| Some(settings))
    }
}

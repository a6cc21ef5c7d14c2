//! Releases of the chart on a cluster, and the operator run as they install it.

use crate::helm::{chart, helm};
pub use crate::support::installed::{find as get, start_operator};
use crate::support::{ControlPlane, succeed};
use std::ops::Deref;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A cluster that holds nothing of ours yet.
pub struct Fresh {
    cluster: ControlPlane,
    _turn: MutexGuard<'static, ()>,
}

impl Fresh {
    /// Starts one. One at a time: several that start beside each other may all take longer than they are given.
    pub fn start() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Self { cluster: ControlPlane::start().unwrap(), _turn: turn }
    }
}

impl Deref for Fresh {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.cluster
    }
}

/// Helm 4 for this cluster.
pub fn helm_for(cluster: &ControlPlane) -> Command {
    let mut helm = helm();
    helm.env("KUBECONFIG", cluster.admin_kubeconfig());
    helm
}

/// `helm ACTION RELEASE CHART --namespace NAMESPACE …`; gives what Helm says.
pub fn release(
    cluster: &ControlPlane,
    action: &str,
    name: &str,
    namespace: &str,
    further: &[&str],
) -> String {
    let mut helm = helm_for(cluster);
    helm.args([action, name]).arg(chart()).args(["--namespace", namespace]).args(further);
    succeed(&mut helm)
}

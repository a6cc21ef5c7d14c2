//! Releases of the chart on a cluster, and the operator run as they install it.

use crate::helm::{chart, helm};
pub use crate::support::installed::{find as get, start_operator};
use crate::support::{ControlPlane, succeed};
use std::process::Command;

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

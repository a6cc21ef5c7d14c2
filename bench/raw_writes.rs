//! Writes of a status as the operator makes them, as fast as the API server takes them.
//!
//! Each task has objects of its own, so nothing conflicts, and writes by turns the claim and the record of a real call,
//! each with a new token, so that no write is without a change.

use crate::api::{Api, send};
use crate::clock::{ms_since, ticks};
use crate::process::cpu_ms;
use crate::template::Template;
use crate::world::World;
use futures::future::try_join_all;
use http::Method;
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Tasks at most, each with one object.
const TASKS: usize = 64;
const NAMESPACE: &str = "ceiling";

/// Of the writes that are not counted.
const WARM_UP_IN_FLIGHT: usize = 8;
const WARM_UP_SECONDS: f64 = 1.0;

/// Which schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one of `crds/`.
    Ours,
    /// One that checks nothing.
    Permissive,
}

/// Objects that are written to.
pub struct Writer {
    kind: Kind,
    objects: Vec<Arc<Mutex<Metadata>>>,
    statuses: [Value; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    uid: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct Written {
    metadata: Metadata,
}

/// How fast it went.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Writes a second.
    pub per_second: f64,
    /// CPU time of the API server for each.
    pub api_server_cpu_ms: f64,
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.0}/s at {:.2} ms", self.per_second, self.api_server_cpu_ms)
    }
}

impl Writer {
    /// Makes the objects.
    pub fn new(world: &World, template: &Template, kind: Kind) -> Result<Self, String> {
        if kind == Kind::Permissive {
            world.control_plane.apply_yaml(PERMISSIVE_CRD)?;
            world.kubectl(&[
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "crd",
                PERMISSIVE_NAME,
            ])?;
        } else {
            world.namespace(NAMESPACE)?;
        }
        let create = |index: usize| {
            let object = json!({
                "apiVersion": kind.api_version(),
                "kind": "ScheduledCall",
                "metadata": {"name": format!("call-{index:07}")},
                "spec": template.spec,
            });
            let created = world.api.create(&kind.collection(), object)?;
            let written: Written = serde_json::from_value(created).map_err(|error| error.to_string())?;
            Ok(Arc::new(Mutex::new(written.metadata)))
        };
        let objects = (0..TASKS).map(create).collect::<Result<_, String>>()?;
        Ok(Self { kind, objects, statuses: [template.claim.clone(), template.record.clone()] })
    }

    /// Writes for a moment, so that what is measured afterwards does not pay for the beginning.
    pub fn warm_up(&self, world: &World) -> Result<(), String> {
        self.measure(world, WARM_UP_IN_FLIGHT, WARM_UP_SECONDS).map(drop)
    }

    /// Writes for so long, so many at a time.
    pub fn measure(&self, world: &World, in_flight: usize, seconds: f64) -> Result<Rate, String> {
        let api_server = world.control_plane.api_server_pid();
        let cpu_before = cpu_ms(api_server)?;
        let start = ticks();
        let tasks = self.objects.iter().take(in_flight).map(|object| {
            let task = Task {
                client: world.api.client().clone(),
                kind: self.kind,
                object: Arc::clone(object),
                statuses: self.statuses.clone(),
            };
            async move {
                let task = tokio::spawn(task.write_until(start, seconds));
                task.await.map_err(|error| error.to_string())?
            }
        });
        let counts = world.api.wait(try_join_all(tasks))?;
        let writes = f64::from(counts.iter().sum::<u32>());

        Ok(Rate {
            per_second: writes / ms_since(start) * 1e3,
            api_server_cpu_ms: (cpu_ms(api_server)? - cpu_before) / writes,
        })
    }

    /// Deletes the objects, so that nobody finds calls in them.
    pub fn clear(self, api: &Api) -> Result<(), String> {
        api.delete_all(&self.kind.collection())
    }
}

/// One that writes, and waits for the answer.
struct Task {
    client: Client,
    kind: Kind,
    object: Arc<Mutex<Metadata>>,
    statuses: [Value; 2],
}

impl Task {
    /// How many writes it made.
    async fn write_until(mut self, start: Instant, seconds: f64) -> Result<u32, String> {
        let mut count = 0;
        while ms_since(start) < seconds * 1e3 {
            self.write(count).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn write(&mut self, count: u32) -> Result<(), String> {
        let metadata = self.object.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let status = &mut self.statuses[usize::from(count % 2 == 1)];
        if let Some(token) = status["attempts"][0].get_mut("token") {
            let length = token.as_str().map_or(0, str::len);
            *token = Value::String(format!("{:0>length$}", metadata.resource_version));
        }
        let path = format!("{}/{}/status?fieldManager=call-operator", self.kind.collection(), metadata.name);
        let body = json!({
            "apiVersion": self.kind.api_version(),
            "kind": "ScheduledCall",
            "metadata": {
                "namespace": NAMESPACE,
                "name": metadata.name,
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
            },
            "status": status,
        });
        let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
        let written: Written = send(&self.client, Method::PUT, &path, body).await?;
        *self.object.lock().unwrap_or_else(PoisonError::into_inner) = written.metadata;
        Ok(())
    }
}

impl Kind {
    fn api_version(self) -> &'static str {
        match self {
            Self::Ours => "call-operator.dev/v1alpha1",
            Self::Permissive => "bench.call-operator.dev/v1alpha1",
        }
    }

    fn collection(self) -> String {
        format!("/apis/{}/namespaces/{NAMESPACE}/scheduledcalls", self.api_version())
    }
}

const PERMISSIVE_NAME: &str = "scheduledcalls.bench.call-operator.dev";

const PERMISSIVE_CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: scheduledcalls.bench.call-operator.dev
spec:
  group: bench.call-operator.dev
  scope: Namespaced
  names: {kind: ScheduledCall, plural: scheduledcalls, singular: scheduledcall}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

//! Bodies of answers: whole ones, and watches, which are taken apart into events.

use super::Failure;
use super::classify::watch_event;
use super::faults::Fault;
use super::state::State;
use bytes::Bytes;
use http::Response;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Body of an answer to the operator.
pub type Answer = UnsyncBoxBody<Bytes, Failure>;

type Frames = mpsc::Sender<Result<Frame<Bytes>, Failure>>;

/// How long after an event was swallowed the watch is told that the history is lost.
const COMPACTED: Duration = Duration::from_secs(2);

/// A body that is known.
pub fn whole(body: Bytes) -> Answer {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// The answer to a watch, event by event.
pub fn watched(answer: Response<Incoming>, resource: String, state: State) -> Response<Answer> {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let (frames, receiver) = mpsc::channel(16);
    tokio::spawn(async move { relay(body, &resource, &state, &frames).await });
    Response::from_parts(parts, StreamBody::new(ReceiverStream::new(receiver)).boxed_unsync())
}

/// Relays events until either side ends, or harm is done.
async fn relay(mut body: Incoming, resource: &str, state: &State, frames: &Frames) {
    let mut silence = state.silence();
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            _ = silence.changed() => return frames.closed().await,
            () = frames.closed() => return,
        };
        let Some(Ok(frame)) = frame else { return };
        let Ok(data) = frame.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            let Some(name) = watch_event(resource, &line) else { continue };
            state.passage().await;
            if frames.is_closed() {
                return;
            }
            match state.arrive("event", &name).1 {
                None => {}
                Some(Fault::Cut) => return,
                Some(Fault::Swallow) => {
                    tokio::spawn(expire(frames.clone()));
                    continue;
                }
                Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
                Some(_) => match state.crash(&name).await {},
            }
            if frames.send(Ok(Frame::data(line.into()))).await.is_err() {
                return;
            }
        }
    }
}

/// Ends a watch as an API server does whose history does not reach back far enough.
async fn expire(frames: Frames) {
    tokio::time::sleep(COMPACTED).await;
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    });
    let event = format!("{}\n", json!({ "type": "ERROR", "object": status }));
    frames.send(Ok(Frame::data(event.into()))).await.ok();
}

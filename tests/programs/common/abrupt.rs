//! A TCP stream that can be told to end with a reset instead of an orderly close.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Set to have the connection reset when it ends.
#[derive(Clone, Default)]
pub struct Reset(Arc<AtomicBool>);

impl Reset {
    /// Whoever is at the other end gets a reset.
    pub fn on_close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The stream.
pub struct Abrupt {
    stream: TcpStream,
    reset: Reset,
}

impl Abrupt {
    /// Wraps a stream; `reset` decides how it ends.
    pub fn new(stream: TcpStream, reset: Reset) -> Self {
        stream.set_nodelay(true).ok();
        Self { stream, reset }
    }

    fn is_reset(&self) -> bool {
        self.reset.0.load(Ordering::Relaxed)
    }
}

impl Drop for Abrupt {
    fn drop(&mut self) {
        if self.is_reset() {
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Abrupt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Abrupt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_reset() {
            // An orderly end first would spoil the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

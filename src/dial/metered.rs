//! A stream from which only so much can be read for each request.
//!
//! Promise: whatever an answer is made of (headers, early hints, body), reading it ends. The limits of the HTTP library
//! are for each part and leave room for parts without end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much may still be read; shared by the stream and whoever sends the next request on it.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// From now on, so many bytes.
    pub fn renew(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A stream with an allowance.
#[derive(Debug)]
pub struct Metered<S> {
    stream: S,
    allowance: Allowance,
}

impl<S> Metered<S> {
    /// `stream`, as far as `allowance` goes.
    pub fn new(stream: S, allowance: Allowance) -> Self {
        Self { stream, allowance }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let taken = buffer.filled().len() - before;
        let left = &self.allowance.0;
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(taken)).is_err() {
            return Poll::Ready(Err(io::Error::other("the answer is too long")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn reading_ends_at_the_allowance_and_goes_on_when_it_is_renewed() {
        let allowance = Allowance::default();
        let mut stream = Metered::new(tokio::io::repeat(b'x'), allowance.clone());
        let mut buffer = [0; 10];
        allowance.renew(10);
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 10);
        assert!(stream.read(&mut buffer).await.is_err());
        allowance.renew(25);
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 10);
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 10);
        assert!(stream.read(&mut buffer).await.is_err());
    }
}

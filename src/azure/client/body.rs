//! Reads bodies up to a limit, while they come: a body without end must not fill the memory.

use azure_core::{Bytes, http::AsyncResponseBody};
use futures_core::Stream;
use std::pin::Pin;

/// Maximum bytes of one resource or operation. Azure's own answers are some kilobytes.
pub(super) const MAXIMUM: usize = 4 * 1024 * 1024;
/// Maximum bytes of an error body that are read; the rest is discarded.
pub(super) const MAXIMUM_OF_REFUSAL: usize = 64 * 1024;

/// The next chunk, as it comes from the wire.
pub(super) async fn next(body: &mut AsyncResponseBody) -> azure_core::Result<Option<Bytes>> {
    std::future::poll_fn(|context| Pin::new(&mut *body).poll_next(context))
        .await
        .transpose()
}

/// The body up to `maximum` bytes, and whether that is the whole of it.
pub(super) async fn start_of(
    body: &mut AsyncResponseBody,
    maximum: usize,
) -> azure_core::Result<(Bytes, bool)> {
    let Some(mut first) = next(body).await? else {
        return Ok((Bytes::new(), true));
    };
    if first.len() > maximum {
        return Ok((first.split_to(maximum), false));
    }
    // Most bodies are one chunk, which is not copied.
    let Some(second) = next(body).await? else {
        return Ok((first, true));
    };
    let mut read = first.to_vec();
    let mut chunk = Some(second);
    while let Some(piece) = chunk {
        let room = maximum.saturating_sub(read.len());
        if piece.len() > room {
            read.extend_from_slice(&piece[..room]);
            return Ok((read.into(), false));
        }
        read.extend_from_slice(&piece);
        chunk = next(body).await?;
    }
    Ok((read.into(), true))
}

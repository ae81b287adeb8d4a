//! Paths as the route table knows them. The Functions host passes a path on as the client wrote it, in any letter case
//! and perhaps with a trailing slash, while axum's routes compare letter by letter.

use axum::{
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};

/// The path as the client wrote it: relative links of a page depend on its trailing slash.
#[derive(Debug, Clone)]
pub(super) struct AsWritten(pub String);

/// The layer before the routes: the path in lower case, without trailing slashes.
pub(super) async fn normalized(mut request: Request) -> Request {
    let written = request.uri().path().to_owned();
    *request.uri_mut() = uri(request.uri(), &written);
    request.extensions_mut().insert(AsWritten(written));
    request
}

/// An address with this path, normalized.
pub(super) fn uri(uri: &Uri, path: &str) -> Uri {
    let mut path = path.trim_end_matches('/').to_ascii_lowercase();
    if path.is_empty() {
        path.push('/');
    }
    if let Some(query) = uri.query() {
        path = format!("{path}?{query}");
    }
    let mut parts = uri.clone().into_parts();
    match PathAndQuery::try_from(path) {
        Ok(path) => parts.path_and_query = Some(path),
        Err(_) => return uri.clone(),
    }
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_table() {
        for (written, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/API/PacketCaptures", "/api/packetcaptures"),
            ("/api/PacketCaptures/", "/api/packetcaptures"),
            (
                "/api/PacketCaptures//?Code=K3y",
                "/api/packetcaptures?Code=K3y",
            ),
            ("/api/%C3%84", "/api/%c3%84"),
            ("http://127.0.0.1:1/X/", "http://127.0.0.1:1/x"),
        ] {
            let written: Uri = written.parse().unwrap();
            assert_eq!(uri(&written, written.path()), expected, "{written}");
        }
    }
}

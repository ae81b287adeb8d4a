//! Telling somebody how a capture ended. For now that is a line in the log.

/// What there is to tell about one capture. Which job and which machine, the span around it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A whole sentence.
    pub message: String,
    /// The error code of a failure.
    pub failure: Option<String>,
}

/// Tells it: information when all is well, an error when evidence is missing.
pub fn tell(notice: &Notice) {
    match &notice.failure {
        None => tracing::info!("{}", notice.message),
        Some(code) => tracing::error!(error.code = code, "{}", notice.message),
    }
}

//! Telling somebody how a capture ended. For now that is a line in the log.

/// What there is to tell about one capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub job_id: String,
    pub target: String,
    /// A whole sentence.
    pub message: String,
    /// The error code of a failure.
    pub failure: Option<String>,
}

/// Tells it: information when all is well, an error when evidence is missing.
pub fn tell(notice: &Notice) {
    let Notice {
        job_id,
        target,
        message,
        failure,
    } = notice;
    match failure {
        None => tracing::info!(job.id = job_id, resource.id = target, "{message}"),
        Some(code) => tracing::error!(
            job.id = job_id,
            resource.id = target,
            error.code = code,
            "{message}"
        ),
    }
}

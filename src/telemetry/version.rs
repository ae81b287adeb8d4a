//! Version and commit of this executable, so that a log, a page or a shell on an instance says which build runs.

use std::sync::LazyLock;

/// The commit that was built, set by `deploy/package.sh`. `None` in other builds: a commit that Cargo had to know would
/// compile everything again after each one.
const COMMIT: Option<&str> = option_env!("HANDLER_COMMIT");

static VERSION: LazyLock<String> =
    LazyLock::new(|| describe(env!("CARGO_PKG_VERSION"), COMMIT.unwrap_or_default()));

/// Version and commit, such as `0.1.0 (commit 0613952a1b2c)`.
pub fn version() -> &'static str {
    &VERSION
}

fn describe(version: &str, commit: &str) -> String {
    let commit = match commit {
        "" => "unknown",
        known => known,
    };
    format!("{version} (commit {commit})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_commit_says_so() {
        for (commit, expected) in [
            ("0613952a1b2c", "0.1.0 (commit 0613952a1b2c)"),
            (
                "0613952a1b2c-modified",
                "0.1.0 (commit 0613952a1b2c-modified)",
            ),
            ("", "0.1.0 (commit unknown)"),
        ] {
            assert_eq!(describe("0.1.0", commit), expected);
        }
    }
}

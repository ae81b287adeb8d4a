//! Sorts the errors of `azure_core`'s pipeline: a refused token and a lost connection come out of the same call.

use crate::{
    azure::{
        error::{self, Failure},
        sign_in::{SignIn, Trouble},
    },
    text,
};
use azure_core::error::ErrorKind;
use std::sync::Arc;
use url::Url;

/// Maximum digits of a code of Entra's; today's have up to seven.
const MAXIMUM_DIGITS: usize = 10;

/// The failure behind an error. `url` is what was called: its query may hold a signature, and the pipeline's errors
/// print it.
pub(super) fn failure_of(error: azure_core::Error, url: Option<&Url>, sign_in: &SignIn) -> Failure {
    let sent = !matches!(error.kind(), ErrorKind::Connection);
    if !matches!(error.kind(), ErrorKind::Credential) {
        return Failure::NoAnswer {
            sent,
            source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                without_query(&error, url),
            )),
        };
    }
    no_token(sign_in, error)
}

/// The causes in one line, without the query of this URL. The query goes first: what is left of a truncated one could not
/// be found.
fn without_query(error: &dyn std::error::Error, url: Option<&Url>) -> String {
    let said = error::causes(error);
    let said = match url.and_then(Url::query) {
        Some(query) => said.replace(&format!("?{query}"), ""),
        None => said,
    };
    text::clean(&said, text::MESSAGE).into_owned()
}

fn no_token(sign_in: &SignIn, error: azure_core::Error) -> Failure {
    let said = error::causes(&error);
    let entra = said.find("AADSTS").map(|at| {
        let digits = said[at..].chars().skip(6).take_while(char::is_ascii_digit);
        format!("AADSTS{}", digits.take(MAXIMUM_DIGITS).collect::<String>())
    });
    let trouble = Trouble::within(&error);
    let status = error
        .downcast_ref::<azure_core::Error>()
        .and_then(azure_core::Error::http_status)
        .map(u16::from);
    let temporary = match (status, trouble) {
        (Some(status), _) => error::is_temporary_status(status),
        (None, Some(trouble)) => trouble.is_temporary(),
        (None, None) => entra.is_none(),
    };
    let code = entra.or_else(|| trouble.map(|trouble| trouble.code().to_owned()));
    let message = text::cleaned(&said, text::MESSAGE);
    Failure::NoToken {
        code: (!temporary).then(|| code.unwrap_or_else(|| "TokenRefused".to_owned())),
        message: message.unwrap_or_else(|| "Microsoft Entra ID gave no reason".to_owned()),
        sign_in: *sign_in,
        source: Arc::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_long_query_is_left() {
        let query = format!("s=s1gnature&c=MII{}", "x".repeat(3_500));
        let url = Url::parse(&format!("https://arm.example/operations/1?{query}")).unwrap();
        let error = std::io::Error::other(format!("error sending request for url ({url})"));
        assert_eq!(
            without_query(&error, Some(&url)),
            "error sending request for url (https://arm.example/operations/1)"
        );
        assert_eq!(without_query(&error, None).chars().count(), text::MESSAGE);
    }
}

//! Sorts the errors of `azure_core`'s pipeline: a refused token and a lost connection come out of the same call.

use crate::{
    azure::{
        error::{self, Failure},
        sign_in::{SignIn, Trouble},
    },
    text,
};
use azure_core::error::ErrorKind;
use url::Url;

/// The failure behind an error. `url` is what was called: its query may hold a signature, and the pipeline's errors
/// print it.
pub(super) fn failure_of(error: azure_core::Error, url: Option<&Url>, sign_in: &SignIn) -> Failure {
    let sent = !matches!(error.kind(), ErrorKind::Connection);
    if !matches!(error.kind(), ErrorKind::Credential) {
        return Failure::NoAnswer {
            sent,
            source: without_query(&error, url).into(),
        };
    }
    no_token(sign_in, error)
}

/// The causes in one line, without the query of this URL.
fn without_query(error: &azure_core::Error, url: Option<&Url>) -> String {
    let text = error::chain(error);
    match url.and_then(Url::query) {
        Some(query) => text.replace(&format!("?{query}"), ""),
        None => text,
    }
}

fn no_token(sign_in: &SignIn, error: azure_core::Error) -> Failure {
    let said = error::chain(&error);
    let entra = said.find("AADSTS").map(|at| {
        let digits = said[at..].chars().skip(6).take_while(char::is_ascii_digit);
        format!("AADSTS{}", digits.collect::<String>())
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
        source: error.into(),
    }
}

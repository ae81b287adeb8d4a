//! The whole function in this process, for one drill.

use super::{follow::Function, settings_here};
use crate::{
    app::{App, Pace},
    azure::{error::chain, transport},
    config::AppSettings,
};
use std::{future::Future, net::Ipv4Addr};
use tokio::{net::TcpListener, sync::oneshot};
use url::Url;

/// Runs the function as long as `work` has it.
pub async fn drill<F: Future<Output = Result<bool, String>>>(
    settings: &AppSettings,
    work: impl FnOnce(Function) -> F,
) -> Result<bool, String> {
    let settings = settings_here(settings)?;
    let app = App::build(&settings, &Pace::default()).map_err(|error| chain(&error))?;
    let failed = |error: std::io::Error| format!("could not listen on 127.0.0.1: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let url = Url::parse(&format!("http://{address}")).map_err(|error| error.to_string())?;
    let http = transport::emulator_client().map_err(|error| chain(&error))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(app.serve(listener, async {
        let _ = stopped.await;
    }));
    let done = work(Function::new(http, url, None)).await;
    let _ = stop.send(());
    let _ = served.await;
    done
}

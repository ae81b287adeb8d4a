//! The HTTP server: axum's routes on hyper's connections, with the time limit and the stop that `axum::serve` lacks.

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How long the head of a request may take. hyper counts the time between two requests on a connection too, so this is
/// longer than the Functions host keeps an idle connection (.NET's `PooledConnectionIdleTimeout`, 2 minutes at most):
/// the client closes first, and no request meets a connection that is being closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(150);
/// How long the answer to a finished request may take to be sent once the process stops.
const FLUSH: Duration = Duration::from_millis(200);
/// Pause after a connection could not be accepted: most often there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `stop` says so, then answers the requests that were read. One of which only a part has arrived is
/// closed at once: nothing of it was accepted.
pub async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = async { drop(stopped.wait_for(|stop| *stop).await) } => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!("could not accept a connection: {error}; retrying in {} s", ACCEPT_PAUSE.as_secs());
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let in_progress = InProgress::default();
    let routes = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        let counted = in_progress.clone().count();
        let answer = routes.call(request);
        async move {
            let _counted = counted;
            answer.await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A client that disconnects is no error here.
        _ = connection.as_mut() => return,
        () = async { drop(stop.wait_for(|stop| *stop).await) } => {}
    }
    connection.as_mut().graceful_shutdown();
    // Closes by itself after the last answer, but waits for the rest of a head that has begun.
    while tokio::time::timeout(FLUSH, connection.as_mut())
        .await
        .is_err()
        && in_progress.any()
    {}
}

/// The requests of a connection whose heads were read and that are not answered.
#[derive(Clone, Default)]
struct InProgress(Arc<AtomicUsize>);

impl InProgress {
    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn count(self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }
}

/// One of them.
struct Counted(InProgress);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Notify,
        time::Instant,
    };

    struct Server {
        stop: watch::Sender<bool>,
        served: tokio::task::JoinHandle<()>,
        arrived: Arc<Notify>,
        answer: Arc<Notify>,
        client: TcpStream,
    }

    /// A server whose one route waits for a signal to answer, and a connection to it.
    async fn server() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (seen, go) = (arrived.clone(), answer.clone());
        let router = Router::new().route(
            "/",
            get(async move || {
                seen.notify_one();
                go.notified().await;
                "done"
            }),
        );
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(serve(listener, router, stopped));
        let client = TcpStream::connect(address).await.unwrap();
        Server {
            stop,
            served,
            arrived,
            answer,
            client,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_closed() {
        let mut server = server().await;
        let start = Instant::now();
        server
            .client
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n")
            .await
            .unwrap();
        let mut rest = Vec::new();
        let _ = server.client.read_to_end(&mut rest).await;
        assert!(start.elapsed() >= HEAD_TIMEOUT, "{:?}", start.elapsed());
        assert!(start.elapsed() < 2 * HEAD_TIMEOUT, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_stop_answers_what_was_read_and_waits_for_nothing_else() {
        let mut server = server().await;
        let mut half = TcpStream::connect(server.client.peer_addr().unwrap())
            .await
            .unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        server
            .client
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        server.arrived.notified().await;
        let start = Instant::now();
        server.stop.send_replace(true);
        let mut text = Vec::new();
        let _ = half.read_to_end(&mut text).await;
        assert!(start.elapsed() <= 2 * FLUSH, "{:?}", start.elapsed());
        assert!(!server.served.is_finished(), "one request is not answered");
        server.answer.notify_one();
        let mut text = String::new();
        server.client.read_to_string(&mut text).await.unwrap();
        assert!(
            text.ends_with("done") && text.to_lowercase().contains("connection: close"),
            "{text}"
        );
        server.served.await.unwrap();
    }
}

//! A store that another is behind, and that loses answers, delays them or does not answer.

use super::super::*;
use azure_core::Bytes;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What happens to the next calls, one each.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It is not carried out, and fails.
    Lost,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It is carried out after this time.
    Late(Duration),
}

/// A store with faults.
pub struct Faulty<S> {
    pub store: S,
    /// Writes of these names, by their beginning, meet these faults.
    faults: Mutex<Vec<(&'static str, Fault)>>,
    pub down: AtomicBool,
    pub calls: AtomicUsize,
}

impl<S> Faulty<S> {
    pub fn over(store: S) -> Self {
        Self {
            store,
            faults: Mutex::default(),
            down: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        }
    }

    pub fn fault(&self, prefix: &'static str, fault: Fault) {
        self.faults.lock().unwrap().push((prefix, fault));
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    fn take(&self, name: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults
            .iter()
            .position(|(prefix, _)| name.starts_with(prefix))?;
        Some(faults.remove(at).1)
    }

    fn call(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.down.load(Ordering::Relaxed) {
            true => Err(unavailable()),
            false => Ok(()),
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable {
        tried: "reach the store",
        store: "test".to_owned(),
        status: None,
        source: "connection reset".into(),
    }
}

#[async_trait::async_trait]
impl<S: Store> Store for Faulty<S> {
    async fn read(&self, name: &str) -> Result<Option<Stored>, StoreError> {
        self.call()?;
        // As over a network: others have their turn.
        tokio::task::yield_now().await;
        self.store.read(name).await
    }

    async fn write(
        &self,
        name: &str,
        body: Bytes,
        summary: Option<&str>,
        condition: Condition,
    ) -> Result<Etag, StoreError> {
        self.call()?;
        tokio::task::yield_now().await;
        match self.take(name) {
            None => self.store.write(name, body, summary, condition).await,
            Some(Fault::Lost) => Err(unavailable()),
            Some(Fault::AnswerLost) => {
                self.store.write(name, body, summary, condition).await?;
                Err(unavailable())
            }
            Some(Fault::Late(wait)) => {
                tokio::time::sleep(wait).await;
                self.store.write(name, body, summary, condition).await
            }
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, StoreError> {
        self.call()?;
        self.store.list(prefix, after, most).await
    }

    async fn remove(&self, name: &str, unchanged: Option<&Etag>) -> Result<(), StoreError> {
        self.call()?;
        self.store.remove(name, unchanged).await
    }

    fn is_durable(&self) -> bool {
        self.store.is_durable()
    }
}

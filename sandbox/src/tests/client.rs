//! A plain HTTPS client that trusts the sandbox's CA and nothing else.

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::super::{Options, Sandbox, samples};

pub(super) const NETWORK: &str = "api-version=2025-05-01";

pub(super) struct Client {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    pub token: String,
}

pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Client {
    pub async fn start(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        samples::populate(&sandbox);
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .build()
            .unwrap();
        let mut client = Self {
            sandbox,
            http,
            token: String::new(),
        };
        let reply = client.sign_in(samples::CLIENT_SECRET).await;
        client.token = reply.json()["access_token"].as_str().unwrap().to_owned();
        client
    }

    pub async fn sign_in(&self, secret: &str) -> Reply {
        let scope = format!("{}/.default", self.sandbox.endpoint());
        self.sign_in_to(&scope, secret).await
    }

    async fn sign_in_to(&self, scope: &str, secret: &str) -> Reply {
        let endpoint = self.sandbox.endpoint();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", samples::CLIENT_ID)
            .append_pair("client_secret", secret)
            .append_pair("scope", scope)
            .finish();
        let url = format!("{endpoint}/{}/oauth2/v2.0/token", samples::TENANT_ID);
        let sent = self.http.post(url).body(form).send().await.unwrap();
        reply(sent).await
    }

    /// A token for storage accounts.
    pub async fn storage_token(&self) -> String {
        let scope = "https://storage.azure.com/.default";
        let reply = self.sign_in_to(scope, samples::CLIENT_SECRET).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A call to a storage account, with nothing but these headers.
    pub async fn storage(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Reply {
        let url = format!("{}{path}", self.sandbox.endpoint());
        let writes = method == Method::PUT;
        let mut request = self.http.request(method, url);
        request = request.header("x-ms-version", "2026-04-06");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if writes {
            request = request.body(body);
        }
        reply(request.send().await.unwrap()).await
    }

    pub async fn try_send(
        &self,
        method: Method,
        url: &str,
        body: Option<Value>,
    ) -> reqwest::Result<Reply> {
        let url = match url.starts_with('/') {
            true => format!("{}{url}", self.sandbox.endpoint()),
            false => url.to_owned(),
        };
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        } else {
            // By itself the client sends no length for an empty body.
            request = request.header("content-length", "0");
        }
        Ok(reply(request.send().await?).await)
    }

    pub async fn send(&self, method: Method, url: &str, body: Option<Value>) -> Reply {
        self.try_send(method, url, body).await.unwrap()
    }

    pub async fn get(&self, url: &str) -> Reply {
        self.send(Method::GET, url, None).await
    }

    pub async fn put(&self, name: &str) -> Reply {
        self.send(Method::PUT, &capture(name, ""), Some(body()))
            .await
    }
}

async fn reply(response: reqwest::Response) -> Reply {
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

pub(super) fn capture(name: &str, action: &str) -> String {
    format!(
        "{}/packetCaptures/{name}{action}?{NETWORK}",
        samples::WATCHER_WESTEUROPE
    )
}

pub(super) fn body() -> Value {
    json!({"properties": {
        "target": samples::WEB_01,
        "storageLocation": {"storageId": samples::STORAGE_ACCOUNT},
        "timeLimitInSeconds": 10,
    }})
}

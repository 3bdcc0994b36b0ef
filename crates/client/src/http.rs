//! One request, one answer.

use crate::error::{distrust, root_cause};
use crate::{Client, ClientError, Credential};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_api::{ErrorBody, ErrorInfo};
use std::time::Duration;

/// An answer comes from the server's own record, so this is long.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

impl Client {
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        self.call(Method::GET, path, query, None::<&()>).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        self.call(Method::POST, path, &[], body).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let what = describe(&method, path);
        let response = self.send(method, path, query, body).await?;
        self.read(&what, response).await
    }

    /// Sends a request and returns its answer, whose status is below 300.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Response, ClientError> {
        let what = describe(&method, path);
        let mut request = self.request(method, path, query).timeout(ANSWER_LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.lost(&what, &error))?;
        self.accept(&what, response).await
    }

    /// A request with its credential, without body and limit.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
    ) -> RequestBuilder {
        let safe = method == Method::GET;
        let mut request = self.http.request(method, self.address(path, query));
        if !safe {
            // A page of another site can make a browser send the cookie, but not this header.
            request = request.header("X-Salar-Request", "1");
        }
        match &self.credential {
            Credential::None => request,
            Credential::Token(token) => request.bearer_auth(token),
            Credential::Session(cookie) => request.header(header::COOKIE, cookie),
        }
    }

    fn address(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("http and https addresses have a path")
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Passes an answer of success on and reads the error of any other.
    pub(crate) async fn accept(
        &self,
        what: &str,
        response: Response,
    ) -> Result<Response, ClientError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response
            .bytes()
            .await
            .map_err(|error| self.lost(what, &error))?;
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(ErrorBody { error: info }) => Err(ClientError::Refused {
                status: status.as_u16(),
                info,
            }),
            Err(_) if status == StatusCode::UNAUTHORIZED => Err(ClientError::Refused {
                status: 401,
                info: not_signed_in(),
            }),
            Err(error) => Err(self.not_ours(what, status, error.to_string())),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        response: Response,
    ) -> Result<T, ClientError> {
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| self.lost(what, &error))?;
        serde_json::from_slice(&body)
            .map_err(|error| self.not_ours(what, status, error.to_string()))
    }

    fn not_ours(&self, what: &str, status: StatusCode, reason: String) -> ClientError {
        let url = self.url().to_owned();
        ClientError::NotOurs {
            url,
            what: what.to_owned(),
            status: status.as_u16(),
            reason,
        }
    }

    /// The request did not get an answer.
    pub(crate) fn lost(&self, what: &str, error: &reqwest::Error) -> ClientError {
        let url = self.url().to_owned();
        if error.is_timeout() && !error.is_connect() {
            return ClientError::TimedOut {
                url,
                what: what.to_owned(),
            };
        }
        if let Some(reason) = distrust(error) {
            return ClientError::Untrusted { url, reason };
        }
        ClientError::Unreachable {
            url,
            reason: root_cause(error),
            local: self.is_local(),
        }
    }
}

/// `GET /api/v1/vms`, for messages.
pub(crate) fn describe(method: &Method, path: &[&str]) -> String {
    format!("{method} /api/v1/{}", path.join("/"))
}

fn not_signed_in() -> ErrorInfo {
    ErrorInfo {
        code: "not_signed_in".to_owned(),
        message: "the server does not know who is asking".to_owned(),
        hint: Some("sign in: salar login URL".to_owned()),
        field: None,
        request_id: String::new(),
    }
}

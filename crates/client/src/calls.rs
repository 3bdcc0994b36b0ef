//! Every endpoint that the command line uses, one method each.

use crate::{Client, ClientError, Credential, ListQuery};
use reqwest::{Method, header};
use server_api::about::{About, Server};
use server_api::access::{NewPassword, NewUser, Session, SignIn, User};
use server_api::action::{Accepted, Action};
use server_api::host::{Host, NewHost, ShownHost, WhichHost};
use server_api::key::{CreatedJoinToken, JoinToken, Key, Keys, NewJoinToken};
use server_api::network::Network;
use server_api::pool::Pool;
use server_api::run::{Job, JobSummary, RunRequest};
use server_api::vm::{Vm, VmDetail, VmRequest, VmXml};
use uuid::Uuid;

const NOTHING: Option<&()> = None;

/// A life-cycle request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmCall {
    /// Start.
    Start,
    /// Ask the guest to shut down.
    Shutdown,
    /// Ask the guest to reboot.
    Reboot,
    /// Cut the power.
    ForceOff,
    /// Press the reset button.
    Reset,
    /// Stop its CPUs.
    Pause,
    /// Let its CPUs go on.
    Resume,
    /// Write its memory to disk and stop it.
    Save,
}

impl VmCall {
    /// The last part of the endpoint's path, and the name in [`server_api::vm::AllowedAction`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::ForceOff => "force_off",
            Self::Reset => "reset",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Save => "save",
        }
    }
}

/// Server and access.
impl Client {
    /// Version and build of the server.
    pub async fn about(&self) -> Result<About, ClientError> {
        self.get(&["about"], &[]).await
    }

    /// Signs in; the cookie of the new session is in the credential.
    pub async fn sign_in(&self, sign_in: &SignIn) -> Result<(Session, Credential), ClientError> {
        let response = self
            .send(Method::POST, &["session"], &[], Some(sign_in))
            .await?;
        let cookie = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("; ");
        let credential = if cookie.is_empty() {
            Credential::None
        } else {
            Credential::Session(cookie)
        };
        let signed_in = Self {
            credential: credential.clone(),
            ..self.clone()
        };
        Ok((signed_in.session().await?, credential))
    }

    /// Who is signed in.
    pub async fn session(&self) -> Result<Session, ClientError> {
        self.get(&["session"], &[]).await
    }

    /// Ends the session.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.send(Method::DELETE, &["session"], &[], NOTHING)
            .await
            .map(drop)
    }

    /// The servers that share the database.
    pub async fn servers(&self) -> Result<Vec<Server>, ClientError> {
        self.get(&["servers"], &[]).await
    }

    /// All users.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        self.get(&["users"], &[]).await
    }

    /// Makes a user.
    pub async fn create_user(&self, user: &NewUser) -> Result<User, ClientError> {
        self.post(&["users"], Some(user)).await
    }

    /// Removes a user.
    pub async fn delete_user(&self, name: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, &["users", name], &[], NOTHING)
            .await
            .map(drop)
    }

    /// The keys that agents have shown.
    pub async fn keys(&self) -> Result<Keys, ClientError> {
        self.get(&["keys"], &[]).await
    }

    /// Accepts the key of that fingerprint.
    pub async fn accept_key(&self, fingerprint: &str) -> Result<Key, ClientError> {
        self.post(&["keys", fingerprint, "accept"], NOTHING).await
    }

    /// Rejects the key of that fingerprint.
    pub async fn reject_key(&self, fingerprint: &str) -> Result<Key, ClientError> {
        self.post(&["keys", fingerprint, "reject"], NOTHING).await
    }

    /// Forgets the key of that fingerprint.
    pub async fn delete_key(&self, fingerprint: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, &["keys", fingerprint], &[], NOTHING)
            .await
            .map(drop)
    }

    /// The tokens to join that can still be used.
    pub async fn join_tokens(&self) -> Result<Vec<JoinToken>, ClientError> {
        self.get(&["join_tokens"], &[]).await
    }

    /// Makes a token to join.
    pub async fn create_join_token(
        &self,
        wanted: &NewJoinToken,
    ) -> Result<CreatedJoinToken, ClientError> {
        self.post(&["join_tokens"], Some(wanted)).await
    }

    /// Makes a token to join worthless.
    pub async fn delete_join_token(&self, id: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, &["join_tokens", id], &[], NOTHING)
            .await
            .map(drop)
    }

    /// Sets a user's password.
    pub async fn set_password(
        &self,
        name: &str,
        password: &NewPassword,
    ) -> Result<(), ClientError> {
        let path = ["users", name, "password"];
        self.send(Method::PUT, &path, &[], Some(password))
            .await
            .map(drop)
    }
}

/// Inventory.
impl Client {
    /// Hosts.
    pub async fn hosts(&self, query: &ListQuery) -> Result<Vec<Host>, ClientError> {
        self.list(&["hosts"], query, usize::MAX).await
    }

    /// One host.
    pub async fn host(&self, id: Uuid) -> Result<Host, ClientError> {
        self.get(&["hosts", &id.to_string()], &[]).await
    }

    /// The keys that a host shows over ssh.
    pub async fn host_keys(&self, which: &WhichHost) -> Result<ShownHost, ClientError> {
        self.post(&["host_keys"], Some(which)).await
    }

    /// Adds a host that has no agent of its own.
    pub async fn add_host(&self, new: &NewHost) -> Result<Host, ClientError> {
        self.post(&["hosts"], Some(new)).await
    }

    /// Removes a host with everything on it.
    pub async fn remove_host(&self, id: Uuid) -> Result<(), ClientError> {
        self.send(Method::DELETE, &["hosts", &id.to_string()], &[], NOTHING)
            .await
            .map(drop)
    }

    /// VMs.
    pub async fn vms(&self, query: &ListQuery) -> Result<Vec<Vm>, ClientError> {
        self.list(&["vms"], query, usize::MAX).await
    }

    /// One VM with all its facts.
    pub async fn vm(&self, id: Uuid) -> Result<VmDetail, ClientError> {
        self.get(&["vms", &id.to_string()], &[]).await
    }

    /// Both definitions of a VM.
    pub async fn vm_xml(&self, id: Uuid) -> Result<VmXml, ClientError> {
        self.get(&["vms", &id.to_string(), "xml"], &[]).await
    }

    /// Asks for a change of a VM's life.
    pub async fn call_vm(
        &self,
        id: Uuid,
        call: VmCall,
        body: &VmRequest,
    ) -> Result<Action, ClientError> {
        let path = ["vms", &id.to_string(), call.as_str()];
        let accepted: Accepted = self.post(&path, Some(body)).await?;
        Ok(accepted.action)
    }

    /// Storage pools.
    pub async fn pools(&self, query: &ListQuery) -> Result<Vec<Pool>, ClientError> {
        self.list(&["pools"], query, usize::MAX).await
    }

    /// Virtual networks.
    pub async fn networks(&self, query: &ListQuery) -> Result<Vec<Network>, ClientError> {
        self.list(&["networks"], query, usize::MAX).await
    }
}

/// Actions and jobs.
impl Client {
    /// The first `most` actions, newest first unless the query says otherwise.
    pub async fn actions(
        &self,
        query: &ListQuery,
        most: usize,
    ) -> Result<Vec<Action>, ClientError> {
        self.list(&["actions"], query, most).await
    }

    /// One action.
    pub async fn action(&self, id: Uuid) -> Result<Action, ClientError> {
        self.get(&["actions", &id.to_string()], &[]).await
    }

    /// Withdraws an action that has not begun, or asks its host to stop it.
    pub async fn cancel_action(&self, id: Uuid) -> Result<Action, ClientError> {
        let path = ["actions", &id.to_string(), "cancel"];
        let accepted: Accepted = self.post(&path, NOTHING).await?;
        Ok(accepted.action)
    }

    /// Asks for an action again whose outcome is not known or which failed.
    pub async fn retry_action(&self, id: Uuid) -> Result<Action, ClientError> {
        let path = ["actions", &id.to_string(), "retry"];
        let accepted: Accepted = self.post(&path, NOTHING).await?;
        Ok(accepted.action)
    }

    /// Names of the hosts that a target matches.
    pub async fn targets(&self, kind: &str, target: &str) -> Result<Vec<String>, ClientError> {
        let query = [
            ("target", target.to_owned()),
            ("target_kind", kind.to_owned()),
        ];
        self.get(&["targets"], &query).await
    }

    /// Calls a function on every host that its target matches.
    pub async fn run(&self, request: &RunRequest) -> Result<Job, ClientError> {
        self.post(&["runs"], Some(request)).await
    }

    /// Jobs, the newest first; only those with an action that has not ended if `open`.
    pub async fn jobs(&self, open: bool, most: u32) -> Result<Vec<JobSummary>, ClientError> {
        let query = [("open", open.to_string()), ("limit", most.to_string())];
        self.get(&["runs"], &query).await
    }

    /// Withdraws what of a job has not begun, and asks for the end of the rest.
    pub async fn cancel_job(&self, jid: Uuid) -> Result<Job, ClientError> {
        self.post(&["runs", &jid.to_string(), "cancel"], NOTHING)
            .await
    }

    /// A job and its actions as they are now.
    pub async fn job(&self, jid: Uuid) -> Result<Job, ClientError> {
        self.get(&["runs", &jid.to_string()], &[]).await
    }
}

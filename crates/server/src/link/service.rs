//! The gRPC service that agents call.

use super::door::Peer;
use super::files;
use super::keys::{self, Admitted};
use super::session::{self, Session};
use super::tunnel::{Tunnel, chunk};
use crate::app::App;
use agent_api::wire::agent_link_server::AgentLink;
use agent_api::wire::{Down, FileChunk, FilesRequest, Tree, TreeRequest, TunnelChunk, Up, up};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// How long the first message of a call may take.
const GREETING: Duration = Duration::from_secs(10);
/// Messages on their way to an agent that reads slowly; when there are more the session waits, then ends.
const DOWN: usize = 256;
/// Chunks on their way to a console; when there are more, its browser is not read.
const CHUNKS: usize = 16;

/// Chunks of files on their way to an agent that reads slowly.
const FILE_CHUNKS: usize = 4;
/// Said to the server's own agent, which reads the server's folders itself.
const OWN_AGENT: &str = "files and pillar are for agents of other machines";

/// The link.
#[derive(Clone)]
pub struct Link(pub Arc<App>);

impl Link {
    /// The key that a caller comes with; `None` for the server's own agent, whose socket is for its owner only.
    async fn admit<T: Sync>(&self, request: &Request<T>) -> Result<Option<Admitted>, Status> {
        match request.extensions().get::<Peer>() {
            Some(peer) => keys::admit(&self.0, *peer).await.map(Some),
            None => Ok(None),
        }
    }
}

#[tonic::async_trait]
impl AgentLink for Link {
    type AttachStream = BoxStream<'static, Result<Down, Status>>;
    type TunnelStream = BoxStream<'static, Result<TunnelChunk, Status>>;
    type GetFilesStream = BoxStream<'static, Result<FileChunk, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<Up>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let admitted = self.admit(&request).await?;
        let who = match &admitted {
            Some(admitted) => format!(
                "{} with the key {}",
                admitted.key.name, admitted.key.fingerprint
            ),
            None => "an agent of the server's own".to_owned(),
        };
        let mut up = request.into_inner();
        let (down, out) = mpsc::channel(DOWN);
        let app = self.0.clone();
        tokio::spawn(async move {
            let Ok(Ok(Some(Up {
                body: Some(up::Body::Hello(hello)),
            }))) = tokio::time::timeout(GREETING, up.message()).await
            else {
                let _ = down
                    .send(Err(Status::invalid_argument(
                        "the first message is not Hello",
                    )))
                    .await;
                return;
            };
            match Session::open(app, admitted, hello, down.clone()).await {
                Ok(session) => session.run(up).await,
                Err(refusal) => session::refuse(&who, &down, refusal).await,
            }
        });
        Ok(Response::new(ReceiverStream::new(out).boxed()))
    }

    async fn tunnel(
        &self,
        request: Request<Streaming<TunnelChunk>>,
    ) -> Result<Response<Self::TunnelStream>, Status> {
        let peer = request.extensions().get::<Peer>();
        let key = peer.and_then(|peer| peer.key);
        let admitted = match key.is_some_and(|key| self.0.replicas.knows(&key)) {
            // Another server passes on what its agent shows. It has been told the id, which nobody can guess.
            true => None,
            false => self.admit(&request).await?,
        };
        let mut chunks = request.into_inner();
        let first = tokio::time::timeout(GREETING, chunks.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no first chunk"))??
            .ok_or_else(|| Status::invalid_argument("no first chunk"))?;
        let id = agent_api::uuid("tunnel_id", &first.tunnel_id)
            .map_err(|e| Status::invalid_argument(e.to_string()))?;
        let (to_vm, data) = mpsc::channel(CHUNKS);
        let rest = chunks
            .take_while(|chunk| std::future::ready(chunk.is_ok()))
            .filter_map(|chunk| std::future::ready(chunk.ok().map(|chunk| chunk.data)));
        let head = futures_util::stream::iter((!first.data.is_empty()).then_some(first.data));
        let host = admitted.as_ref().map(|admitted| admitted.key.host);
        let revoked = admitted
            .map(|admitted| admitted.revoked)
            .unwrap_or_default();
        let tunnel = Tunnel {
            from_vm: head
                .chain(rest)
                .take_until(revoked.clone().cancelled_owned())
                .boxed(),
            to_vm,
        };
        if !self.0.tunnels.opened(host, id, tunnel) {
            return Err(Status::not_found("nobody waits for this tunnel"));
        }
        let out = ReceiverStream::new(data)
            .take_until(revoked.cancelled_owned())
            .map(|data| Ok(chunk(data)));
        Ok(Response::new(out.boxed()))
    }

    async fn get_tree(&self, request: Request<TreeRequest>) -> Result<Response<Tree>, Status> {
        let admitted = self.admit(&request).await?;
        let admitted = admitted.ok_or_else(|| Status::failed_precondition(OWN_AGENT))?;
        let answer = files::tree(&self.0, admitted.key.host, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn get_files(
        &self,
        request: Request<FilesRequest>,
    ) -> Result<Response<Self::GetFilesStream>, Status> {
        let admitted = self.admit(&request).await?;
        let admitted = admitted.ok_or_else(|| Status::failed_precondition(OWN_AGENT))?;
        let (sender, chunks) = mpsc::channel(FILE_CHUNKS);
        let wanted = request.into_inner().sha256;
        tokio::spawn(files::send(self.0.clone(), wanted, sender));
        let out = ReceiverStream::new(chunks).take_until(admitted.revoked.cancelled_owned());
        Ok(Response::new(out.boxed()))
    }
}

//! Graphical consoles: bytes between the hypervisor and the server, each console on a stream of its own.

use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::wire::{self, up};
use hypervisor::{Console, Hypervisor};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

/// Largest piece of a console's stream.
const CHUNK: usize = 32 * 1024;
/// Pieces on their way to the server; when it is full the console waits, as any slow viewer makes it.
const QUEUE: usize = 16;

/// Opens consoles.
#[derive(Clone)]
pub struct Tunnels {
    hypervisor: Arc<dyn Hypervisor>,
    outgoing: mpsc::Sender<up::Body>,
}

impl Tunnels {
    /// Consoles of `hypervisor`; failures are told through `outgoing`.
    pub fn new(hypervisor: Arc<dyn Hypervisor>, outgoing: mpsc::Sender<up::Body>) -> Self {
        Self {
            hypervisor,
            outgoing,
        }
    }

    /// Opens a console and copies until either side ends it. Returns at once.
    pub fn open(&self, client: AgentLinkClient<Channel>, open: wire::OpenTunnel) {
        let tunnels = self.clone();
        tokio::spawn(async move {
            let tunnel_id = open.tunnel_id.clone();
            if let Err(error) = tunnels.serve(client, open).await {
                let failed = wire::TunnelFailed { tunnel_id, error };
                // Without a link there is nobody to tell.
                let _ = tunnels.outgoing.send(up::Body::TunnelFailed(failed)).await;
            }
        });
    }

    async fn serve(
        &self,
        mut client: AgentLinkClient<Channel>,
        open: wire::OpenTunnel,
    ) -> Result<(), String> {
        let vm = agent_api::uuid("open_tunnel.vm_uuid", &open.vm_uuid)
            .map_err(|error| error.to_string())?;
        let console = self
            .hypervisor
            .open_vnc(vm)
            .await
            .map_err(|error| error.to_string())?;
        let (sender, chunks) = mpsc::channel(QUEUE);
        let first = wire::TunnelChunk {
            tunnel_id: open.tunnel_id,
            data: Vec::new(),
        };
        sender
            .try_send(first)
            .expect("the channel is new and empty");
        let answer = client.tunnel(ReceiverStream::new(chunks)).await;
        let incoming = answer
            .map_err(|status| status.message().to_owned())?
            .into_inner();
        copy(console, sender, incoming).await;
        Ok(())
    }
}

/// Copies both ways. The end of either way ends both: a console is of no use to one side alone.
async fn copy(
    console: Box<dyn Console>,
    sender: mpsc::Sender<wire::TunnelChunk>,
    mut incoming: tonic::Streaming<wire::TunnelChunk>,
) {
    let (mut reader, mut writer) = tokio::io::split(console);
    let to_server = async {
        let mut buffer = vec![0; CHUNK];
        while let Ok(read @ 1..) = reader.read(&mut buffer).await {
            let chunk = wire::TunnelChunk {
                tunnel_id: Vec::new(),
                data: buffer[..read].to_vec(),
            };
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
    };
    let from_server = async {
        while let Ok(Some(chunk)) = incoming.message().await {
            if writer.write_all(&chunk.data).await.is_err() {
                break;
            }
        }
        let _ = writer.shutdown().await;
    };
    // Cancel safety: whichever way is dropped, the console is closed behind it.
    tokio::select! {
        () = to_server => {}
        () = from_server => {}
    }
}

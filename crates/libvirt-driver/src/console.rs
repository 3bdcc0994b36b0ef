//! Opening a VM's VNC console: through libvirtd where it is on this machine, through ssh where the host is reached over
//! it, over TCP otherwise.

use crate::connection::Connector;
use crate::failure::{Failure, Result};
use crate::ffi;
use crate::read::vm::find_domain;
use hypervisor::{Console, Key, Reason};
use model::uri::Authority;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use uuid::Uuid;
use virt::connect::Connect;

/// A way to a console.
#[derive(Debug)]
pub(crate) enum Way {
    /// A socket that libvirtd has opened and handed over.
    Handed(OwnedFd),
    /// Host and port to connect to.
    Tcp(String, u16),
    /// Address and port to connect to from the host itself.
    Ssh(String, u16),
}

/// Finds the way to the first VNC console of a running VM. Blocks.
pub(crate) fn find_way(connect: &Connect, connector: &Connector, vm: Uuid) -> Result<Way> {
    let absent = || Failure::new(Reason::NotFound, format!("there is no VM {vm}"));
    let domain = find_domain(connect, &Key::Uuid(vm))?.ok_or_else(absent)?;
    if !domain.is_active()? {
        return Err(Failure::new(Reason::WrongState, "the VM is not running"));
    }
    let read = domxml::domain::read(&domain.xml_desc(0)?)?;
    let index = read.graphics.iter().position(|one| one.kind == "vnc");
    let Some(index) = index else {
        let why = "the VM has no VNC console";
        return Err(Failure::new(Reason::Unsupported, why));
    };
    let host = Authority::of(&connector.uri).host;
    if host.is_empty() {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        match ffi::open_graphics(&domain, number) {
            Ok(fd) => return Ok(Way::Handed(fd)),
            Err(failure) => {
                tracing::debug!(vm.id = %vm, why = failure.message, "No handed-over console; trying TCP");
            }
        }
    }
    let graphics = &read.graphics[index];
    let port = graphics.port.ok_or_else(|| {
        let why = "the console listens on no TCP port";
        Failure::new(Reason::Unsupported, why)
    })?;
    match &connector.ssh {
        Some(_) => Ok(Way::Ssh(reachable(&graphics.listen, "")?, port)),
        None => Ok(Way::Tcp(reachable(&graphics.listen, host)?, port)),
    }
}

/// Opens the way.
pub(crate) async fn open(
    way: Way,
    connector: &Connector,
    limit: Duration,
) -> Result<Box<dyn Console>> {
    match way {
        Way::Ssh(address, port) => {
            let absent = || Failure::new(Reason::Unsupported, "the host is not reached over ssh");
            let ssh = connector.ssh.as_ref().ok_or_else(absent)?;
            ssh.forward(&connector.uri, &address, port)
        }
        Way::Handed(fd) => {
            let stream = std::os::unix::net::UnixStream::from(fd);
            let stream = stream
                .set_nonblocking(true)
                .and_then(|()| UnixStream::from_std(stream));
            let unusable = |error| Failure::new(Reason::Refused, format!("the console: {error}"));
            Ok(Box::new(stream.map_err(unusable)?))
        }
        Way::Tcp(host, port) => {
            let connecting = TcpStream::connect((host.as_str(), port));
            let failed = |why: String| {
                let message = format!("the console at {host} port {port}: {why}");
                Failure::new(Reason::Refused, message)
            };
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(stream)) => Ok(Box::new(stream)),
                Ok(Err(error)) => Err(failed(error.to_string())),
                Err(_) => Err(failed(format!("no answer within {limit:?}"))),
            }
        }
    }
}

/// The address to connect to for a console that listens on `listen` of the host `host` (empty: this machine).
fn reachable(listen: &str, host: &str) -> Result<String> {
    let address: Option<IpAddr> = listen.parse().ok();
    let everywhere = listen.is_empty() || address.is_some_and(|ip| ip.is_unspecified());
    let only_itself = listen == "localhost" || address.is_some_and(|ip| ip.is_loopback());
    match (host.is_empty(), everywhere, only_itself) {
        (true, true, _) => Ok("127.0.0.1".to_owned()),
        (false, true, _) => Ok(host.to_owned()),
        (false, _, true) => Err(Failure::new(
            Reason::Unsupported,
            format!(
                "the console listens only on {listen} of host {host}; \
                 let it listen on another address or run an agent there"
            ),
        )),
        _ => Ok(listen.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_reached_where_it_listens() {
        let at = |listen, host| reachable(listen, host).map_err(|failure| failure.reason);
        assert_eq!(at("0.0.0.0", ""), Ok("127.0.0.1".into()));
        assert_eq!(at("", ""), Ok("127.0.0.1".into()));
        assert_eq!(at("127.0.0.1", ""), Ok("127.0.0.1".into()));
        assert_eq!(at("::", "hv2"), Ok("hv2".into()));
        assert_eq!(at("10.0.0.2", "hv2"), Ok("10.0.0.2".into()));
        assert_eq!(at("127.0.0.1", "hv2"), Err(Reason::Unsupported));
    }
}

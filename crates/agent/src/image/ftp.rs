//! Fetching over FTP: for mirrors that have nothing else.
//!
//! FTP has no validators. Time of change and size stand in for them, where the server tells both; otherwise a broken
//! transfer begins anew.

use super::cache::{CacheFiles, Meta};
use super::download::{Fetched, Stop};
use super::error::ImageError;
use crate::progress::Meter;
use std::future::Future;
use std::time::Duration;
use suppaftp::FtpError;
use suppaftp::tokio::AsyncFtpStream;
use suppaftp::types::{FileType, Mode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
const CHUNK: usize = 256 * 1024;

/// What an FTP address says.
struct Address {
    host: String,
    port: u16,
    user: String,
    password: String,
    path: String,
}

impl Address {
    fn read(url: &str) -> Option<Self> {
        let read = Url::parse(url).ok()?;
        let plain = |text: &str| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            // A line break would be the end of a command, and the begin of another.
            let decoded = decoded.ok()?.into_owned();
            (!decoded.contains(['\r', '\n', '\0'])).then_some(decoded)
        };
        let user = match read.username() {
            "" => "anonymous".to_owned(),
            user => plain(user)?,
        };
        Some(Self {
            host: read.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: read.port().unwrap_or(21),
            user,
            password: plain(read.password().unwrap_or("anonymous@"))?,
            path: plain(read.path())?,
        })
    }
}

/// One attempt; `part` is what is known of a part that is there, with its length.
pub(super) async fn attempt(
    url: &str,
    files: &CacheFiles,
    part: Option<(Meta, u64)>,
    meter: impl FnOnce(u64, u64) -> Meter,
) -> Result<Fetched, Stop> {
    let address = Address::read(url).ok_or_else(|| ImageError::Location {
        location: url.to_owned(),
        why: "it is no FTP address",
    })?;
    let broken = |got: u64, total| {
        move |error: FtpError| match error {
            FtpError::UnexpectedResponse(response) if refuses(response.status.code()) => {
                Stop::For(ImageError::Status {
                    location: url.to_owned(),
                    status: text_of(&response.body),
                })
            }
            other => Stop::Again {
                why: other.to_string(),
                got,
                total,
            },
        }
    };
    let mut ftp = signed_in(&address).await.map_err(broken(0, None))?;
    // A server need not know these two commands.
    let changed = patient(ftp.mdtm(&address.path)).await.ok();
    let total = patient(ftp.size(&address.path)).await.ok();
    let total = total.and_then(|size| u64::try_from(size).ok());
    let now = Meta {
        url: url.to_owned(),
        etag: None,
        last_modified: changed.map(|time| time.to_string()),
        total,
        sha256: None,
    };
    let same = |known: &Meta| {
        let told = now.last_modified.is_some() && now.total.is_some();
        told && (&known.last_modified, known.total) == (&now.last_modified, now.total)
    };
    if files.image_meta().as_ref().is_some_and(same) {
        return Ok(Fetched::NotModified);
    }
    let from = part
        .filter(|(meta, _)| same(meta))
        .map_or(0, |(_, length)| length);
    files.write_part_meta(&now)?;
    let path = files.part();
    let mut file = files.open_part(from).await?;
    if from > 0 {
        let offset = usize::try_from(from).unwrap_or(usize::MAX);
        patient(ftp.resume_transfer(offset))
            .await
            .map_err(broken(from, total))?;
    }
    let opened = patient(ftp.retr_as_stream(&address.path)).await;
    let mut stream = opened.map_err(broken(from, total))?;
    let mut meter = meter(from, total.unwrap_or(0));
    let mut chunk = vec![0; CHUNK];
    let mut done = from;
    let broke = loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => break None,
            Ok(Ok(count)) => {
                if let Err(error) = file.write_all(&chunk[..count]).await {
                    // On a full disk the part would be in everybody's way.
                    files.drop_part();
                    return Err(ImageError::file("write", &path)(error).into());
                }
                done += count as u64;
                meter.at(done);
            }
            Ok(Err(error)) => break Some(error.to_string()),
            Err(_) => break Some(silent()),
        }
    };
    file.sync_all()
        .await
        .map_err(ImageError::file("write", &path))?;
    // Only the server's last word says that the data connection did not end early.
    let broke = match broke {
        None => patient(stream.finish())
            .await
            .err()
            .map(|error| error.to_string()),
        some => some,
    };
    let short = total.is_some_and(|total| total != done);
    match broke {
        None if !short => Ok(Fetched::Whole(Meta {
            total: Some(done),
            ..now
        })),
        broke => Err(Stop::Again {
            why: broke.unwrap_or_else(|| "the connection ended early".to_owned()),
            got: done,
            total,
        }),
    }
}

async fn signed_in(address: &Address) -> Result<AsyncFtpStream, FtpError> {
    let to = (address.host.as_str(), address.port);
    let mut ftp = patient(AsyncFtpStream::connect(to)).await?;
    let is_ipv6 = ftp
        .get_ref()
        .await
        .peer_addr()
        .is_ok_and(|peer| peer.is_ipv6());
    ftp.set_mode(match is_ipv6 {
        true => Mode::ExtendedPassive,
        false => Mode::Passive,
    });
    // What an address behind a translator says of itself is of no use.
    ftp.set_passive_nat_workaround(true);
    patient(ftp.login(&address.user, &address.password)).await?;
    patient(ftp.transfer_type(FileType::Binary)).await?;
    Ok(ftp)
}

/// Waits no longer than a server may be silent.
async fn patient<T>(call: impl Future<Output = Result<T, FtpError>>) -> Result<T, FtpError> {
    match tokio::time::timeout(SILENCE, call).await {
        Ok(answered) => answered,
        Err(_) => Err(FtpError::ConnectionError(std::io::Error::other(silent()))),
    }
}

fn silent() -> String {
    format!("the server has said nothing for {} s", SILENCE.as_secs())
}

/// It will say the same again. Source: RFC 959: 5yz is a permanent refusal.
const fn refuses(code: u32) -> bool {
    code / 100 == 5
}

/// The server's words, without what does not belong into a message.
fn text_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let printable: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    printable.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_is_taken_apart() {
        let read = Address::read("ftp://ann:p%40ss@mirror.example:2121/a%20b/x.qcow2")
            .expect("an address");
        assert_eq!(
            (
                read.user.as_str(),
                read.password.as_str(),
                read.host.as_str(),
                read.port,
                read.path.as_str()
            ),
            ("ann", "p@ss", "mirror.example", 2121, "/a b/x.qcow2")
        );
        let plain = Address::read("ftp://[::1]/x").expect("an address");
        assert_eq!(
            (plain.user.as_str(), plain.host.as_str(), plain.port),
            ("anonymous", "::1", 21)
        );
        // Nobody smuggles a command in.
        assert!(Address::read("ftp://h/x%0d%0aDELE%20y").is_none());
    }
}

//! Fetching over FTP, from a server that does what RFC 959 says, and breaks off when told to.

use crate::support::Host;
use crate::web::image;
use agent::image::ImageError;
use agent::progress::no_progress;
use model::plan::ImageSource;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server has, and how it behaves.
#[derive(Clone)]
struct Site {
    body: Vec<u8>,
    /// `MDTM`'s answer; without it the server tells neither time nor size.
    changed: Option<&'static str>,
    /// For so many transfers: ends after this many bytes.
    cuts: (usize, usize),
    password: &'static str,
}

struct Ftp {
    address: String,
    site: Arc<Mutex<Site>>,
    commands: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Ftp {
    async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let site = Arc::new(Mutex::new(Site {
            body: image(),
            changed: Some("20261127120000"),
            cuts: (0, 0),
            password: "anonymous@",
        }));
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (theirs, heard) = (site.clone(), commands.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, theirs.clone(), heard.clone()));
            }
        });
        Self {
            address,
            site,
            commands,
            task,
        }
    }

    fn set(&self, change: impl FnOnce(&mut Site)) {
        change(&mut self.site.lock().unwrap());
    }

    /// The commands of one kind since the last question.
    fn heard(&self, verb: &str) -> Vec<String> {
        let all = std::mem::take(&mut *self.commands.lock().unwrap());
        all.into_iter()
            .filter(|line| line.starts_with(verb))
            .collect()
    }
}

impl Drop for Ftp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(
    stream: TcpStream,
    site: Arc<Mutex<Site>>,
    commands: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut data: Option<TcpListener> = None;
    let mut from = 0;
    write.write_all(b"220 hello\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        commands.lock().unwrap().push(line.clone());
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let now = site.lock().unwrap().clone();
        let answer = match verb {
            "USER" => "331 and the password".to_owned(),
            "PASS" if rest == now.password => "230 in".to_owned(),
            "PASS" => "530 not you".to_owned(),
            "TYPE" => "200 ok".to_owned(),
            "MDTM" | "SIZE" if rest != "/pub/guest image.qcow2" => "550 no such file".to_owned(),
            "MDTM" => now
                .changed
                .map_or("502 what".to_owned(), |time| format!("213 {time}")),
            "SIZE" if now.changed.is_none() => "502 what".to_owned(),
            "SIZE" => format!("213 {}", now.body.len()),
            "PASV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
                let port = listener.local_addr().ok()?.port();
                data = Some(listener);
                format!(
                    "227 Entering Passive Mode (127,0,0,1,{},{})",
                    port / 256,
                    port % 256
                )
            }
            "REST" => {
                from = rest.parse().ok()?;
                "350 from there".to_owned()
            }
            "RETR" if rest != "/pub/guest image.qcow2" => "550 no such file".to_owned(),
            "RETR" => {
                write.write_all(b"150 here it comes\r\n").await.ok()?;
                let (mut out, _) = data.take()?.accept().await.ok()?;
                let mut body = now.body[from..].to_vec();
                let cut = now.cuts.0 > 0;
                if cut {
                    body.truncate(now.cuts.1);
                    site.lock().unwrap().cuts.0 -= 1;
                }
                out.write_all(&body).await.ok()?;
                out.shutdown().await.ok()?;
                drop(out);
                from = 0;
                match cut {
                    true => "426 the line broke".to_owned(),
                    false => "226 done".to_owned(),
                }
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "502 what".to_owned(),
        };
        write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
    }
    Some(())
}

async fn fetch(host: &Host, url: &str) -> Result<PathBuf, ImageError> {
    let source = ImageSource {
        location: url.to_owned(),
        checksum: None,
    };
    let fetched = host
        .minion
        .images
        .fetch(&source, "qcow2", &no_progress())
        .await;
    fetched.map(|image| image.path)
}

#[tokio::test]
async fn an_image_comes_over_ftp_goes_on_where_it_broke_and_is_not_fetched_twice() {
    let ftp = Ftp::serve().await;
    ftp.set(|site| site.cuts = (3, 60_000));
    let url = format!("ftp://{}/pub/guest%20image.qcow2", ftp.address);
    let host = Host::new();
    let path = fetch(&host, &url).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), image());
    assert_eq!(
        ftp.heard("REST"),
        ["REST 60000", "REST 120000", "REST 180000"]
    );
    // Another agent's look at the same cache: nothing has changed there.
    let later = Host::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let to = later.folder.path().join("state/images");
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    fetch(&later, &url).await.unwrap();
    assert!(ftp.heard("RETR").is_empty());
    ftp.set(|site| {
        site.changed = Some("20261127130000");
        site.body[400_usize] = 1;
    });
    fetch(&Host::new(), &url).await.unwrap();
    assert_eq!(ftp.heard("RETR").len(), 1);
}

#[tokio::test]
async fn a_server_without_time_and_size_sends_all_of_it_again() {
    let ftp = Ftp::serve().await;
    ftp.set(|site| (site.changed, site.cuts, site.password) = (None, (1, 60_000), "p@ss"));
    let url = format!("ftp://ann:p%40ss@{}/pub/guest%20image.qcow2", ftp.address);
    let host = Host::new();
    let path = fetch(&host, &url).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), image());
    assert!(ftp.heard("REST").is_empty());
}

#[tokio::test]
async fn what_the_server_refuses_is_said_without_the_password() {
    let ftp = Ftp::serve().await;
    let host = Host::new();
    let wrong = format!("ftp://ann:secret@{}/pub/guest%20image.qcow2", ftp.address);
    let error = fetch(&host, &wrong).await.unwrap_err().to_string();
    assert!(
        error.contains("not you") && !error.contains("secret"),
        "{error}"
    );
    let absent = format!("ftp://{}/pub/nothing", ftp.address);
    let error = fetch(&host, &absent).await.unwrap_err().to_string();
    assert!(error.contains("no such file"), "{error}");
}

//! Fetching images.

use crate::support::Host;
use crate::web::{Web, image};
use agent::image::ImageError;
use agent::progress::no_progress;
use model::plan::ImageSource;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

async fn fetch(host: &Host, url: &str, checksum: Option<String>) -> Result<PathBuf, ImageError> {
    let source = ImageSource {
        location: url.to_owned(),
        checksum,
    };
    host.minion
        .images
        .fetch(&source, "qcow2", &no_progress())
        .await
        .map(|image| image.path)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut() {
    let web = Web::serve(image()).await;
    web.set(|site| site.cuts = (4, 60_000));
    let host = Host::new();
    let path = fetch(&host, &web.url, None).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), image());
    let ranges: Vec<String> = web
        .requests()
        .iter()
        .filter_map(|request| request.headers.get("range").cloned())
        .collect();
    assert_eq!(
        ranges,
        [
            "bytes=60000-",
            "bytes=120000-",
            "bytes=180000-",
            "bytes=240000-"
        ]
    );
}

#[tokio::test]
async fn the_next_run_goes_on_where_the_last_one_gave_up() {
    let web = Web::serve(image()).await;
    web.set(|site| (site.cuts, site.after_cuts) = ((1, 100_000), Some(503)));
    let host = Host::new();
    let error = fetch(&host, &web.url, None).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    web.set(|site| site.status = 200);
    let path = fetch(&host, &web.url, None).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), image());
    let last = web.requests().pop().unwrap();
    assert_eq!(
        last.headers.get("range").map(String::as_str),
        Some("bytes=100000-")
    );
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_fetched_whole() {
    let web = Web::serve(vec![7; 300_000]).await;
    web.set(|site| (site.cuts, site.etag) = ((9, 50_000), Some("\"old\"")));
    let host = Host::new();
    web.set(|site| site.ranges = false);
    assert!(matches!(
        fetch(&host, &web.url, None).await,
        Err(ImageError::Truncated {
            got: 50_000,
            total: 300_000,
            ..
        })
    ));
    web.set(|site| {
        (site.cuts, site.etag, site.body, site.ranges) = ((0, 0), Some("\"new\""), image(), true)
    });
    let path = fetch(&host, &web.url, None).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), image());
}

#[tokio::test]
async fn a_cached_image_is_asked_after_and_replaced_when_it_changed() {
    let web = Web::serve(image()).await;
    let first = Host::new();
    fetch(&first, &web.url, None).await.unwrap();
    // Another process with the same folder.
    let images = first.folder.path().join("state/images");
    let store = agent::image::ImageStore::new(&images);
    let source = ImageSource {
        location: web.url.clone(),
        checksum: None,
    };
    store.fetch(&source, "qcow2", &no_progress()).await.unwrap();
    let requests = web.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[1].headers.get("if-none-match").map(String::as_str),
        Some("\"one\"")
    );

    let mut changed = image();
    changed[1000] = 99;
    web.set(|site| (site.body, site.etag) = (changed.clone(), Some("\"two\"")));
    let store = agent::image::ImageStore::new(&images);
    let path = store
        .fetch(&source, "qcow2", &no_progress())
        .await
        .unwrap()
        .path;
    assert_eq!(std::fs::read(path).unwrap(), changed);
}

#[tokio::test]
async fn a_checksum_is_checked_and_saves_the_question() {
    let web = Web::serve(image()).await;
    let host = Host::new();
    let wrong = fetch(&host, &web.url, Some("0".repeat(64)))
        .await
        .unwrap_err();
    assert!(matches!(wrong, ImageError::Checksum { .. }), "{wrong}");
    let right = format!("sha256={}", sha256(&image()));
    fetch(&host, &web.url, Some(right.clone())).await.unwrap();
    let asked = web.requests().len();
    let again = agent::image::ImageStore::new(host.folder.path().join("state/images"));
    let source = ImageSource {
        location: web.url.clone(),
        checksum: Some(right),
    };
    again.fetch(&source, "qcow2", &no_progress()).await.unwrap();
    assert_eq!(
        web.requests().len(),
        asked,
        "the checksum names the content"
    );
    let bad = fetch(&host, &web.url, Some("md5=abc".to_owned()))
        .await
        .unwrap_err();
    assert!(matches!(bad, ImageError::BadChecksum { .. }));
}

#[tokio::test]
async fn what_cannot_be_had_is_named() {
    let web = Web::serve(image()).await;
    let host = Host::new();
    web.set(|site| site.status = 404);
    let error = fetch(&host, &web.url, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot download {}: the server answers 404 Not Found",
            web.url
        )
    );
    assert_eq!(web.requests().len(), 1, "asking again does not help");

    web.set(|site| site.status = 503);
    let error = fetch(&host, &web.url, None).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the server answers 503 Service Unavailable (tried 3 times)"),
        "{error}"
    );

    let (status, location) = (302, Some(web.url.clone()));
    web.set(|site| (site.status, site.location) = (status, location));
    let error = fetch(&host, &web.url, None).await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");

    for bad in [
        "file:///etc/passwd",
        "ftp://x/y%0d%0aDELE%20z",
        "gopher://x/y",
        "relative/path",
        "salt://x",
    ] {
        assert!(
            matches!(
                fetch(&host, bad, None).await,
                Err(ImageError::Location { .. })
            ),
            "{bad}"
        );
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = fetch(&host, &format!("http://{closed}/x"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ImageError::Connection { attempts: 3, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn two_at_once_share_one_download() {
    let web = Web::serve(image()).await;
    let host = Host::new();
    let (one, two) = tokio::join!(fetch(&host, &web.url, None), fetch(&host, &web.url, None));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(web.requests().len(), 1);
}

#[tokio::test]
async fn an_image_on_the_host_is_used_where_it_lies() {
    let host = Host::new();
    let path = host.folder.path().join("guest.qcow2");
    std::fs::write(&path, image()).unwrap();
    let location = path.display().to_string();
    assert_eq!(fetch(&host, &location, None).await.unwrap(), path);
    assert!(fetch(&host, &location, Some("1".repeat(64))).await.is_err());
    assert!(matches!(
        fetch(&host, "/absent/image", None).await,
        Err(ImageError::File { .. })
    ));
}

//! The web interface: files built into the program, or of a folder.
//!
//! The build leaves each text file as `.br` and `.gz` beside those that are compressed by nature. Only these are
//! embedded; a client that takes neither gets the gzip body inflated.

use super::Ctx;
use super::error::ApiError;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
#[include = "*.br"]
#[include = "*.gz"]
#[include = "*.woff2"]
#[include = "*.png"]
#[include = "*.ico"]
#[allow_missing = true]
struct Built;

/// Shown when the web interface was not built. Its words are for developers.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Salar</title>\
<h1>The web interface is not built</h1><p>The server runs and its API answers. To build the web interface run \
<code>make web</code> in the source folder, then build the server again.</p>";

/// Serves a file, or the page for any path that is not one.
pub async fn serve(State(ctx): State<Ctx>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        let message = "There is nothing at this path";
        return ApiError::new(StatusCode::NOT_FOUND, "not_found", message).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let folder = ctx.web_dir.as_deref();
    if let Some(response) = file(folder, path, request.headers()) {
        return response;
    }
    // A path with a dot asks for a file; anything else is a page of the interface.
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.contains('.') && path != "index.html" {
        return (StatusCode::NOT_FOUND, "There is no such file").into_response();
    }
    file(folder, "index.html", request.headers()).unwrap_or_else(not_built)
}

fn not_built() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, NOT_BUILT).into_response()
}

/// A file in the best form that the client takes.
fn file(folder: Option<&Path>, path: &str, headers: &HeaderMap) -> Option<Response> {
    if path.is_empty()
        || path.split('/').any(|part| matches!(part, "" | "." | ".."))
        || path.contains('\\')
    {
        return None;
    }
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let (data, encoding) = best(folder, path, accepted.unwrap_or_default())?;
    let etag = etag(&data);
    let mut response = if is_held(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(data.into_owned()).into_response()
    };
    let out = response.headers_mut();
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(cache_rule(path)),
    );
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::ETAG, HeaderValue::from_str(&etag).ok()?);
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

type Form = (Cow<'static, [u8]>, Option<&'static str>);

fn best(folder: Option<&Path>, path: &str, accepted: &str) -> Option<Form> {
    for (ending, encoding) in [(".br", "br"), (".gz", "gzip")] {
        if takes(accepted, encoding)
            && let Some(data) = read(folder, &format!("{path}{ending}"))
        {
            return Some((data, Some(encoding)));
        }
    }
    if let Some(data) = read(folder, path) {
        return Some((data, None));
    }
    let packed = read(folder, &format!("{path}.gz"))?;
    let mut data = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut data).ok()?;
    Some((data.into(), None))
}

fn read(folder: Option<&Path>, path: &str) -> Option<Cow<'static, [u8]>> {
    match folder {
        Some(folder) => std::fs::read(folder.join(path)).ok().map(Cow::Owned),
        None => Built::get(path).map(|file| file.data),
    }
}

/// Whether a client takes an encoding: named, and not with a weight of zero.
fn takes(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|q| q.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight != Some(0.0)
    })
}

fn etag(data: &[u8]) -> String {
    let digest = Sha256::digest(data);
    digest[..12].iter().fold("\"".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    }) + "\""
}

fn is_held(headers: &HeaderMap, etag: &str) -> bool {
    let held = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    held.is_some_and(|held| {
        held.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    })
}

/// Names under `assets/` carry a hash of their content; everything else is asked for again.
fn cache_rule(path: &str) -> &'static str {
    if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("assets")).expect("a folder");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"<p>hello").expect("packs");
        std::fs::write(
            folder.path().join("index.html.gz"),
            packed.finish().expect("packs"),
        )
        .expect("writes");
        std::fs::write(folder.path().join("assets/a-1.js.br"), b"brotli").expect("writes");
        folder
    }

    fn asking(encodings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))])
    }

    #[test]
    fn a_client_gets_the_best_form_it_takes() {
        let folder = folder();
        let best = |path, accepted| {
            best(Some(folder.path()), path, accepted).map(|(_, encoding)| encoding)
        };
        assert_eq!(best("assets/a-1.js", "gzip, br"), Some(Some("br")));
        assert_eq!(best("assets/a-1.js", "gzip, br;q=0"), None);
        assert_eq!(best("index.html", "gzip, br"), Some(Some("gzip")));
        let (inflated, encoding) =
            super::best(Some(folder.path()), "index.html", "").expect("is there");
        assert_eq!((&*inflated, encoding), (&b"<p>hello"[..], None));
    }

    #[test]
    fn hashed_files_are_kept_and_the_page_is_asked_for_again() {
        let folder = folder();
        let page = file(Some(folder.path()), "index.html", &asking("gzip")).expect("is there");
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(page.headers()[header::VARY], "accept-encoding");
        let script = file(Some(folder.path()), "assets/a-1.js", &asking("br")).expect("is there");
        assert!(
            script.headers()[header::CACHE_CONTROL]
                .to_str()
                .expect("text")
                .contains("immutable")
        );
        let mut again = asking("gzip");
        again.insert(header::IF_NONE_MATCH, page.headers()[header::ETAG].clone());
        let held = file(Some(folder.path()), "index.html", &again).expect("is there");
        assert_eq!(held.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn no_path_leaves_the_folder() {
        let folder = folder();
        for path in [
            "../etc/passwd",
            "assets/../../x",
            "/etc/passwd",
            "",
            "assets//a-1.js",
            "..\\x",
        ] {
            assert!(
                file(Some(folder.path()), path, &asking("br")).is_none(),
                "{path}"
            );
        }
    }
}

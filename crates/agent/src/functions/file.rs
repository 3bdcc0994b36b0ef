//! `file.*` and its kin: what is in the host's file system, for templates and conditions. Nothing here writes.
//!
//! Source: Salt 3008, `salt.modules.file`.

use super::table::{Access, Function};
use super::{Arguments, Call, Fault, Return};
use serde_json::{Value, json};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sls::Map;
use std::fs::{self, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file whose text is given out or looked through.
const READ_LIMIT: u64 = 1 << 20;
/// Paths that `file.find` lists.
const FIND_LIMIT: usize = 10_000;

pub(super) const TABLE: &[Function] = &[
    reads(
        "cmd.which",
        "cmd",
        "cmd.which NAME\n\nWhere a program lies, or nothing.",
    ),
    reads(
        "file.access",
        "path, mode",
        "file.access PATH MODE\n\nWhether the file is there (f), and has a bit that lets somebody read (r), write (w) or run (x) it.",
    ),
    reads(
        "file.basename",
        "path",
        "file.basename PATH\n\nThe last part of a path.",
    ),
    reads(
        "file.contains",
        "path, text",
        "file.contains PATH TEXT\n\nWhether the text is in the file.",
    ),
    reads(
        "file.directory_exists",
        "path",
        "file.directory_exists PATH\n\nWhether there is such a folder.",
    ),
    reads(
        "file.dirname",
        "path",
        "file.dirname PATH\n\nA path without its last part.",
    ),
    reads(
        "file.file_exists",
        "path",
        "file.file_exists PATH\n\nWhether there is such a file.",
    ),
    reads(
        "file.find",
        "path",
        "file.find PATH\n\nThe folder and everything below it.",
    ),
    reads(
        "file.get_gid",
        "path",
        "file.get_gid PATH\n\nNumber of the group that owns it.",
    ),
    reads(
        "file.get_hash",
        "path, form='sha256'",
        "file.get_hash PATH [FORM]\n\nHash of a file: sha224, sha256, sha384 or sha512.",
    ),
    reads(
        "file.get_mode",
        "path",
        "file.get_mode PATH\n\nMode of a file: 0644.",
    ),
    reads(
        "file.get_uid",
        "path",
        "file.get_uid PATH\n\nNumber of the user who owns it.",
    ),
    reads(
        "file.is_binary",
        "path",
        "file.is_binary PATH\n\nWhether there is such a file and it is no text.",
    ),
    reads(
        "file.is_blkdev",
        "name",
        "file.is_blkdev PATH\n\nWhether this is a block device.",
    ),
    reads(
        "file.is_chrdev",
        "name",
        "file.is_chrdev PATH\n\nWhether this is a character device.",
    ),
    reads(
        "file.is_fifo",
        "name",
        "file.is_fifo PATH\n\nWhether this is a named pipe.",
    ),
    reads(
        "file.is_link",
        "path",
        "file.is_link PATH\n\nWhether this is a symbolic link.",
    ),
    reads(
        "file.is_text",
        "path",
        "file.is_text PATH\n\nWhether there is such a file and it is a text.",
    ),
    reads(
        "file.join",
        "*args",
        "file.join PART [PART…]\n\nThe parts of a path, joined.",
    ),
    reads(
        "file.path_exists_glob",
        "path",
        "file.path_exists_glob PATTERN\n\nWhether a path matches the shell pattern.",
    ),
    reads(
        "file.read",
        "path",
        "file.read PATH\n\nText of a file of up to 1 MiB.",
    ),
    reads(
        "file.readdir",
        "path",
        "file.readdir PATH\n\nNames in a folder, . and .. first.",
    ),
    reads(
        "file.readlink",
        "path",
        "file.readlink PATH\n\nWhere a symbolic link points to.",
    ),
    reads(
        "file.stats",
        "path",
        "file.stats PATH\n\nKind, size, mode, owner and times of a file.",
    ),
    reads(
        "file.user_to_uid",
        "user",
        "file.user_to_uid NAME\n\nNumber of a user of /etc/passwd, or an empty text.",
    ),
    reads(
        "hashutil.digest_file",
        "infile, checksum='sha256'",
        "hashutil.digest_file PATH [FORM]\n\nThe same as file.get_hash.",
    ),
];

const fn reads(name: &'static str, signature: &'static str, doc: &'static str) -> Function {
    Function {
        name,
        signature,
        doc,
        access: Access::Reads,
        run: |call| Box::pin(look(call)),
    }
}

/// A disk may take its time, so looking happens on a thread that may wait.
async fn look(call: Call<'_>) -> Result<Return, Fault> {
    let (minion, context) = (Arc::clone(call.minion), call.context.clone());
    let (fun, positional) = (call.fun.to_owned(), call.args.positional().to_vec());
    let named = call.args.all_named();
    let named: Map = named
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let looked = tokio::task::spawn_blocking(move || {
        answer(&Call {
            minion: &minion,
            fun: &fun,
            args: Arguments::new(&fun, &positional, &named),
            context: &context,
        })
    });
    match looked.await {
        Ok(answer) => answer.map(Return::ok),
        Err(stopped) => Err(Fault::new(format!("{}: {stopped}", call.fun))),
    }
}

fn answer(call: &Call<'_>) -> Result<Value, Fault> {
    let second = |name: &str| call.args.required(1, name);
    if call.fun == "file.join" {
        return join(call);
    }
    let argument = match call.fun {
        "cmd.which" => "cmd",
        "file.is_blkdev" | "file.is_chrdev" | "file.is_fifo" => "name",
        "file.user_to_uid" => "user",
        "hashutil.digest_file" => "infile",
        _ => "path",
    };
    let given = call.args.required(0, argument)?;
    match call.fun {
        "file.basename" => return Ok(json!(given.rsplit('/').next())),
        "file.dirname" => return Ok(json!(dirname(&given))),
        _ => host_is_here(call)?,
    }
    let path = expanded(&given);
    let whole = |done: io::Result<Value>| {
        done.map_err(|error| Fault::new(format!("{}: cannot read {given}: {error}", call.fun)))
    };
    match call.fun {
        "cmd.which" => Ok(json!(which(&given))),
        "file.user_to_uid" => whole(fs::read_to_string("/etc/passwd").map(|all| uid(&given, &all))),
        "file.file_exists" => Ok(json!(path.is_file())),
        "file.directory_exists" => Ok(json!(path.is_dir())),
        "file.path_exists_glob" => Ok(json!(!matching(&path).is_empty())),
        "file.is_link" => Ok(json!(path.is_symlink())),
        "file.is_blkdev" => Ok(json!(is(&path, |kind| kind.is_block_device()))),
        "file.is_chrdev" => Ok(json!(is(&path, |kind| kind.is_char_device()))),
        "file.is_fifo" => Ok(json!(is(&path, |kind| kind.is_fifo()))),
        "file.is_text" if !path.is_file() => Ok(json!(false)),
        "file.is_binary" if !path.is_file() => Ok(json!(false)),
        "file.is_text" => whole(is_text(&path).map(Value::Bool)),
        "file.is_binary" => whole(is_text(&path).map(|text| Value::Bool(!text))),
        "file.get_uid" => whole(path.metadata().map(|about| json!(about.uid()))),
        "file.get_gid" => whole(path.metadata().map(|about| json!(about.gid()))),
        "file.get_mode" => whole(path.metadata().map(|about| json!(mode(&about)))),
        "file.stats" => whole(stats(&path)),
        "file.readlink" => whole(fs::read_link(&path).map(|to| json!(to.to_string_lossy()))),
        "file.readdir" => whole(readdir(&path)),
        "file.find" => whole(find(&path)),
        "file.read" => whole(text_of(&path).map(Value::String)),
        "file.access" => {
            let wanted = second("mode")?;
            access(&path, &wanted).ok_or_else(|| {
                Fault::new(format!("file.access: the mode is '{wanted}'")).hint("give f, r, w or x")
            })
        }
        "file.contains" => {
            let wanted = second("text")?;
            whole(match path.exists() {
                true => text_of(&path).map(|text| json!(text.contains(wanted.trim()))),
                false => Ok(json!(false)),
            })
        }
        "file.get_hash" | "hashutil.digest_file" => {
            let name = if argument == "path" {
                "form"
            } else {
                "checksum"
            };
            let form = call.args.text(1, name)?.unwrap_or("sha256".to_owned());
            let Some(hashed) = hash(&path, &form) else {
                return Err(Fault::new(format!("{}: no such hash: {form}", call.fun))
                    .hint("give sha224, sha256, sha384 or sha512"));
            };
            whole(hashed.map(Value::String))
        }
        _ => Err(super::table::unknown(call.fun)),
    }
}

/// Refuses where this machine's files would be the wrong ones: those of a described host or of one on another machine
/// are out of reach.
pub(super) fn host_is_here(call: &Call<'_>) -> Result<(), Fault> {
    let (fun, minion) = (call.fun, call.minion);
    let why = match &minion.known {
        Some(_) => format!("{} is only described", minion.id),
        None if minion.is_remote() => {
            format!("{} is reached over {} alone", minion.id, minion.uri)
        }
        None => return Ok(()),
    };
    let fault = Fault::new(format!("{fun} looks at the host itself, and {why}"));
    Err(fault.hint("take the value from the grains or the pillar instead"))
}

/// `~` is the home of whoever runs the agent.
fn expanded(path: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    match path.strip_prefix("~/") {
        Some(rest) => home().join(rest),
        None if path == "~" => home(),
        None => PathBuf::from(path),
    }
}

fn dirname(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => "",
    }
}

fn join(call: &Call<'_>) -> Result<Value, Fault> {
    let mut parts = Vec::new();
    for part in call.args.positional() {
        parts.push(
            part.as_str()
                .ok_or_else(|| Fault::new(format!("file.join: {part} is not part of a path")))?,
        );
    }
    Ok(json!(parts.iter().collect::<PathBuf>().to_string_lossy()))
}

fn which(name: &str) -> Option<String> {
    let runs = |path: &PathBuf| {
        let about = path.metadata();
        about.is_ok_and(|about| about.is_file() && about.mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(PathBuf::from(name))
            .filter(runs)
            .map(|path| path.to_string_lossy().into_owned());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(runs)
        .map(|path| path.to_string_lossy().into_owned())
}

/// Source: passwd(5).
fn uid(user: &str, passwd: &str) -> Value {
    let line = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let found = line
        .filter(|fields| fields.first() == Some(&user))
        .find_map(|fields| fields.get(2)?.parse::<u32>().ok());
    found.map_or(json!(""), |uid| json!(uid))
}

fn is(path: &Path, kind: fn(&FileType) -> bool) -> bool {
    path.metadata().is_ok_and(|about| kind(&about.file_type()))
}

fn mode(about: &Metadata) -> String {
    format!("0{:o}", about.mode() & 0o7777)
}

/// A bit that lets anybody do it counts, as for root.
fn access(path: &Path, wanted: &str) -> Option<Value> {
    let bits = match wanted {
        "f" => return Some(json!(path.exists())),
        "r" => 0o444,
        "w" => 0o222,
        "x" => 0o111,
        _ => return None,
    };
    let about = path.metadata();
    Some(json!(about.is_ok_and(|about| about.mode() & bits != 0)))
}

fn stats(path: &Path) -> io::Result<Value> {
    let about = path.metadata()?;
    let kind = about.file_type();
    let word = [
        (kind.is_dir(), "dir"),
        (kind.is_block_device(), "block"),
        (kind.is_char_device(), "char"),
        (kind.is_fifo(), "pipe"),
        (kind.is_socket(), "socket"),
    ];
    let word = word
        .iter()
        .find(|(is, _)| *is)
        .map_or("file", |(_, word)| *word);
    Ok(json!({
        "inode": about.ino(),
        "uid": about.uid(),
        "gid": about.gid(),
        "atime": about.atime(),
        "mtime": about.mtime(),
        "ctime": about.ctime(),
        "size": about.size(),
        "mode": mode(&about),
        "type": word,
        "target": fs::canonicalize(path)?.to_string_lossy(),
    }))
}

/// Opens a file to read it. A pipe or a device could keep the reader for ever.
fn open(path: &Path) -> io::Result<fs::File> {
    match path.metadata()?.is_file() {
        true => fs::File::open(path),
        false => Err(io::Error::other("it is no regular file")),
    }
}

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = open(path)?.take(READ_LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > READ_LIMIT {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(text)
}

/// Salt's rule: a text has no zero byte in its first block, and few that do not belong to one.
fn is_text(path: &Path) -> io::Result<bool> {
    let mut block = Vec::new();
    fs::File::open(path)?.take(512).read_to_end(&mut block)?;
    if block.contains(&0) {
        return Ok(false);
    }
    if std::str::from_utf8(&block).is_ok() {
        return Ok(true);
    }
    let belongs = |byte: &&u8| matches!(**byte, b'\n' | b'\r' | b'\t' | 8 | 0x20..=0x7e);
    let strange = block.len() - block.iter().filter(belongs).count();
    Ok(strange * 10 < block.len() * 3)
}

fn names_in(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn readdir(path: &Path) -> io::Result<Value> {
    let names = names_in(path)?;
    Ok([".".to_owned(), "..".to_owned()]
        .into_iter()
        .chain(names)
        .map(Value::String)
        .collect())
}

fn find(path: &Path) -> io::Result<Value> {
    path.metadata()?;
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if found.len() == FIND_LIMIT {
            return Err(io::Error::other("more than 10000 paths lie below it"));
        }
        if path.is_dir() && (found.is_empty() || !path.is_symlink()) {
            let names = names_in(&path)?;
            open.extend(names.iter().rev().map(|name| path.join(name)));
        }
        found.push(json!(path.to_string_lossy()));
    }
    Ok(Value::Array(found))
}

/// The paths that a shell pattern matches, each of its parts by itself.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str().to_string_lossy();
        let below = |path: PathBuf| -> Vec<PathBuf> {
            if !sls::glob::is_pattern(&part) {
                return vec![path.join(part.as_ref())];
            }
            let folder = if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &path
            };
            let names = names_in(folder).unwrap_or_default();
            let hidden = |name: &String| name.starts_with('.') && !part.starts_with('.');
            names
                .iter()
                .filter(|name| !hidden(name) && sls::glob::matches(&part, name))
                .map(|name| path.join(name))
                .collect()
        };
        paths = paths.into_iter().flat_map(below).collect();
    }
    paths.retain(|path| path.symlink_metadata().is_ok());
    paths
}

/// `None` for a form that is not offered.
fn hash(path: &Path, form: &str) -> Option<io::Result<String>> {
    fn with<H: Digest>(path: &Path) -> io::Result<String> {
        let mut file = open(path)?;
        let (mut hash, mut block) = (H::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut block)? {
                0 => break,
                read => hash.update(&block[..read]),
            }
        }
        let written = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(written)
    }
    Some(match form {
        "sha224" => with::<Sha224>(path),
        "sha256" => with::<Sha256>(path),
        "sha384" => with::<Sha384>(path),
        "sha512" => with::<Sha512>(path),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths() {
        for (path, folder) in [("/a/b", "/a"), ("/a", "/"), ("a", ""), ("a/b", "a")] {
            assert_eq!(dirname(path), folder, "{path}");
        }
        assert_eq!(
            uid("qemu", "root:x:0:0::/:\nqemu:x:107:107::/:\n"),
            json!(107)
        );
        assert_eq!(uid("nobody", "root:x:0:0::/:\n"), json!(""));
    }
}

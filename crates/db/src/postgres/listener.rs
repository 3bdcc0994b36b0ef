//! What servers on the same database tell each other: that there is news, and short messages.

use super::connection::Connection;
use super::tls::Tls;
use crate::sql::{Builder, SqlError};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel, unbounded_channel};
use tokio_postgres::Config;
use tracing::warn;

/// Said after commits that appended to the change feed.
pub(crate) const LOOK: &str = "look";
/// Pause after a connection was lost or could not be made.
const PAUSE: Duration = Duration::from_millis(500);
/// What is said within this is told at once.
const BREATH: Duration = Duration::from_millis(10);
/// What waits to be said at most.
const UNSAID: usize = 10_000;
/// Notifications of one statement.
const AT_ONCE: usize = 100;
/// Bytes of one notification; the server takes 8,000.
const PART: usize = 7000;
/// Longest that is put together from parts, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// The connection that listens. It is made again whenever it is lost; what is said meanwhile is not heard.
#[derive(Debug, Clone)]
pub(crate) struct Listener(Sender<String>);

impl Listener {
    /// Listens until every handle is dropped; `heard` gets what others say, and [`LOOK`] after every gap.
    pub(crate) fn start(
        config: Config,
        tls: Tls,
        heard: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let (say, mut said) = channel(UNSAID);
        tokio::spawn(async move {
            let mut is_lost = false;
            loop {
                match listen(&config, &tls, &mut said, &heard).await {
                    Ok(()) => return,
                    Err(error) if !is_lost => {
                        warn!("Cannot hear the other servers of the database: {error}");
                    }
                    Err(_) => {}
                }
                is_lost = true;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self(say)
    }

    /// Tells every other server: within moments, or never.
    pub(crate) fn say(&self, what: impl Into<String>) {
        // When the database is away for long, what was to be said is of no interest any more.
        let _ = self.0.try_send(what.into());
    }
}

async fn listen(
    config: &Config,
    tls: &Tls,
    said: &mut Receiver<String>,
    heard: &impl Fn(&str),
) -> Result<(), SqlError> {
    let (told, mut notifications) = unbounded_channel();
    let mut connection = Connection::open(config, tls, Some(told)).await?;
    connection.batch("listen salar").await?;
    let me = connection
        .run("select pg_backend_pid() as pid", &[])
        .await?;
    let me = me.rows.first().ok_or(SqlError::NoRow)?.int("pid")?;
    heard(LOOK);
    let mut unfinished = Unfinished::default();
    loop {
        tokio::select! {
            notification = notifications.recv() => match notification {
                Some((pid, part)) if i64::from(pid) != me => {
                    if let Some(what) = unfinished.add(pid, &part) {
                        heard(&what);
                    }
                }
                Some(_) => {}
                None => return Err(SqlError::Closed),
            },
            what = said.recv() => {
                let Some(what) = what else { return Ok(()) };
                tokio::time::sleep(BREATH).await;
                let mut all = vec![what];
                while let Ok(more) = said.try_recv() {
                    if !all.contains(&more) {
                        all.push(more);
                    }
                }
                let parts: Vec<String> = all.iter().flat_map(|what| parts(what)).collect();
                for parts in parts.chunks(AT_ONCE) {
                    notify(&mut connection, parts).await?;
                }
            }
        }
    }
}

async fn notify(connection: &mut Connection, parts: &[String]) -> Result<(), SqlError> {
    let mut sql = Builder::new("select count(pg_notify('salar', said.part)) as n from (");
    sql.push_rows(parts.iter().map(|part| [part.into()]));
    let (sql, values) = sql.push(") as said(part)").parts();
    connection.run(sql, values).await.map(drop)
}

/// Cuts what is said to pieces that the server takes: all but the last begin with `+`, the last with a full stop.
fn parts(what: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = what;
    while rest.len() > PART {
        let mut end = PART;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (part, after) = rest.split_at(end);
        parts.push(format!("+{part}"));
        rest = after;
    }
    parts.push(format!(".{rest}"));
    parts
}

/// What has not been said to its end, by the connection that says it.
#[derive(Default)]
struct Unfinished(HashMap<i32, String>);

impl Unfinished {
    /// The whole, with its last part.
    fn add(&mut self, pid: i32, part: &str) -> Option<String> {
        if let Some(part) = part.strip_prefix('+') {
            let whole = self.0.entry(pid).or_default();
            if whole.len() < LONGEST {
                whole.push_str(part);
            }
            return None;
        }
        let mut whole = self.0.remove(&pid).unwrap_or_default();
        whole.push_str(part.strip_prefix('.')?);
        (whole.len() < LONGEST).then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_put_together_again() {
        let mut unfinished = Unfinished::default();
        for what in ["look", "", &"ü".repeat(10_000), "+.+"] {
            let parts = parts(what);
            assert!(parts.iter().all(|part| part.len() < 8000));
            let heard: Vec<_> = parts
                .iter()
                .filter_map(|part| unfinished.add(7, part))
                .collect();
            assert_eq!(heard, [what]);
        }
        // Of two that speak at once.
        let long = "a".repeat(PART + 1);
        let parts = parts(&long);
        assert_eq!(unfinished.add(1, &parts[0]), None);
        assert_eq!(unfinished.add(2, ".b"), Some("b".to_owned()));
        assert_eq!(unfinished.add(1, &parts[1]), Some(long));
    }
}

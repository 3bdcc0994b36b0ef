//! What servers on the same database tell each other: that there is news, and short messages.

use super::connection::Connection;
use super::tls::Tls;
use crate::sql::{SqlError, Value};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::Config;
use tracing::warn;

/// Said after commits that appended to the change feed.
pub(crate) const LOOK: &str = "look";
/// Pause after a connection was lost or could not be made.
const PAUSE: Duration = Duration::from_millis(500);
/// What is committed within this is told at once.
const BREATH: Duration = Duration::from_millis(10);

/// The connection that listens. It is made again whenever it is lost; what is said meanwhile is not heard.
#[derive(Debug, Clone)]
pub(crate) struct Listener(UnboundedSender<String>);

impl Listener {
    /// Listens until every handle is dropped; `heard` gets what others say, and [`LOOK`] after every gap.
    pub(crate) fn start(
        config: Config,
        tls: Tls,
        heard: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let (say, mut said) = unbounded_channel();
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

    /// Tells every other server.
    pub(crate) fn say(&self, what: impl Into<String>) {
        // The task ends with the last handle only.
        let _ = self.0.send(what.into());
    }
}

async fn listen(
    config: &Config,
    tls: &Tls,
    said: &mut UnboundedReceiver<String>,
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
    loop {
        tokio::select! {
            notification = notifications.recv() => match notification {
                Some((pid, what)) if i64::from(pid) != me => heard(&what),
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
                for what in all {
                    let what = [Value::from(what)];
                    connection.run("select 1 as said from pg_notify('salar', $1)", &what).await?;
                }
            }
        }
    }
}

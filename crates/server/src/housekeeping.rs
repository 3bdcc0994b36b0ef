//! What time does: actions expire, old records go.

use crate::app::App;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// How late an action may expire.
const EXPIRE: Duration = Duration::from_secs(10);
/// How often old records are dropped: once for so many looks at deadlines.
const PRUNE_EVERY: u32 = 6;

/// Runs until the server ends.
pub async fn run(app: Arc<App>) {
    let mut tick = tokio::time::interval(EXPIRE);
    let mut round: u32 = 0;
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        match app.store.expire(Timestamp::now()).await {
            Ok(expired) if expired.is_empty() => {}
            Ok(_) => app.sessions.wake_all(),
            Err(error) => warn!(
                error = &error as &dyn std::error::Error,
                "Cannot expire actions"
            ),
        }
        if round.is_multiple_of(PRUNE_EVERY)
            && let Err(error) = app.store.prune(Timestamp::now()).await
        {
            warn!(
                error = &error as &dyn std::error::Error,
                "Cannot drop old records"
            );
        }
        round = round.wrapping_add(1);
    }
}

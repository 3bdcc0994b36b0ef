//! Brings the schema up to date. Each migration runs once, in its own transaction, and is never edited again.

use crate::error::{During, StoreError};
use sqlx::{Row, SqliteConnection, SqlitePool};

/// Every migration in order; the version is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_agent_keys.sql"),
    include_str!("../migrations/0003_joined_hosts.sql"),
];

/// The version of the schema.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) async fn refuse_newer(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    const WHAT: &str = "read the version of the store's schema";
    let known = MIGRATIONS.len() as i64;
    let row = sqlx::query("pragma user_version")
        .fetch_one(connection)
        .await
        .during(WHAT)?;
    let found: i64 = row.try_get(0).during(WHAT)?;
    match found > known {
        true => Err(StoreError::Newer { found, known }),
        false => Ok(found),
    }
}

/// Applies what is missing.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) async fn run(writer: &SqlitePool) -> Result<(), StoreError> {
    const WHAT: &str = "bring the store's schema up to date";
    let found = {
        let mut connection = writer.acquire().await.during(WHAT)?;
        refuse_newer(&mut connection).await?
    };
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let mut tx = writer.begin_with("begin immediate").await.during(WHAT)?;
        sqlx::raw_sql(*migration)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        // A pragma takes no parameters; the number is our own.
        let version = sqlx::AssertSqlSafe(format!("pragma user_version = {}", index + 1));
        sqlx::raw_sql(version)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        tx.commit().await.during(WHAT)?;
    }
    Ok(())
}

//! Users, sessions and tokens. Tokens are stored as hashes; roles are words that the server reads.

use crate::error::{During, StoreError};
use crate::sql::{Row, SqlError, micros, query};
use crate::store::Store;
use jiff::Timestamp;

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// User name.
    pub name: String,
    /// Argon2 hash in PHC form.
    pub password: String,
    /// Role as the wire names it.
    pub role: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// User name.
    pub user: String,
    /// Role as the wire names it.
    pub role: String,
    /// When it ends by itself; `None` for tokens of programs.
    pub expires_at: Option<Timestamp>,
}

fn user(row: &Row) -> Result<UserRecord, SqlError> {
    Ok(UserRecord {
        name: row.text("name")?,
        password: row.text("password")?,
        role: row.text("role")?,
        created_at: row.at("created_at")?,
    })
}

impl Store {
    /// Every user, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_users(&self) -> Result<Vec<UserRecord>, StoreError> {
        const WHAT: &str = "list the users";
        let rows = query("select * from account order by name")
            .fetch_all(self)
            .await
            .during(WHAT)?;
        rows.iter().map(user).collect::<Result<_, _>>().during(WHAT)
    }

    /// The user of that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_user(&self, name: &str) -> Result<Option<UserRecord>, StoreError> {
        const WHAT: &str = "find a user";
        let row = query("select * from account where name = $1")
            .bind(name)
            .fetch_optional(self)
            .await
            .during(WHAT)?;
        row.as_ref().map(user).transpose().during(WHAT)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// `Exists` when the name is taken.
    pub async fn insert_user(&self, user: &UserRecord) -> Result<(), StoreError> {
        const WHAT: &str = "add a user";
        let mut tx = self.begin_register(WHAT).await?;
        let done = query(
            "insert into account (name, password, role, created_at) values ($1, $2, $3, $4)
             on conflict (name) do nothing",
        )
        .bind(&user.name)
        .bind(&user.password)
        .bind(&user.role)
        .bind(micros(user.created_at))
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        if done == 0 {
            let what = format!("user {}", user.name);
            return Err(StoreError::Exists { what });
        }
        Ok(())
    }

    /// Removes a user and ends their sessions; false if there is none. The last one of `keep_role` stays.
    ///
    /// # Errors
    /// `Conflict` for the last user of `keep_role`.
    pub async fn delete_user(&self, name: &str, keep_role: &str) -> Result<bool, StoreError> {
        const WHAT: &str = "delete a user";
        let mut tx = self.begin_register(WHAT).await?;
        let done = query("delete from account where name = $1")
            .bind(name)
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        let left = query("select count(*) as n from account where role = $1")
            .bind(keep_role)
            .fetch_one(&mut tx)
            .await
            .during(WHAT)?;
        if left.number("n").during(WHAT)? == 0 {
            return Err(StoreError::Conflict {
                why: "the last administrator cannot be deleted",
            });
        }
        self.commit_quietly(tx, WHAT).await?;
        Ok(done > 0)
    }

    /// Sets a password and ends the user's sessions but `keep`; false if there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(
        &self,
        name: &str,
        password: &str,
        keep: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        const WHAT: &str = "set a password";
        let mut tx = self.begin_register(WHAT).await?;
        let done = query("update account set password = $2 where name = $1")
            .bind(name)
            .bind(password)
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        query("delete from session where username = $1 and token_hash is distinct from $2")
            .bind(name)
            .bind(keep)
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        Ok(done > 0)
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(
        &self,
        token_hash: &[u8],
        user: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const WHAT: &str = "begin a session";
        let mut tx = self.begin_register(WHAT).await?;
        query(
            "insert into session (token_hash, username, created_at, expires_at) values ($1, $2, $3, $4)",
        )
        .bind(token_hash)
        .bind(user)
        .bind(micros(Timestamp::now()))
        .bind(micros(expires_at))
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        const WHAT: &str = "end a session";
        let mut tx = self.begin_register(WHAT).await?;
        query("delete from session where token_hash = $1")
            .bind(token_hash)
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await
    }

    /// Whom a session's token speaks for, if it has not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_session(
        &self,
        token_hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<ApiToken>, StoreError> {
        const WHAT: &str = "find a session";
        let row = query(
            "select account.name as username, account.role as role, session.expires_at as expires_at
             from session join account on account.name = session.username
             where token_hash = $1 and expires_at > $2",
        )
        .bind(token_hash)
        .bind(micros(now))
        .fetch_optional(self)
        .await
        .during(WHAT)?;
        row.map(|row| {
            Ok(ApiToken {
                user: row.text("username")?,
                role: row.text("role")?,
                expires_at: row.optional_at("expires_at")?,
            })
        })
        .transpose()
        .during(WHAT)
    }

    /// Sets the token of a name; the one before is void from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_token(
        &self,
        name: &str,
        token_hash: &[u8],
        user: &str,
        role: &str,
    ) -> Result<(), StoreError> {
        const WHAT: &str = "set a token";
        let mut tx = self.begin_register(WHAT).await?;
        query(
            "insert into api_token (token_hash, name, username, role, created_at)
             values ($1, $2, $3, $4, $5)
             on conflict (name) do update set token_hash = excluded.token_hash, username = excluded.username,
                 role = excluded.role, created_at = excluded.created_at",
        )
        .bind(token_hash)
        .bind(name)
        .bind(user)
        .bind(role)
        .bind(micros(Timestamp::now()))
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await
    }

    /// Whom a program's token speaks for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_token(&self, token_hash: &[u8]) -> Result<Option<ApiToken>, StoreError> {
        const WHAT: &str = "find a token";
        let row = query("select username, role from api_token where token_hash = $1")
            .bind(token_hash)
            .fetch_optional(self)
            .await
            .during(WHAT)?;
        row.map(|row| {
            Ok(ApiToken {
                user: row.text("username")?,
                role: row.text("role")?,
                expires_at: None,
            })
        })
        .transpose()
        .during(WHAT)
    }
}

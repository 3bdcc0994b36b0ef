//! Keys of agents and tokens to join. Key states are Salt's: unaccepted, accepted, rejected, denied.
//!
//! A host and a name belong to the first key that shows them, until that is deleted. Another key that claims one of
//! them is denied, and looked at anew each time it comes: once the first is gone it waits like any other. A token to
//! join is the word of an administrator: who brings one goes before a key that nobody has accepted.

use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::sql::{Row, SqlError, damaged, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{Fingerprint, HostId};

/// Most keys that wait to be accepted; further ones are turned away, so that strangers cannot fill the disk.
pub const MAX_UNACCEPTED: u64 = 1000;
/// Most denied keys that are remembered; the oldest go first.
const MAX_DENIED: i64 = 100;

/// What has been decided about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// Nothing yet.
    Unaccepted,
    /// Its agent is one of ours.
    Accepted,
    /// An administrator does not want it.
    Rejected,
    /// Another key has its host or name.
    Denied,
}

impl KeyStatus {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unaccepted => "unaccepted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Unaccepted,
            Self::Accepted,
            Self::Rejected,
            Self::Denied,
        ]
        .into_iter()
        .find(|status| status.as_str() == word)
    }
}

/// A key of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// SHA-256 of the public key.
    pub fingerprint: Fingerprint,
    /// The host that its agent says it serves.
    pub host: HostId,
    /// Name of that host.
    pub name: String,
    /// What has been decided.
    pub status: KeyStatus,
    /// Where it was shown from.
    pub address: String,
    /// When it was shown first.
    pub seen_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom.
    pub decided_by: Option<String>,
}

/// A key that an agent shows.
#[derive(Debug, Clone)]
pub struct ShownKey {
    /// SHA-256 of the public key.
    pub fingerprint: Fingerprint,
    /// The host that the agent says it serves.
    pub host: HostId,
    /// Name of that host.
    pub name: String,
    /// Where it is shown from.
    pub address: String,
    /// Hash of the token it brings.
    pub token: Option<Vec<u8>>,
}

/// What became of a key that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The key as it stands now.
    pub key: KeyRecord,
    /// Its status is new.
    pub changed: bool,
    /// It brought a token, and that was not worth anything.
    pub token_refused: bool,
}

/// A token to join, without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// Hash of the secret.
    pub hash: Vec<u8>,
    /// Who made it.
    pub user: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

fn key(row: &Row) -> Result<KeyRecord, SqlError> {
    Ok(KeyRecord {
        fingerprint: fingerprint(row)?,
        host: HostId(row.uuid("host")?),
        name: row.text("name")?,
        status: row.word("status", KeyStatus::from_word)?,
        address: row.text("address")?,
        seen_at: row.at("seen_at")?,
        decided_at: row.optional_at("decided_at")?,
        decided_by: row.optional_text("decided_by")?,
    })
}

fn fingerprint(row: &Row) -> Result<Fingerprint, SqlError> {
    let bytes = row.blob("fingerprint")?;
    let length = bytes.len();
    bytes
        .try_into()
        .map(Fingerprint)
        .map_err(|_| damaged("fingerprint", format!("{length} bytes")))
}

fn token(row: &Row) -> Result<JoinToken, SqlError> {
    Ok(JoinToken {
        hash: row.blob("hash")?,
        user: row.text("username")?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
    })
}

impl Store {
    /// Takes note of a key that an agent shows, and says what has been decided about it. A good token accepts it and
    /// is used up; where it cannot accept, it stays good. What changes nothing writes nothing.
    ///
    /// # Errors
    /// `Conflict` when too many keys wait, or when an accepted or rejected key comes under another name.
    pub async fn enrol(&self, shown: &ShownKey, now: Timestamp) -> Result<Enrolled, StoreError> {
        const WHAT: &str = "take note of a key";
        let mut tx = self.begin_register(WHAT).await?;
        let known = find(&mut tx, &shown.fingerprint).await.during(WHAT)?;
        let same = known
            .as_ref()
            .filter(|known| known.name == shown.name && known.host == shown.host);
        if let Some(known) = &known
            && matches!(known.status, KeyStatus::Accepted | KeyStatus::Rejected)
        {
            return match same {
                Some(same) => Ok(unchanged(same.clone())),
                None => Err(StoreError::Conflict {
                    why: "the key is known under another name; start the agent with its old name, or delete the key",
                }),
            };
        }
        let holder = holder(&mut tx, shown).await.during(WHAT)?;
        let user = match (&shown.token, holder) {
            (Some(token), Holder::None | Holder::Stranger) => {
                use_up(&mut tx, token, now).await.during(WHAT)?
            }
            _ => None,
        };
        let status = match (&user, holder) {
            (Some(_), _) => KeyStatus::Accepted,
            (None, Holder::None) => KeyStatus::Unaccepted,
            (None, Holder::Stranger | Holder::Owner) => KeyStatus::Denied,
        };
        let token_refused = shown.token.is_some() && status == KeyStatus::Unaccepted;
        if let Some(same) = same.filter(|same| same.status == status) {
            return Ok(Enrolled {
                token_refused,
                ..unchanged(same.clone())
            });
        }
        let before = known.as_ref().map(|known| known.status);
        if status == KeyStatus::Unaccepted
            && before != Some(status)
            && waiting(&mut tx).await.during(WHAT)? >= MAX_UNACCEPTED
        {
            return Err(StoreError::Conflict {
                why: "too many keys wait to be accepted; delete those that nobody knows",
            });
        }
        let record = KeyRecord {
            fingerprint: shown.fingerprint,
            host: shown.host,
            name: shown.name.clone(),
            status,
            address: shown.address.clone(),
            seen_at: known.map_or(now, |known| known.seen_at),
            decided_at: user.is_some().then_some(now),
            decided_by: user.map(|user| format!("a token of {user}")),
        };
        make_way(&mut tx, &record).await.during(WHAT)?;
        insert(&mut tx, &record).await.during(WHAT)?;
        if status == KeyStatus::Denied {
            forget_oldest_denied(&mut tx).await.during(WHAT)?;
        }
        self.commit_quietly(tx, WHAT).await?;
        Ok(Enrolled {
            changed: before != Some(status),
            token_refused,
            key: record,
        })
    }

    /// Every key, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        const WHAT: &str = "list the keys";
        let rows = query("select * from agent_key order by name, seen_at, fingerprint")
            .fetch_all(self)
            .await
            .during(WHAT)?;
        rows.iter().map(key).collect::<Result<_, _>>().during(WHAT)
    }

    /// The key of that fingerprint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_key(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<KeyRecord>, StoreError> {
        const WHAT: &str = "find a key";
        let row = query("select * from agent_key where fingerprint = $1")
            .bind(fingerprint.0.as_slice())
            .fetch_optional(self)
            .await
            .during(WHAT)?;
        row.as_ref().map(key).transpose().during(WHAT)
    }

    /// Accepts or rejects a key; `None` if there is none.
    ///
    /// # Errors
    /// `Conflict` when another key has its host or name.
    pub async fn decide_key(
        &self,
        fingerprint: &Fingerprint,
        status: KeyStatus,
        user: &str,
    ) -> Result<Option<KeyRecord>, StoreError> {
        const WHAT: &str = "decide about a key";
        let mut tx = self.begin_register(WHAT).await?;
        let row = query(
            "update agent_key set status = $2, decided_at = $3, decided_by = $4 where fingerprint = $1
             returning *",
        )
        .bind(fingerprint.0.as_slice())
        .bind(status.as_str())
        .bind(micros(Timestamp::now()))
        .bind(user)
        .fetch_optional(&mut tx)
        .await;
        match row {
            Err(error) if error.is_unique_violation() => Err(StoreError::Conflict {
                why: "another key has this host or name; delete that one first",
            }),
            row => {
                let row = row.during(WHAT)?;
                self.commit_quietly(tx, WHAT).await?;
                row.as_ref().map(key).transpose().during(WHAT)
            }
        }
    }

    /// Forgets a key; the key if there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_key(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<KeyRecord>, StoreError> {
        const WHAT: &str = "delete a key";
        let mut tx = self.begin_register(WHAT).await?;
        let row = query("delete from agent_key where fingerprint = $1 returning *")
            .bind(fingerprint.0.as_slice())
            .fetch_optional(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        row.as_ref().map(key).transpose().during(WHAT)
    }

    /// Keeps a token to join, and forgets those that have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_join_token(&self, token: &JoinToken) -> Result<(), StoreError> {
        const WHAT: &str = "keep a token to join";
        let mut tx = self.begin_register(WHAT).await?;
        query("delete from join_token where expires_at <= $1")
            .bind(micros(token.created_at))
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        query(
            "insert into join_token (hash, username, created_at, expires_at) values ($1, $2, $3, $4)",
        )
        .bind(token.hash.as_slice())
        .bind(&token.user)
        .bind(micros(token.created_at))
        .bind(micros(token.expires_at))
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await
    }

    /// The tokens that can still be used, the next to end first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_join_tokens(&self, now: Timestamp) -> Result<Vec<JoinToken>, StoreError> {
        const WHAT: &str = "list the tokens to join";
        let rows = query("select * from join_token where expires_at > $1 order by expires_at")
            .bind(micros(now))
            .fetch_all(self)
            .await
            .during(WHAT)?;
        rows.iter()
            .map(token)
            .collect::<Result<_, _>>()
            .during(WHAT)
    }

    /// Makes a token worthless; false if there is none of that hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_join_token(&self, hash: &[u8]) -> Result<bool, StoreError> {
        const WHAT: &str = "delete a token to join";
        let mut tx = self.begin_register(WHAT).await?;
        let done = query("delete from join_token where hash = $1")
            .bind(hash)
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        Ok(done > 0)
    }
}

fn unchanged(key: KeyRecord) -> Enrolled {
    Enrolled {
        key,
        changed: false,
        token_refused: false,
    }
}

/// Forgets the key of a host.
pub(crate) async fn forget_of(tx: &mut Tx, host: &str) -> Result<Option<KeyRecord>, SqlError> {
    let row = query("delete from agent_key where host = $1 and status <> 'denied' returning *")
        .bind(host)
        .fetch_optional(&mut *tx)
        .await?;
    row.as_ref().map(key).transpose()
}

async fn find(tx: &mut Tx, fingerprint: &Fingerprint) -> Result<Option<KeyRecord>, SqlError> {
    let row = query("select * from agent_key where fingerprint = $1")
        .bind(fingerprint.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    row.as_ref().map(key).transpose()
}

/// Who has the host or the name that a key claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// Nobody else.
    None,
    /// A key that nobody has accepted.
    Stranger,
    /// A key that somebody has decided about, or the server's own agent, which has none.
    Owner,
}

async fn holder(tx: &mut Tx, shown: &ShownKey) -> Result<Holder, SqlError> {
    let row = query(
        "select
             exists (
                 select 1 from agent_key where status in ('accepted', 'rejected') and (name = $1 or host = $2)
             )
             or exists (
                 select 1 from host where (name = $1 or id = $2) and joined = 0 and removed_at is null
                     and not exists (select 1 from agent_key where agent_key.host = host.id)
             ) as owner,
             exists (
                 select 1 from agent_key
                 where status = 'unaccepted' and (name = $1 or host = $2) and fingerprint <> $3
             ) as stranger",
    )
    .bind(&shown.name)
    .bind(shown.host.to_string())
    .bind(shown.fingerprint.0.as_slice())
    .fetch_one(&mut *tx)
    .await?;
    Ok(match (row.flag("owner")?, row.flag("stranger")?) {
        (true, _) => Holder::Owner,
        (false, true) => Holder::Stranger,
        (false, false) => Holder::None,
    })
}

/// Removes the row that `key` takes the place of, and those of strangers who claim what it has been given.
async fn make_way(tx: &mut Tx, key: &KeyRecord) -> Result<(), SqlError> {
    query(
        "delete from agent_key where fingerprint = $1
             or ($2 = 'accepted' and status = 'unaccepted' and (name = $3 or host = $4))",
    )
    .bind(key.fingerprint.0.as_slice())
    .bind(key.status.as_str())
    .bind(&key.name)
    .bind(key.host.to_string())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn waiting(tx: &mut Tx) -> Result<u64, SqlError> {
    query("select count(*) as n from agent_key where status = 'unaccepted'")
        .fetch_one(&mut *tx)
        .await?
        .number("n")
}

/// Takes a token that has not ended; its user.
async fn use_up(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<String>, SqlError> {
    let row =
        query("delete from join_token where hash = $1 and expires_at > $2 returning username")
            .bind(hash)
            .bind(micros(now))
            .fetch_optional(&mut *tx)
            .await?;
    row.map(|row| row.text("username")).transpose()
}

async fn insert(tx: &mut Tx, key: &KeyRecord) -> Result<(), SqlError> {
    query(
        "insert into agent_key (fingerprint, host, name, status, address, seen_at, decided_at, decided_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(key.fingerprint.0.as_slice())
    .bind(key.host.to_string())
    .bind(&key.name)
    .bind(key.status.as_str())
    .bind(&key.address)
    .bind(micros(key.seen_at))
    .bind(key.decided_at.map(micros))
    .bind(key.decided_by.as_deref())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn forget_oldest_denied(tx: &mut Tx) -> Result<(), SqlError> {
    query(
        "delete from agent_key where status = 'denied' and fingerprint not in (
             select fingerprint from agent_key where status = 'denied' order by seen_at desc limit $1
         )",
    )
    .bind(MAX_DENIED)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

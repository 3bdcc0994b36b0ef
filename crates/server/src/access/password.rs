//! Hashing and checking of passwords: Argon2id, off the async threads, one at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::{OnceCell, Semaphore};

/// Each takes a processor and [`MEMORY_KIB`] for a moment; a flood of guesses waits in line and leaves the rest to others.
const AT_A_TIME: usize = 1;

/// Of the settings that are equally strong the one with the most memory and the fewest passes. Blocks above 32 MiB go
/// back to the system when they are freed; glibc keeps smaller ones, for each thread that ever hashed.
/// Source: OWASP Password Storage Cheat Sheet, Argon2id; mallopt(3), `M_MMAP_THRESHOLD`.
const MEMORY_KIB: u32 = 46 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 1;

fn argon2id() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the numbers are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// What is checked when there is no such user, so that the answer takes as long.
    nobody: Arc<OnceCell<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_A_TIME)),
            nobody: Arc::new(OnceCell::new()),
        }
    }
}

impl Passwords {
    /// The PHC string of a password, with a random salt.
    pub async fn hash(&self, password: String) -> String {
        self.run(move || {
            argon2id()
                .hash_password(password.as_bytes())
                .expect("the default parameters and a random salt are valid")
                .to_string()
        })
        .await
    }

    /// Whether the password is the one that was hashed. `None` stands for a user that does not exist: it takes as long
    /// and is never right.
    pub async fn verify(&self, password: String, stored: Option<String>) -> bool {
        let exists = stored.is_some();
        let hash = match stored {
            Some(hash) => hash,
            None => self.nobody().await,
        };
        let right = self.run(move || matches(&password, &hash)).await;
        right && exists
    }

    /// Prepares the hash that stands in for absent users, so that the first sign-in is no slower.
    pub async fn nobody(&self) -> String {
        let make = || self.hash("nobody has this password".to_owned());
        self.nobody.get_or_init(make).await.clone()
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work)
            .await
            .expect("hashing does not panic and is never aborted")
    }
}

fn matches(password: &str, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return false;
    };
    argon2id()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[tokio::test]
    async fn only_the_right_password_of_a_user_is_right() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".to_owned()).await;
        assert!(
            hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
            "{hash}"
        );
        let verify = |word: &str, stored: Option<String>| passwords.verify(word.to_owned(), stored);
        assert!(verify("correct horse", Some(hash.clone())).await);
        assert!(!verify("wrong", Some(hash)).await);
        assert!(!verify("nobody has this password", None).await);
        assert!(!verify("x", Some("not a hash".to_owned())).await);
    }
}

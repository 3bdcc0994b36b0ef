//! Filters with random results.
//!
//! The randomness is asked for, through the function `random.get_str`, unless the template names a seed. With a seed
//! the result is the same on every host and in every run; Salt's own changes with every run.

use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};
use sha2::{Digest, Sha256};

use super::super::mutable::{invalid, list};
use super::hash::{base64_encode, digest};
use super::named;
use crate::ports::Functions;

/// Letters of `random_str` at most.
const LENGTH_LIMIT: usize = 65_536;

pub(super) fn add(env: &mut Environment<'static>, functions: &Arc<dyn Functions>) {
    let source = Source(Arc::clone(functions));
    let from = source.clone();
    named::add(
        env,
        "random_shuffle",
        &["seed"],
        move |value: Value, seed: Option<Value>| {
            let items: Vec<Value> = value.try_iter()?.collect();
            let count = items.len();
            sample(items, count, &mut from.dice(seed)?)
        },
    );
    let from = source.clone();
    named::add(
        env,
        "random_sample",
        &["size", "seed"],
        move |value: Value, size: usize, seed: Option<Value>| {
            sample(value.try_iter()?.collect(), size, &mut from.dice(seed)?)
        },
    );
    let from = source.clone();
    env.add_filter("random", move |value: Value| -> Result<Value, Error> {
        let items: Vec<Value> = value.try_iter()?.collect();
        if items.is_empty() {
            return Err(invalid("there is nothing in it to choose from"));
        }
        let at = from.dice(None)?.below(items.len());
        Ok(items[at].clone())
    });
    let from = source.clone();
    env.add_filter("random_str", move |size: usize| -> Result<String, Error> {
        if size > LENGTH_LIMIT {
            return Err(invalid(format!(
                "random_str makes at most {LENGTH_LIMIT} letters"
            )));
        }
        let mut dice = from.dice(None)?;
        let bytes: Vec<u8> = (0..size).map(|_| dice.byte()).collect();
        Ok(base64_encode(&bytes)[..size].to_owned())
    });
    for name in ["random_hash", "rand_str"] {
        let from = source.clone();
        env.add_filter(name, move |size: Value, kind: Option<String>| {
            let mut dice = from.dice(None)?;
            // Salt hashes a number up to the value, which is a guess away when that is small.
            let bytes: Vec<u8> = (0..32).map(|_| dice.byte()).collect();
            if size.kind() != ValueKind::Number {
                return Err(invalid(format!("{name} takes a number, not {size}")));
            }
            digest(kind.as_deref().unwrap_or("md5"), &bytes)
        });
    }
    env.add_filter("gen_mac", move |prefix: String| -> Result<String, Error> {
        let mut dice = source.dice(None)?;
        let [a, b, c] = [dice.byte(), dice.byte(), dice.byte()];
        Ok(format!("{prefix}:{a:02X}:{b:02X}:{c:02X}"))
    });
}

/// Where randomness comes from.
#[derive(Clone)]
struct Source(Arc<dyn Functions>);

impl Source {
    fn dice(&self, seed: Option<Value>) -> Result<Dice, Error> {
        let seed = match seed.filter(|seed| !seed.is_none()) {
            Some(seed) => seed.to_string(),
            None => {
                let text = self
                    .0
                    .call("random.get_str", &[32.into()], &crate::Map::new());
                let text = text.map_err(|fault| invalid(format!("no randomness: {fault}")))?;
                text.as_str().unwrap_or_default().to_owned()
            }
        };
        Ok(Dice {
            seed: Sha256::digest(seed).into(),
            round: 0,
            rest: Vec::new(),
        })
    }
}

/// Bytes that nobody foresees who does not know the seed: digests of the seed and a counter.
struct Dice {
    seed: [u8; 32],
    round: u64,
    rest: Vec<u8>,
}

impl Dice {
    fn byte(&mut self) -> u8 {
        if let Some(byte) = self.rest.pop() {
            return byte;
        }
        let block = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.round.to_be_bytes());
        self.round += 1;
        self.rest = block.finalize().to_vec();
        self.byte()
    }

    /// A number below `limit`, which is not 0; the bias of the remainder is below 2⁻³².
    fn below(&mut self, limit: usize) -> usize {
        let number = (0..8).fold(0_u64, |number, _| number << 8 | u64::from(self.byte()));
        usize::try_from(number % limit as u64).expect("below a usize")
    }
}

/// The first `size` items after shuffling.
fn sample(mut items: Vec<Value>, size: usize, dice: &mut Dice) -> Result<Value, Error> {
    if size > items.len() {
        return Err(invalid(format!(
            "a sample of {size} is larger than the {} items there are",
            items.len()
        )));
    }
    for at in 0..size {
        let other = at + dice.below(items.len() - at);
        items.swap(at, other);
    }
    items.truncate(size);
    Ok(list(items))
}

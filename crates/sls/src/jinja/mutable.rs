//! Lists and dictionaries that templates may change: `{% do x.append(1) %}`.
//!
//! The template engine's own are immutable. The rewriter wraps every literal in these, and every value
//! that comes from outside is made of them, so that Python's methods work on all of them.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use indexmap::IndexMap;
use minijinja::value::{
    Enumerator, Kwargs, Object, ObjectRepr, Rest, Tuple, Value, ValueKind, from_args,
};
use minijinja::{Error, ErrorKind, State};

/// A list.
#[derive(Debug, Default)]
pub(crate) struct List(RwLock<Vec<Value>>);

/// A dictionary in insertion order.
#[derive(Debug, Default)]
pub(crate) struct Dict(RwLock<IndexMap<Value, Value>>);

/// Makes a list value.
pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from_object(List(RwLock::new(items.into_iter().collect())))
}

/// Makes a dictionary value.
pub(crate) fn dict(pairs: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::from_object(Dict(RwLock::new(pairs.into_iter().collect())))
}

impl List {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Value>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Value>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dict {
    fn read(&self) -> RwLockReadGuard<'_, IndexMap<Value, Value>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, IndexMap<Value, Value>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_i64()?;
        let items = self.read();
        let index = if index < 0 {
            index + i64::try_from(items.len()).ok()?
        } else {
            index
        };
        items.get(usize::try_from(index).ok()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.read().clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.read().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let own = Value::from_dyn_object(Arc::clone(self));
        match method {
            "append" => {
                let (item,): (Value,) = from_args(args)?;
                admit(state, &own, &item)?;
                self.write().push(item);
            }
            "extend" => {
                let (more,): (Value,) = from_args(args)?;
                let more: Vec<Value> = more.try_iter()?.collect();
                more.iter().try_for_each(|item| admit(state, &own, item))?;
                self.write().extend(more);
            }
            "insert" => {
                let (at, item): (i64, Value) = from_args(args)?;
                admit(state, &own, &item)?;
                let mut items = self.write();
                let at = clamp(at, items.len());
                items.insert(at, item);
            }
            "pop" => return self.pop(args),
            "remove" => {
                let (item,): (Value,) = from_args(args)?;
                let at = self.position(&item)?;
                self.write().remove(at);
            }
            "index" => {
                let (item,): (Value,) = from_args(args)?;
                return self.position(&item).map(Value::from);
            }
            "count" => {
                let (item,): (Value,) = from_args(args)?;
                let items = self.read().clone();
                return Ok(Value::from(
                    items.iter().filter(|have| **have == item).count(),
                ));
            }
            "reverse" => self.write().reverse(),
            "sort" => {
                let kwargs: Kwargs = from_args::<(Kwargs,)>(args)?.0;
                let reverse: Option<bool> = kwargs.get("reverse")?;
                kwargs.assert_all_used()?;
                let mut items = self.read().clone();
                items.sort();
                if reverse == Some(true) {
                    items.reverse();
                }
                *self.write() = items;
            }
            "clear" => self.write().clear(),
            "copy" => return Ok(list(self.read().clone())),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

impl List {
    fn pop(&self, args: &[Value]) -> Result<Value, Error> {
        let (at,): (Option<i64>,) = from_args(args)?;
        let mut items = self.write();
        let last = items
            .len()
            .checked_sub(1)
            .ok_or_else(|| invalid("pop from empty list"))?;
        let at = match at {
            None => last,
            Some(at) => {
                let at = if at < 0 {
                    at + i64::try_from(items.len()).unwrap_or(i64::MAX)
                } else {
                    at
                };
                usize::try_from(at)
                    .ok()
                    .filter(|at| *at <= last)
                    .ok_or_else(|| invalid("pop index out of range"))?
            }
        };
        Ok(items.remove(at))
    }

    fn position(&self, item: &Value) -> Result<usize, Error> {
        let items = self.read().clone();
        items
            .iter()
            .position(|have| have == item)
            .ok_or_else(|| invalid(format!("{item} is not in list")))
    }
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.read().keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.read().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let own = Value::from_dyn_object(Arc::clone(self));
        match method {
            "update" => {
                let (pairs, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
                let named: Value = dict_of_kwargs(&kwargs)?;
                for source in pairs.into_iter().chain([named]) {
                    let pairs = pairs_of(&source)?;
                    pairs
                        .iter()
                        .try_for_each(|(_, value)| admit(state, &own, value))?;
                    self.write().extend(pairs);
                }
                Ok(Value::from(()))
            }
            "pop" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let found = self.write().shift_remove(&key);
                found
                    .or(default)
                    .ok_or_else(|| invalid(format!("no key {key} to pop")))
            }
            "popitem" => {
                let () = from_args(args)?;
                let pair = self
                    .write()
                    .pop()
                    .ok_or_else(|| invalid("popitem(): dictionary is empty"))?;
                Ok(list([pair.0, pair.1]))
            }
            "setdefault" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let default = default.unwrap_or(Value::from(()));
                admit(state, &own, &default)?;
                Ok(self.write().entry(key).or_insert(default).clone())
            }
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self
                    .read()
                    .get(&key)
                    .cloned()
                    .or(default)
                    .unwrap_or(Value::from(())))
            }
            "has_key" => {
                let (key,): (Value,) = from_args(args)?;
                Ok(Value::from(self.read().contains_key(&key)))
            }
            "items" | "iteritems" => {
                let () = from_args(args)?;
                let pairs = self.read().clone();
                Ok(list(pairs.into_iter().map(|(key, value)| {
                    Value::from(Tuple::from(vec![key, value]))
                })))
            }
            "keys" | "iterkeys" => {
                let () = from_args(args)?;
                Ok(list(self.read().keys().cloned()))
            }
            "values" | "itervalues" => {
                let () = from_args(args)?;
                Ok(list(self.read().values().cloned()))
            }
            "clear" => {
                self.write().clear();
                Ok(Value::from(()))
            }
            "copy" => Ok(dict(self.read().clone())),
            // `d.name()` where `name` is a key that holds a macro.
            other => match self.get_value(&Value::from(other)) {
                Some(callable) => callable.call(state, args),
                None => Err(Error::from(ErrorKind::UnknownMethod)),
            },
        }
    }
}

/// The pairs of a dictionary, or of a list of pairs.
pub(crate) fn pairs_of(source: &Value) -> Result<Vec<(Value, Value)>, Error> {
    let keys = source.try_iter()?;
    if source.kind() == ValueKind::Map {
        return keys
            .map(|key| source.get_item(&key).map(|value| (key, value)))
            .collect();
    }
    keys.map(|pair| match pair.len() {
        Some(2) => Ok((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?)),
        _ => Err(invalid("expected a dictionary or a list of pairs")),
    })
    .collect()
}

/// Gives `target` the content of `source` and returns it; returns `source` when `target` cannot change.
pub(crate) fn replace_dict(target: &Value, source: &Value) -> Value {
    match (
        target.downcast_object_ref::<Dict>(),
        source.downcast_object_ref::<Dict>(),
    ) {
        (Some(dict), Some(source)) => {
            let content = source.read().clone();
            *dict.write() = content;
            target.clone()
        }
        _ => source.clone(),
    }
}

/// `dict(a, b=1)`, `odict(…)`.
pub(crate) fn make_dict(args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    for source in args.iter().chain([&dict_of_kwargs(&kwargs)?]) {
        pairs.extend(pairs_of(source)?);
    }
    let made = dict(pairs);
    weigh(&made)?;
    Ok(made)
}

/// A mutable copy of any sequence.
pub(crate) fn make_list(source: &Value) -> Result<Value, Error> {
    let made = list(source.try_iter()?);
    weigh(&made)?;
    Ok(made)
}

fn dict_of_kwargs(kwargs: &Kwargs) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    for key in kwargs.args() {
        pairs.push((Value::from(key), kwargs.get::<Value>(key)?));
    }
    Ok(dict(pairs))
}

/// Values that one list or dictionary may hold, inner ones counted as often as they are reached.
///
/// A list that holds itself twice over and over has few values in memory and endless ones when walked;
/// the engine's fuel does not see that.
const WEIGHT_LIMIT: u64 = 100_000;

/// Refuses to put `item` into `container` when it holds the container, as Python would allow, or is
/// endless to walk. The walk is paid for.
fn admit(state: &State<'_, '_>, container: &Value, item: &Value) -> Result<(), Error> {
    let mut walk = Walk {
        forbidden: identity(container),
        weight: 0,
    };
    walk.visit(item, 0)?;
    state.consume_fuel(1 + walk.weight / 8)
}

/// Refuses a value that is endless to walk.
pub(crate) fn weigh(value: &Value) -> Result<(), Error> {
    Walk {
        forbidden: None,
        weight: 0,
    }
    .visit(value, 0)
}

struct Walk {
    forbidden: Option<usize>,
    weight: u64,
}

impl Walk {
    fn visit(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.weight += 1;
        if self.weight > WEIGHT_LIMIT || depth > 120 {
            return Err(invalid("a list or dictionary holds too many values"));
        }
        if self.forbidden.is_some() && identity(value) == self.forbidden {
            return Err(invalid("a list or dictionary cannot be put into itself"));
        }
        if let Some(list) = value.downcast_object_ref::<List>() {
            return list
                .read()
                .iter()
                .try_for_each(|item| self.visit(item, depth + 1));
        }
        if let Some(dict) = value.downcast_object_ref::<Dict>() {
            return dict
                .read()
                .values()
                .try_for_each(|item| self.visit(item, depth + 1));
        }
        if value.downcast_object_ref::<Tuple>().is_some() {
            return value
                .try_iter()?
                .try_for_each(|item| self.visit(&item, depth + 1));
        }
        Ok(())
    }
}

/// The address of a mutable value, the same for every reference to it.
fn identity(value: &Value) -> Option<usize> {
    let list = value
        .downcast_object::<List>()
        .map(|list| Arc::as_ptr(&list).addr());
    list.or_else(|| {
        value
            .downcast_object::<Dict>()
            .map(|dict| Arc::as_ptr(&dict).addr())
    })
}

fn clamp(at: i64, len: usize) -> usize {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let at = if at < 0 {
        (at + len).max(0)
    } else {
        at.min(len)
    };
    usize::try_from(at).unwrap_or(0)
}

pub(crate) fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.to_string())
}

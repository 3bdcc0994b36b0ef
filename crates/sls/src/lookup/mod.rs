//! Nested look-ups with colon paths, as `pillar.get` and its kin do them, and deep merging.

pub mod functions;

use crate::{Map, Value};

/// Walks `path` (`virt:nic:0`) down dictionaries, and down lists by index.
///
/// A list of dictionaries is searched for the first that has the key, as Salt does.
pub fn traverse<'v>(value: &'v Value, path: &str, delimiter: &str) -> Option<&'v Value> {
    path.split(delimiter)
        .try_fold(value, |value, key| step(value, key))
}

fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => {
            let by_index = key.parse::<usize>().ok().and_then(|index| items.get(index));
            by_index.or_else(|| items.iter().find_map(|item| item.as_object()?.get(key)))
        }
        _ => None,
    }
}

/// Merges `over` into `base`: dictionaries key by key, anything else is replaced.
/// With `lists`, lists are joined instead of replaced.
pub fn merge(base: &mut Value, over: Value, lists: bool) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(have) => merge(have, value, lists),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(base), Value::Array(over)) if lists => base.extend(over),
        (base, over) => *base = over,
    }
}

/// Puts `value` under a colon path, making the dictionaries on the way.
pub fn nest(value: Value, path: &str) -> Value {
    path.rsplit(':').fold(value, |inner, key| {
        Value::Object(Map::from_iter([(key.to_owned(), inner)]))
    })
}

#[cfg(test)]
mod tests {
    use super::{merge, nest, traverse};
    use serde_json::json;

    #[test]
    fn paths_walk_dictionaries_and_lists() {
        let data = json!({"a": {"b": [{"c": 1}, {"d": 2}]}, "x:y": 3});
        assert_eq!(traverse(&data, "a:b:1:d", ":"), Some(&json!(2)));
        assert_eq!(traverse(&data, "a:b:d", ":"), Some(&json!(2)));
        assert_eq!(traverse(&data, "x:y", "|"), Some(&json!(3)));
        assert_eq!(traverse(&data, "a:z", ":"), None);
    }

    #[test]
    fn merging_is_recursive_and_the_later_wins() {
        let mut base = json!({"a": {"x": 1, "l": [1]}, "b": 2});
        merge(
            &mut base,
            json!({"a": {"y": 3, "l": [2]}, "b": nest(json!(4), "c:d")}),
            false,
        );
        assert_eq!(
            base,
            json!({"a": {"x": 1, "l": [2], "y": 3}, "b": {"c": {"d": 4}}})
        );
    }
}

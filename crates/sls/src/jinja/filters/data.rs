//! Filters and tests on lists and dictionaries.

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error};

use super::super::convert::{to_jinja, to_json};
use super::super::mutable::{dict, invalid, list, pairs_of};
use crate::lookup;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("sequence", sequence);
    env.add_filter("flatten", flatten);
    env.add_filter("union", |a: Value, b: Value| {
        Ok(unique(items(&a)?.into_iter().chain(items(&b)?)))
    });
    env.add_filter("intersect", |a: Value, b: Value| -> Result<Value, Error> {
        let b = items(&b)?;
        Ok(unique(
            items(&a)?.into_iter().filter(|item| b.contains(item)),
        ))
    });
    env.add_filter("difference", |a: Value, b: Value| -> Result<Value, Error> {
        let b = items(&b)?;
        Ok(unique(
            items(&a)?.into_iter().filter(|item| !b.contains(item)),
        ))
    });
    env.add_filter("symmetric_difference", symmetric_difference);
    env.add_filter("avg", avg);
    env.add_filter(
        "skip",
        |value: Value, count: usize| -> Result<Value, Error> {
            Ok(list(items(&value)?.into_iter().skip(count)))
        },
    );
    env.add_filter("sorted_ignorecase", sorted_ignorecase);
    env.add_filter("is_list", |value: &Value| value.kind() == ValueKind::Seq);
    env.add_filter("is_iter", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
        )
    });
    env.add_filter("is_empty", |value: &Value| {
        value.is_undefined() || value.is_none() || value.len() == Some(0)
    });
    env.add_filter("exactly_one_true", |value: Value| {
        true_count(&value).map(|count| count == 1)
    });
    env.add_filter("exactly_n_true", |value: Value, n: usize| {
        true_count(&value).map(|count| count == n)
    });
    env.add_filter("to_entries", to_entries);
    env.add_filter("from_entries", from_entries);
    env.add_filter("traverse", traverse);
    env.add_filter("zip", zip);
    env.add_filter("product", product);
    env.add_filter("compress", compress);
    env.add_filter("set_dict_key_value", set_dict_key_value);
    env.add_filter(
        "append_dict_key_value",
        |value: Value, path: String, item: Value| extend_at(&value, &path, vec![to_json(&item)?]),
    );
    env.add_filter(
        "extend_dict_key_value",
        |value: Value, path: String, items: Value| {
            let items = items
                .try_iter()?
                .map(|item| to_json(&item))
                .collect::<Result<_, _>>()?;
            extend_at(&value, &path, items)
        },
    );
    env.add_filter("update_dict_key_value", set_dict_key_value);
    env.add_filter("combinations", |value: Value, size: usize| {
        combinations(&value, size)
    });
    env.add_filter("unique", |value: Value| items(&value).map(unique));
    env.add_test("list", |value: &Value| value.kind() == ValueKind::Seq);
}

fn items(value: &Value) -> Result<Vec<Value>, Error> {
    value.try_iter().map(Iterator::collect)
}

/// The items without repetition, first appearances kept.
fn unique(items: impl IntoIterator<Item = Value>) -> Value {
    let set: indexmap::IndexSet<Value> = items.into_iter().collect();
    list(set)
}

/// Wraps what is no list into one.
fn sequence(value: Value) -> Value {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => value,
        _ => list([value]),
    }
}

fn flatten(value: Value, levels: Option<usize>) -> Result<Value, Error> {
    fn walk(value: &Value, levels: usize, out: &mut Vec<Value>) -> Result<(), Error> {
        for item in value.try_iter()? {
            match item.kind() {
                ValueKind::Seq | ValueKind::Iterable if levels > 0 => walk(&item, levels - 1, out)?,
                ValueKind::None => {}
                _ => out.push(item),
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    walk(&value, levels.unwrap_or(100).min(100), &mut out)?;
    Ok(list(out))
}

fn symmetric_difference(a: Value, b: Value) -> Result<Value, Error> {
    let (a, b) = (items(&a)?, items(&b)?);
    let only = |x: &[Value], y: &[Value]| {
        x.iter()
            .filter(|item| !y.contains(item))
            .cloned()
            .collect::<Vec<_>>()
    };
    Ok(unique(only(&a, &b).into_iter().chain(only(&b, &a))))
}

fn avg(value: Value) -> Result<f64, Error> {
    let numbers: Vec<f64> = items(&value)?
        .iter()
        .map(|item| f64::try_from(item.clone()))
        .collect::<Result<_, _>>()?;
    if numbers.is_empty() {
        return Err(invalid("avg of an empty list"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a list in a template is short")]
    Ok(numbers.iter().sum::<f64>() / numbers.len() as f64)
}

fn sorted_ignorecase(value: Value) -> Result<Value, Error> {
    let mut items = items(&value)?;
    items.sort_by_key(|item| item.to_string().to_lowercase());
    Ok(list(items))
}

fn true_count(value: &Value) -> Result<usize, Error> {
    Ok(value.try_iter()?.filter(Value::is_true).count())
}

/// `{a: 1}` to `[{key: a, value: 1}]`
fn to_entries(value: Value) -> Result<Value, Error> {
    let entry = |(key, value)| dict([(Value::from("key"), key), (Value::from("value"), value)]);
    Ok(list(pairs_of(&value)?.into_iter().map(entry)))
}

fn from_entries(value: Value) -> Result<Value, Error> {
    let pair = |entry: Value| -> Result<(Value, Value), Error> {
        let get = |names: [&str; 2]| {
            let found = names
                .iter()
                .map(|name| entry.get_attr(name))
                .find(|found| matches!(found, Ok(v) if !v.is_undefined()));
            found.unwrap_or_else(|| Ok(Value::from(())))
        };
        Ok((get(["key", "name"])?, get(["value", "Value"])?))
    };
    let pairs = items(&value)?
        .into_iter()
        .map(pair)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(dict(pairs))
}

/// A colon path into a value, with a default.
fn traverse(
    value: Value,
    path: String,
    default: Option<Value>,
    delimiter: Option<String>,
) -> Result<Value, Error> {
    let json = to_json(&value)?;
    let found = lookup::traverse(&json, &path, delimiter.as_deref().unwrap_or(":")).map(to_jinja);
    Ok(found.or(default).unwrap_or(Value::from(())))
}

fn zip(first: Value, others: Rest<Value>) -> Result<Value, Error> {
    let mut columns = vec![items(&first)?];
    for other in others.iter() {
        columns.push(items(other)?);
    }
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok(list((0..length).map(|row| {
        list(columns.iter().map(|column| column[row].clone()))
    })))
}

fn product(first: Value, others: Rest<Value>) -> Result<Value, Error> {
    const LIMIT: usize = 10_000;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for factor in std::iter::once(&first).chain(others.iter()) {
        let factor = items(factor)?;
        if rows.len().saturating_mul(factor.len()) > LIMIT {
            return Err(invalid(format!("product has more than {LIMIT} rows")));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                factor
                    .iter()
                    .map(|item| row.iter().chain([item]).cloned().collect())
            })
            .collect();
    }
    Ok(list(rows.into_iter().map(list)))
}

/// The items whose selector is true.
fn compress(value: Value, selectors: Value) -> Result<Value, Error> {
    let chosen = items(&value)?
        .into_iter()
        .zip(items(&selectors)?)
        .filter(|(_, selector)| selector.is_true());
    Ok(list(chosen.map(|(item, _)| item)))
}

/// A copy of a dictionary with the value at a colon path set.
fn set_dict_key_value(value: Value, path: String, new: Value) -> Result<Value, Error> {
    let mut json = to_json(&value)?;
    lookup::merge(&mut json, lookup::nest(to_json(&new)?, &path), false);
    Ok(to_jinja(&json))
}

/// A copy of a dictionary with items added to the list at a colon path.
fn extend_at(value: &Value, path: &str, more: Vec<crate::Value>) -> Result<Value, Error> {
    let mut json = to_json(value)?;
    let have = lookup::traverse(&json, path, ":")
        .and_then(crate::Value::as_array)
        .cloned();
    let joined: crate::Value = have.unwrap_or_default().into_iter().chain(more).collect();
    lookup::merge(&mut json, lookup::nest(joined, path), false);
    Ok(to_jinja(&json))
}

/// Every choice of `size` items, in order.
fn combinations(value: &Value, size: usize) -> Result<Value, Error> {
    const LIMIT: usize = 10_000;
    let mut chosen: Vec<(usize, Vec<Value>)> = vec![(0, Vec::new())];
    let items = items(value)?;
    for _ in 0..size.min(items.len() + 1) {
        let mut longer = Vec::new();
        for (next, row) in &chosen {
            for (at, item) in items.iter().enumerate().skip(*next) {
                longer.push((at + 1, row.iter().chain([item]).cloned().collect()));
            }
        }
        if longer.len() > LIMIT {
            return Err(invalid(format!("combinations has more than {LIMIT} rows")));
        }
        chosen = longer;
    }
    Ok(list(chosen.into_iter().map(|(_, row)| list(row))))
}

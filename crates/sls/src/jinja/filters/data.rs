//! Filters and tests on lists and dictionaries.

use minijinja::value::{Kwargs, Rest, Tuple, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::super::convert::{to_jinja, to_json};
use super::super::mutable::{dict, invalid, list, pairs_of};
use super::named;
use crate::lookup;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("sequence", sequence);
    named::add(env, "flatten", &["levels", "preserve_nulls"], flatten);
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
    named::add(env, "traverse", &["key", "default", "delimiter"], traverse);
    named::add(env, "json_query", &["expr"], json_query);
    env.add_filter("zip", zip);
    env.add_filter("product", product);
    env.add_filter("compress", compress);
    let of_path = &["keys", "value", "delimiter"];
    named::add(env, "set_dict_key_value", of_path, set_at);
    named::add(env, "update_dict_key_value", of_path, set_at);
    named::add(env, "append_dict_key_value", of_path, append_at);
    named::add(env, "extend_dict_key_value", of_path, extend_at);
    env.add_filter("combinations", |value: Value, size: usize| {
        combinations(&value, size)
    });
    named::add(env, "permutations", &["r"], permutations);
    env.add_filter("zip_longest", zip_longest);
    named::add(env, "compare_lists", &["new"], compare_lists);
    named::add(env, "compare_dicts", &["new"], compare_dicts);
    named::add(
        env,
        "check_whitelist_blacklist",
        &["whitelist", "blacklist"],
        is_admitted,
    );
    env.add_filter("method_call", method_call);
    env.add_filter("unique", |value: Value| items(&value).map(unique));
    env.add_test("list", |value: &Value| value.kind() == ValueKind::Seq);
}

fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from(Tuple::from(items.into_iter().collect::<Vec<_>>()))
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

fn flatten(value: Value, levels: Option<usize>, nulls: Option<bool>) -> Result<Value, Error> {
    fn walk(value: &Value, levels: usize, nulls: bool, out: &mut Vec<Value>) -> Result<(), Error> {
        for item in value.try_iter()? {
            match item.kind() {
                ValueKind::Seq | ValueKind::Iterable if levels > 0 => {
                    walk(&item, levels - 1, nulls, out)?;
                }
                ValueKind::None if !nulls => {}
                _ => out.push(item),
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    let levels = levels.unwrap_or(100).min(100);
    walk(&value, levels, nulls == Some(true), &mut out)?;
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

/// So many signs of a query may open something: each may nest, and a query is read recursively.
const DEEPEST_QUERY: usize = 64;

/// What a JMESPath expression finds.
fn json_query(value: Value, expr: String) -> Result<Value, Error> {
    if expr.matches(['(', '[', '{', '!', '&', '.', '|']).count() > DEEPEST_QUERY {
        return Err(invalid(format!(
            "the query has more than {DEEPEST_QUERY} steps; query in several"
        )));
    }
    let wrong = |fault: jmespath::JmespathError| {
        let fault = fault.to_string();
        let cause = fault.lines().next().unwrap_or_default();
        invalid(format!("the query '{expr}' cannot be used: {cause}"))
    };
    let query = jmespath::compile(&expr).map_err(wrong)?;
    let found = query.search(to_json(&value)?).map_err(wrong)?;
    let json = serde_json::to_value(&*found).map_err(|fault| invalid(fault.to_string()))?;
    Ok(to_jinja(&whole(json)))
}

/// With whole numbers as such: the functions of a query count in fractions, Python's in what they were given.
fn whole(value: crate::Value) -> crate::Value {
    match value {
        crate::Value::Array(items) => items.into_iter().map(whole).collect(),
        crate::Value::Object(map) => map.into_iter().map(|(k, v)| (k, whole(v))).collect(),
        crate::Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            let digits = text
                .strip_suffix(".0")
                .and_then(|digits| digits.parse::<i64>().ok());
            digits.map_or(crate::Value::Number(number), crate::Value::from)
        }
        other => other,
    }
}

fn zip(first: Value, others: Rest<Value>) -> Result<Value, Error> {
    let mut columns = vec![items(&first)?];
    for other in others.iter() {
        columns.push(items(other)?);
    }
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok(list((0..length).map(|row| {
        tuple(columns.iter().map(|column| column[row].clone()))
    })))
}

fn product(first: Value, others: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    const LIMIT: usize = 10_000;
    let repeat = kwargs.get::<Option<usize>>("repeat")?.unwrap_or(1).min(16);
    kwargs.assert_all_used()?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    let factors: Vec<&Value> = std::iter::once(&first).chain(others.iter()).collect();
    for factor in factors.repeat(repeat) {
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
    Ok(list(rows.into_iter().map(tuple)))
}

/// The items whose selector is true.
fn compress(value: Value, selectors: Value) -> Result<Value, Error> {
    let chosen = items(&value)?
        .into_iter()
        .zip(items(&selectors)?)
        .filter(|(_, selector)| selector.is_true());
    Ok(list(chosen.map(|(item, _)| item)))
}

/// A copy of a dictionary with the value at a path set; a dictionary there takes the new one's keys.
fn set_at(value: Value, path: String, new: Value, by: Option<String>) -> Result<Value, Error> {
    let mut json = to_json(&value)?;
    let nested = lookup::nest(to_json(&new)?, &colons(&path, by));
    lookup::merge(&mut json, nested, false);
    Ok(to_jinja(&json))
}

/// A copy of a dictionary with an item added to the list at a path.
fn append_at(value: Value, path: String, item: Value, by: Option<String>) -> Result<Value, Error> {
    extend_with(&value, &colons(&path, by), vec![to_json(&item)?])
}

/// A copy of a dictionary with items added to the list at a path.
fn extend_at(value: Value, path: String, items: Value, by: Option<String>) -> Result<Value, Error> {
    let items = items.try_iter()?.map(|item| to_json(&item));
    extend_with(&value, &colons(&path, by), items.collect::<Result<_, _>>()?)
}

fn colons(path: &str, delimiter: Option<String>) -> String {
    match delimiter {
        Some(delimiter) if !delimiter.is_empty() => path.replace(&delimiter, ":"),
        _ => path.to_owned(),
    }
}

fn extend_with(value: &Value, path: &str, more: Vec<crate::Value>) -> Result<Value, Error> {
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
    Ok(list(chosen.into_iter().map(|(_, row)| tuple(row))))
}

/// Every order of every choice of `size` items, of all of them without a size.
fn permutations(value: Value, size: Option<usize>) -> Result<Value, Error> {
    const LIMIT: usize = 10_000;
    let items = items(&value)?;
    let size = size.unwrap_or(items.len());
    if size > items.len() {
        return Ok(list([]));
    }
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = rows.iter().flat_map(|row| {
            let free = (0..items.len()).filter(|at| !row.contains(at));
            free.map(|at| row.iter().copied().chain([at]).collect())
        });
        rows = longer.take(LIMIT + 1).collect();
        if rows.len() > LIMIT {
            return Err(invalid(format!("permutations has more than {LIMIT} rows")));
        }
    }
    let row = |row: Vec<usize>| tuple(row.into_iter().map(|at| items[at].clone()));
    Ok(list(rows.into_iter().map(row)))
}

/// As `zip`, up to the end of the longest; what is missing is `fillvalue`, none by default.
fn zip_longest(first: Value, others: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let fill = kwargs
        .get::<Option<Value>>("fillvalue")?
        .unwrap_or(Value::from(()));
    kwargs.assert_all_used()?;
    let mut columns = vec![items(&first)?];
    for other in others.iter() {
        columns.push(items(other)?);
    }
    let length = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok(list((0..length).map(|row| {
        let cell = |column: &Vec<Value>| column.get(row).unwrap_or(&fill).clone();
        tuple(columns.iter().map(cell))
    })))
}

/// What is only in the second list as `new`, what is only in the first as `old`.
fn compare_lists(old: Value, new: Value) -> Result<Value, Error> {
    let (old, new) = (items(&old)?, items(&new)?);
    let only = |a: &[Value], b: &[Value]| {
        let found: Vec<Value> = a.iter().filter(|item| !b.contains(item)).cloned().collect();
        (!found.is_empty()).then(|| list(found))
    };
    let pairs = [("new", only(&new, &old)), ("old", only(&old, &new))];
    let found = pairs
        .into_iter()
        .filter_map(|(key, items)| Some((Value::from(key), items?)));
    Ok(dict(found))
}

/// `{key: {old: …, new: …}}` for each key whose value differs; an absent value is an empty text.
fn compare_dicts(old: Value, new: Value) -> Result<Value, Error> {
    let (old, new) = (pairs_of(&old)?, pairs_of(&new)?);
    let find = |pairs: &[(Value, Value)], key: &Value| {
        let found = pairs.iter().find(|(other, _)| other == key);
        found.map_or(Value::from(""), |(_, value)| value.clone())
    };
    let gone = old
        .iter()
        .filter(|(key, _)| !new.iter().any(|(other, _)| other == key));
    let keys = new.iter().chain(gone).map(|(key, _)| key);
    let differing = keys.filter_map(|key| {
        let (was, is) = (find(&old, key), find(&new, key));
        let change = || {
            dict([
                (Value::from("old"), was.clone()),
                (Value::from("new"), is.clone()),
            ])
        };
        (was != is).then(|| (key.clone(), change()))
    });
    Ok(dict(differing))
}

/// Whether a text is on the white list and not on the black one. A missing list decides nothing; an entry is a shell
/// pattern or a regular expression for the whole text.
fn is_admitted(
    text: String,
    whitelist: Option<Value>,
    blacklist: Option<Value>,
) -> Result<bool, Error> {
    let is_on = |entries: &Option<Value>| -> Result<Option<bool>, Error> {
        let entries = match entries {
            Some(one) if one.as_str().is_some() => vec![one.clone()],
            Some(some) if some.is_true() => items(some)?,
            _ => return Ok(None),
        };
        Ok(Some(entries.iter().any(|entry| {
            let pattern = entry.to_string();
            crate::glob::matches(&pattern, &text)
                || regex::Regex::new(&format!("^(?:{pattern})$"))
                    .is_ok_and(|regex| regex.is_match(&text))
        })))
    };
    let (white, black) = (is_on(&whitelist)?, is_on(&blacklist)?);
    Ok(white.unwrap_or(true) && !black.unwrap_or(false))
}

/// Calls the method of this name; none when the value has no such method.
fn method_call(
    state: &mut State<'_, '_>,
    value: Value,
    name: String,
    args: Rest<Value>,
) -> Result<Value, Error> {
    match value.call_method(state, &name, &args) {
        Err(error) if error.kind() == ErrorKind::UnknownMethod => Ok(Value::from(())),
        result => result,
    }
}

//! Parameters and answers of lists.

use super::Ctx;
use super::error::ApiError;
use db::{Collection, Counted, ListQuery, Page, Sort};
use model::HostId;
use server_api::list::MAX_LIMIT;
use server_api::{Facet, FacetValue, List};
use utoipa::IntoParams;
use uuid::Uuid;

/// Rows of a window when nothing is asked for.
const DEFAULT_LIMIT: u32 = 50;

/// Parameters as they stand in the URL, in order.
pub type Pairs = axum::extract::Query<Vec<(String, String)>>;

/// Parameters of every list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters in the OpenAPI document; `read` takes them"
)]
pub struct ListParams {
    /// Part of a name, address, UUID…, in any case.
    search: Option<String>,
    /// Status words, separated by commas.
    status: Option<String>,
    /// Ids or names of hosts, separated by commas.
    host: Option<String>,
    /// Field to sort by; with a leading `-` in falling order.
    sort: Option<String>,
    /// Index of the first row.
    offset: Option<u64>,
    /// Most rows, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Reads the parameters of a list of `T`. `extra` takes those that only this list has.
///
/// # Errors
/// Names the parameter that cannot be.
pub async fn read<T: Collection>(
    ctx: &Ctx,
    pairs: &Pairs,
    extra: impl Fn(&mut ListQuery, &str, &str) -> Result<bool, ApiError>,
) -> Result<ListQuery, ApiError> {
    let mut query = ListQuery {
        limit: DEFAULT_LIMIT,
        ..ListQuery::default()
    };
    for (name, value) in &pairs.0 {
        match name.as_str() {
            "search" => query.search = value.trim().to_owned(),
            "status" => query.status.extend(statuses::<T>(value)?),
            "host" => query.hosts.extend(hosts(ctx, value).await?),
            "sort" => query.sort = Some(sort::<T>(value)?),
            "offset" => query.offset = number("offset", value, 0, u64::MAX >> 1)?,
            "limit" => {
                let limit = number("limit", value, 1, u64::from(MAX_LIMIT))?;
                query.limit = u32::try_from(limit).unwrap_or(MAX_LIMIT);
            }
            other if extra(&mut query, other, value)? => {}
            other => {
                return Err(ApiError::field(
                    other,
                    format!("This list has no parameter {other:?}"),
                ));
            }
        }
    }
    Ok(query)
}

/// No parameters beyond those of every list.
pub fn no_extra(_: &mut ListQuery, _: &str, _: &str) -> Result<bool, ApiError> {
    Ok(false)
}

/// A UUID in a parameter.
///
/// # Errors
/// Names the parameter when it is none.
pub fn id(field: &str, value: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(value)
        .map_err(|_| ApiError::field(field, format!("{field} is not a UUID: {value:?}")))
}

fn statuses<T: Collection>(value: &str) -> Result<Vec<String>, ApiError> {
    let known = T::statuses();
    let words = value.split(',').filter(|word| !word.is_empty());
    words
        .map(|word| {
            if known.contains(&word) {
                return Ok(word.to_owned());
            }
            let message = format!("status {word:?} is none of {}", known.join(", "));
            Err(ApiError::field("status", message))
        })
        .collect()
}

async fn hosts(ctx: &Ctx, value: &str) -> Result<Vec<HostId>, ApiError> {
    let mut found = Vec::new();
    for word in value.split(',').filter(|word| !word.is_empty()) {
        if let Ok(id) = Uuid::parse_str(word) {
            found.push(HostId(id));
            continue;
        }
        let hosts = ctx.store.all_hosts().await?;
        let before = found.len();
        found.extend(
            hosts
                .iter()
                .filter(|host| host.facts.name == word)
                .map(|host| host.id),
        );
        if found.len() == before {
            return Err(ApiError::field(
                "host",
                format!("There is no host {word:?}"),
            ));
        }
    }
    Ok(found)
}

fn sort<T: Collection>(value: &str) -> Result<Sort, ApiError> {
    Sort::parse::<T>(value).ok_or_else(|| {
        let known: Vec<&str> = Sort::words::<T>().collect();
        let message = format!(
            "sort {value:?} is none of {}, each also with a leading -",
            known.join(", ")
        );
        ApiError::field("sort", message)
    })
}

fn number(field: &str, value: &str, least: u64, most: u64) -> Result<u64, ApiError> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        let message = format!("{field} is not a number from {least} to {most}: {value:?}");
        ApiError::field(field, message)
    })
}

/// A page as the API shows it.
pub fn answer<T, W>(page: Page<T>, query: &ListQuery, render: impl Fn(&T) -> W) -> List<W> {
    let next = query.offset + page.items.len() as u64;
    let more = !page.items.is_empty() && next < page.total;
    List {
        items: page.items.iter().map(render).collect(),
        total: page.total,
        offset: query.offset,
        next_page: more.then(|| next.to_string()),
        revision: page.revision.to_string(),
        facets: vec![
            facet("status", &page.statuses, |word| word.replace('_', " ")),
            facet("host", &page.hosts, str::to_owned),
        ],
    }
}

fn facet(field: &str, counted: &[Counted], label: fn(&str) -> String) -> Facet {
    let value = |counted: &Counted| FacetValue {
        value: counted.value.clone(),
        label: label(&counted.label),
        count: counted.count,
    };
    Facet {
        field: field.to_owned(),
        values: counted.iter().map(value).collect(),
    }
}

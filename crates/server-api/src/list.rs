//! Lists are windows: the server filters, sorts and returns at most 200 rows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most rows of one window.
pub const MAX_LIMIT: u32 = 200;

/// A window of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The rows from `offset` on.
    pub items: Vec<T>,
    /// Rows that match the filter, in all.
    pub total: u64,
    /// Index of the first row.
    pub offset: u64,
    /// `offset` of the next window; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
    /// Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date.
    pub revision: String,
    /// Counts by field over everything that matches the search, whatever the field's own filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
}

/// Counts of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    /// Query parameter it belongs to: `status`, `host`.
    pub field: String,
    /// Its values, most frequent first.
    pub values: Vec<FacetValue>,
}

/// How often a value occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// The value as the query parameter takes it.
    pub value: String,
    /// The value as people read it.
    pub label: String,
    /// How often.
    pub count: u64,
}

//! Lists, window by window.

use crate::{Client, ClientError};
use serde::de::DeserializeOwned;
use server_api::List;
use server_api::list::MAX_LIMIT;

/// Which rows of a list, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    /// Words that a row must contain.
    pub search: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// Name of its host.
    pub host: Option<String>,
    /// Column, with `-` before it for falling order.
    pub sort: Option<String>,
}

impl ListQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self {
            search,
            status,
            host,
            sort,
        } = self;
        [
            ("search", search),
            ("status", status),
            ("host", host),
            ("sort", sort),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)))
        .collect()
    }
}

impl Client {
    /// All rows of a list, or the first `most`, asked for in windows.
    ///
    /// Rows that come or go meanwhile may be missed or seen twice: the windows are not one moment.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &ListQuery,
        most: usize,
    ) -> Result<Vec<T>, ClientError> {
        let mut rows: Vec<T> = Vec::new();
        let mut offset = "0".to_owned();
        while rows.len() < most {
            let limit = (most - rows.len()).min(MAX_LIMIT as usize);
            let mut pairs = query.pairs();
            pairs.push(("offset", offset.clone()));
            pairs.push(("limit", limit.to_string()));
            let window: List<T> = self.get(path, &pairs).await?;
            let empty = window.items.is_empty();
            rows.extend(window.items);
            match window.next_page {
                // A server that sends the same window for ever must not keep us for ever.
                Some(next) if !empty && next != offset => offset = next,
                _ => break,
            }
        }
        Ok(rows)
    }
}

//! The known word closest to a misspelt one.

/// The candidate with the fewest edits from `word`, if they are few enough to be a slip. A word and its
/// beginning (`memory`, `mem`) count as close too.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let shortened = |candidate: &str| {
        word.len().min(candidate.len()) >= 3
            && (word.starts_with(candidate) || candidate.starts_with(word))
    };
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let edits = distance(word, candidate);
            let slip = edits <= limit && edits < candidate.chars().count();
            (slip || shortened(candidate)).then_some((edits.min(limit + 1), candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and replacements of one character.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let known = ["running", "pool_running", "network_running", "defined"];
        assert_eq!(closest("runing", known), Some("running"));
        assert_eq!(closest("pool_runing", known), Some("pool_running"));
        assert_eq!(closest("zzz", known), None);
        assert_eq!(closest("memory", ["retry", "mem", "cpu"]), Some("mem"));
    }
}

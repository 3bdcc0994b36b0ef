//! Suggestions for names that do not exist.

/// The candidate with the fewest edits from `word`, if they are few enough to be a slip.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = word.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let replace = above[column] + usize::from(x != *y);
            line.push(replace.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let known = ["srv01", "srv02", "web"];
        assert_eq!(nearest("srv0l", known), Some("srv01"));
        assert_eq!(nearest("tset", ["test"]), Some("test"));
        assert_eq!(nearest("wb", known), Some("web"));
        assert_eq!(nearest("database", known), None);
        assert_eq!(nearest("", known), None);
    }
}

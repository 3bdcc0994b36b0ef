//! The known word closest to a misspelt one.

/// The candidate with the fewest edits from `word`, if they are few enough to be a slip: for every "did you mean".
///
/// A third of the word's characters may differ, at least one. A word and its beginning (`memory`, `mem`) count as
/// close too, after every slip. Of several equally close ones, the first.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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

/// The edits between two words: characters inserted, left out or replaced, and neighbours swapped.
/// Source: the optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut edits = replaced.min(next[j] + 1).min(row[j + 1] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                edits = edits.min(before[j - 1] + 1);
            }
            next.push(edits);
        }
        before = std::mem::replace(&mut row, next);
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
        assert_eq!(closest("vcn", ["none", "vnc", "spice"]), Some("vnc"));
        assert_eq!(closest("memory", ["retry", "mem", "cpu"]), Some("mem"));
    }
}

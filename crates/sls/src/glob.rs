//! Shell patterns as Python's `fnmatch` reads them: `*`, `?`, `[a-c]`, `[!x]`.

/// Whether `text` matches the whole `pattern`. Case matters.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !is_pattern(pattern) {
        return pattern == text;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // The last star and how much of the text it had taken: going back there is enough.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(next) = one(&pattern, p, text[t]) {
            p = next;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether `text` has any character with a meaning in patterns.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Matches one character at `p`; the place after it in the pattern.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match *pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => match class(pattern, p) {
            Some((members, negated, end)) => (in_class(members, c) != negated).then_some(end),
            None => (c == '[').then_some(p + 1),
        },
        literal => (literal == c).then_some(p + 1),
    }
}

/// The members of a class that opens at `p`, whether it is negated, and the place after it.
fn class(pattern: &[char], p: usize) -> Option<(&[char], bool, usize)> {
    let negated = pattern.get(p + 1) == Some(&'!');
    let start = p + 1 + usize::from(negated);
    // A closing bracket in first place is a member.
    let length = pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let end = start + 1 + length;
    Some((&pattern[start..end], negated, end + 1))
}

fn in_class(members: &[char], c: char) -> bool {
    let mut i = 0;
    while i < members.len() {
        if i + 2 < members.len() && members[i + 1] == '-' {
            if (members[i]..=members[i + 2]).contains(&c) {
                return true;
            }
            i += 3;
        } else if members[i] == c {
            return true;
        } else {
            i += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_a_shell() {
        let yes = [
            ("*", ""),
            ("kvm*", "kvm1"),
            ("*min-kvm*", "a-min-kvm-b"),
            ("?[0-9]", "a7"),
            ("[!a]x", "bx"),
            ("[]]", "]"),
            ("a[", "a["),
        ];
        let no = [
            ("kvm", "kvm1"),
            ("[!a]x", "ax"),
            ("a?", "a"),
            ("*b", "abc"),
            ("A", "a"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} should match {text}");
        }
        for (pattern, text) in no {
            assert!(!matches(pattern, text), "{pattern} should not match {text}");
        }
    }
}

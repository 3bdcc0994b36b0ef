//! Two texts line by line: what goes, what comes, and a little of what stays around it.

/// A line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Kept(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Lines that stay are shown this far around a change.
const CONTEXT: usize = 2;
/// Beyond so many pairs of lines, the old text is shown as gone and the new one as new.
const LARGEST: usize = 16 << 20;

/// The difference as lines with `+`, `-` or a blank before them; `…` stands for lines left out.
pub(crate) fn unified(before: &str, after: &str) -> Vec<String> {
    let lines = compare(before, after);
    let changed: Vec<usize> = (0..lines.len())
        .filter(|index| !matches!(lines[*index], Line::Kept(_)))
        .collect();
    let mut out = Vec::new();
    let mut left_out = false;
    for (index, line) in lines.iter().enumerate() {
        let next = changed.partition_point(|changed| *changed < index);
        let near = |at: Option<&usize>| at.is_some_and(|at| at.abs_diff(index) <= CONTEXT);
        if near(changed.get(next)) || next > 0 && near(changed.get(next - 1)) {
            out.push(match line {
                Line::Kept(text) => format!("  {text}"),
                Line::Gone(text) => format!("- {text}"),
                Line::New(text) => format!("+ {text}"),
            });
            left_out = false;
        } else if !left_out {
            out.push("…".to_owned());
            left_out = true;
        }
    }
    out
}

/// The shortest way from one text to the other, by the longest common subsequence of lines.
fn compare<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (rest_old, rest_new) = (&old[start..], &new[start..]);
    let end = rest_old
        .iter()
        .rev()
        .zip(rest_new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let middle_old = &rest_old[..rest_old.len() - end];
    let middle_new = &rest_new[..rest_new.len() - end];
    let mut lines: Vec<Line> = old[..start].iter().map(|text| Line::Kept(text)).collect();
    lines.extend(middle(middle_old, middle_new));
    lines.extend(old[old.len() - end..].iter().map(|text| Line::Kept(text)));
    lines
}

fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let all = |old: &[&'a str], new: &[&'a str]| {
        let gone = old.iter().map(|text| Line::Gone(text));
        gone.chain(new.iter().map(|text| Line::New(text))).collect()
    };
    if old.len().saturating_mul(new.len()) > LARGEST {
        return all(old, new);
    }
    let width = new.len() + 1;
    // Length of the longest common subsequence from (i, j) on.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            lines.push(Line::Kept(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines.extend::<Vec<Line>>(all(&old[i..], &new[j..]));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\ni";
        let expected = ["…", "  c", "  d", "- e", "+ E", "  f", "  g", "  h", "+ i"];
        assert_eq!(unified(before, after), expected);
        assert_eq!(unified("", "x\ny"), ["+ x", "+ y"]);
        assert_eq!(unified("x", ""), ["- x"]);
        assert_eq!(unified("a\nb", "b\na"), ["- a", "  b", "+ a"]);
    }
}

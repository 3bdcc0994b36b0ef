//! Tables and lists of facts, readable without colour.

use outputter::visible_line;

/// Rows under a header, columns as wide as their widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; control characters in it are made visible.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        debug_assert_eq!(N, self.header.len(), "a cell for each column");
        self.rows.push(
            cells
                .iter()
                .map(|cell| visible_line(cell).into_owned())
                .collect(),
        );
    }

    /// The table, each line after `indent` blanks, without blanks at the ends.
    pub(crate) fn render(&self, indent: usize) -> String {
        let header: Vec<String> = self.header.iter().map(|cell| (*cell).to_owned()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&header).chain(&self.rows).collect();
        let width = |column: usize| {
            lines
                .iter()
                .map(|cells| cells[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        let mut out = String::new();
        for cells in lines {
            let padded: Vec<String> = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            out.push_str(format!("{:indent$}{}", "", padded.join("  ")).trim_end());
            out.push('\n');
        }
        out
    }
}

/// `Name:  value` lines, values in one column. Empty values are left out.
pub(crate) fn facts(pairs: &[(&str, &str)]) -> String {
    let shown = pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = shown
        .clone()
        .map(|(name, _)| name.len() + 1)
        .max()
        .unwrap_or(0);
    shown
        .map(|(name, value)| format!("{:width$} {}\n", format!("{name}:"), visible_line(value)))
        .collect()
}

/// `yes` or `no`.
pub(crate) fn yes_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn columns_are_as_wide_as_needed() {
        let mut table = Table::new(&["NAME", "HOST", "ADDRESSES"]);
        table.row(["srv01", "kvm1.example", ""]);
        table.row(["größer\u{1b}[1m", "k", "192.168.44.10"]);
        expect![[r#"
            NAME           HOST          ADDRESSES
            srv01          kvm1.example
            größer\x1b[1m  k             192.168.44.10
        "#]]
        .assert_eq(&table.render(0));
    }

    #[test]
    fn facts_stand_in_one_column() {
        expect![[r#"
            Name:        srv01
            Description: two\nlines
        "#]]
        .assert_eq(&facts(&[
            ("Name", "srv01"),
            ("Title", ""),
            ("Description", "two\nlines"),
        ]));
    }
}

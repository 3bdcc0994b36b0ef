//! XML cut into its pieces as they are written, by rules of its own: what the crate's parser and editor do is compared
//! with this and must not lean on the same code.

/// A piece of a document. The texts of all pieces in a row are the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    pub kind: Kind,
    /// As written.
    pub text: &'t str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `<name`
    Open,
    /// Blanks within a tag.
    Gap,
    /// `name=`, with the blanks around the sign.
    Key,
    /// `'value'`
    Value,
    /// `>` of a start tag
    Opened,
    /// `</name>` or `/>`
    Close,
    /// Characters between tags that are not only blanks.
    Text,
    /// Blanks between tags.
    Blank,
    /// Comment, CDATA, instruction, document type.
    Other,
}

/// Cuts a well-formed document.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = if let Some(length) = special(rest) {
            (Kind::Other, length)
        } else if rest.starts_with("</") {
            (Kind::Close, until(rest, ">"))
        } else if rest.starts_with('<') {
            let tag = start_tag(rest);
            rest = &rest[tag.iter().map(|token| token.text.len()).sum()..];
            out.extend(tag);
            continue;
        } else {
            let length = rest.find('<').unwrap_or(rest.len());
            let blank = rest[..length].trim().is_empty();
            (if blank { Kind::Blank } else { Kind::Text }, length)
        };
        let (text, after) = rest.split_at(length);
        out.push(Token { kind, text });
        rest = after;
    }
    out
}

/// The length of a comment, CDATA section, instruction or document type at the start of a text.
fn special(text: &str) -> Option<usize> {
    let ends = [
        ("<!--", "-->"),
        ("<![CDATA[", "]]>"),
        ("<?", "?>"),
        ("<!", ">"),
    ];
    let (_, end) = ends.iter().find(|(start, _)| text.starts_with(start))?;
    Some(until(text, end))
}

fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

fn start_tag(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut kind = Kind::Open;
    loop {
        let length = match kind {
            Kind::Open => {
                let name = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
                name.unwrap_or(rest.len())
            }
            Kind::Gap => rest.len() - rest.trim_start().len(),
            Kind::Key => {
                let sign = until(rest, "=");
                sign + (rest[sign..].len() - rest[sign..].trim_start().len())
            }
            Kind::Value => 1 + until(&rest[1..], &rest[..1]),
            Kind::Close => 2,
            _ => 1,
        };
        let (text, after) = rest.split_at(length);
        out.push(Token { kind, text });
        rest = after;
        kind = match (kind, rest.chars().next()) {
            (Kind::Opened | Kind::Close, _) | (_, None) => return out,
            (Kind::Key, _) => Kind::Value,
            (_, Some('>')) => Kind::Opened,
            (_, Some('/')) => Kind::Close,
            (_, Some(c)) if c.is_whitespace() => Kind::Gap,
            _ => Kind::Key,
        };
    }
}

/// The pieces without layout. A self-closing element counts as one that is opened and closed, and the blanks around a
/// text do not count.
pub fn essence(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut open = Vec::new();
    for token in tokens(text) {
        match token.kind {
            Kind::Gap | Kind::Blank | Kind::Opened => {}
            Kind::Open => {
                open.push(&token.text[1..]);
                out.push(token.text.to_owned());
            }
            Kind::Close => out.push(format!("</{}>", open.pop().unwrap_or_default())),
            Kind::Key => out.push(token.text.split_whitespace().collect()),
            Kind::Value => out.push(token.text[1..token.text.len() - 1].to_owned()),
            Kind::Text | Kind::Other => out.push(token.text.trim().to_owned()),
        }
    }
    out
}

#[test]
fn a_document_is_its_tokens_in_a_row() {
    let xml = "<?xml version='1.0'?>\n<a  k = \"x>'y\" q:z='/'>t<!-- > --><b/> <c\n/><![CDATA[<d>]]></a >\n";
    let joined: String = tokens(xml).iter().map(|token| token.text).collect();
    assert_eq!(joined, xml);
    let essence = essence(xml).join(" ");
    assert_eq!(
        essence,
        "<?xml version='1.0'?> <a k= x>'y q:z= / t <!-- > --> <b </b> <c </c> <![CDATA[<d>]]> </a>"
    );
}

//! Parser of server-sent events. Source: WHATWG HTML, "Server-sent events".

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerEvent {
    /// Its kind; `message` when it has none.
    pub(crate) kind: String,
    /// Its data, lines joined by line breaks.
    pub(crate) data: String,
    /// The last id seen, of this event or an earlier one.
    pub(crate) id: Option<String>,
}

/// An event larger than this is refused: the buffer must not grow without end.
const MOST_BYTES: usize = 16 << 20;

/// Takes a body piece by piece, cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    buffer: Vec<u8>,
    kind: String,
    data: Vec<String>,
    id: Option<String>,
}

/// The stream holds an event of more than 16 MiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Parser {
    /// Takes the next piece; returns the events that it completes.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<ServerEvent>, TooLarge> {
        self.buffer.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some((end, next)) = self.line_end(start) {
            let line = String::from_utf8_lossy(&self.buffer[start..end]).into_owned();
            start = next;
            events.extend(self.line(&line));
        }
        self.buffer.drain(..start);
        let held = self.buffer.len() + self.data.iter().map(String::len).sum::<usize>();
        if held > MOST_BYTES {
            Err(TooLarge)
        } else {
            Ok(events)
        }
    }

    /// End of the line that begins at `start`, and the start of the next one.
    fn line_end(&self, start: usize) -> Option<(usize, usize)> {
        let rest = &self.buffer[start..];
        let at = rest.iter().position(|b| matches!(b, b'\n' | b'\r'))?;
        let width = match (rest[at], rest.get(at + 1)) {
            (b'\r', Some(b'\n')) => 2,
            // It may be the first half of a line break; wait for what follows.
            (b'\r', None) => return None,
            _ => 1,
        };
        Some((start + at, start + at + width))
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            return self.complete();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => self.data.push(value.to_owned()),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment (`: keep-alive`), `retry`, or something that is to come.
            _ => {}
        }
        None
    }

    fn complete(&mut self) -> Option<ServerEvent> {
        let kind = std::mem::take(&mut self.kind);
        let data = std::mem::take(&mut self.data);
        // `reset` carries no data; an event without kind and data is none.
        if kind.is_empty() && data.is_empty() {
            return None;
        }
        let kind = if kind.is_empty() {
            "message".to_owned()
        } else {
            kind
        };
        Some(ServerEvent {
            kind,
            data: data.join("\n"),
            id: self.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ": hello\n\nid: 1-5\nevent: change\ndata: {\"a\":\r\ndata:\"ä\"}\r\n\r\nevent: reset\n\ndata: x\rid\n\n";

    fn event(kind: &str, data: &str, id: &str) -> ServerEvent {
        ServerEvent {
            kind: kind.into(),
            data: data.into(),
            id: Some(id.into()),
        }
    }

    #[test]
    fn events_are_the_same_wherever_the_body_is_cut() {
        let expected = [
            event("change", "{\"a\":\n\"ä\"}", "1-5"),
            event("reset", "", "1-5"),
            event("message", "x", ""),
        ];
        for size in 1..TEXT.len() {
            let mut parser = Parser::default();
            let events: Vec<_> = TEXT
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| parser.push(piece).expect("small"))
                .collect();
            assert_eq!(events, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let piece = [b'x'; 1 << 20];
        assert!((0..20).any(|_| parser.push(&piece) == Err(TooLarge)));
    }
}

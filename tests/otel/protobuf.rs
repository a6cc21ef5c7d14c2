//! As much of protobuf and OTLP as it takes to read spans (opentelemetry/proto/trace/v1/trace.proto).

/// A span.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub trace: Vec<u8>,
    pub id: Vec<u8>,
    pub parent: Vec<u8>,
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Span {
    /// The value of an attribute, numbers in decimal.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }
}

/// The spans of an ExportTraceServiceRequest.
pub fn spans_of(request: &[u8]) -> Vec<Span> {
    let resources = messages(request, 1);
    let scopes = resources.into_iter().flat_map(|resource| messages(resource, 2));
    scopes.flat_map(|scope| messages(scope, 2)).map(span).collect()
}

fn span(message: &[u8]) -> Span {
    let bytes = |field| messages(message, field).first().map(|bytes| bytes.to_vec()).unwrap_or_default();
    Span {
        trace: bytes(1),
        id: bytes(2),
        parent: bytes(4),
        name: text(&bytes(5)),
        attributes: messages(message, 9).into_iter().map(attribute).collect(),
    }
}

fn attribute(message: &[u8]) -> (String, String) {
    let key = messages(message, 1).first().map(|key| text(key)).unwrap_or_default();
    let value = messages(message, 2).first().copied().unwrap_or_default();
    let value = match fields(value).into_iter().next() {
        Some((_, Value::Bytes(word))) => text(word),
        Some((_, Value::Number(number))) => number.to_string(),
        None => String::new(),
    };
    (key, value)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The contents of every field of this number that is a message, text or bytes.
fn messages(message: &[u8], wanted: u64) -> Vec<&[u8]> {
    let fields = fields(message).into_iter();
    fields
        .filter_map(|(field, value)| match value {
            Value::Bytes(bytes) if field == wanted => Some(bytes),
            _ => None,
        })
        .collect()
}

fn fields(mut message: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)),
            1 => Value::Bytes(take(&mut message, 8)),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                Value::Bytes(take(&mut message, length))
            }
            5 => Value::Bytes(take(&mut message, 4)),
            kind => panic!("no such kind of field: {kind}"),
        };
        found.push((tag >> 3, value));
    }
    found
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = message.split_at(length);
    *message = rest;
    taken
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

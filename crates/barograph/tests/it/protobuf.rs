//! Writes protocol buffers for tests, field by field.

#[derive(Debug, Default, Clone)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn number(mut self, mut number: u64) -> Self {
        while number >= 0x80 {
            self.0.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap());
        self
    }

    pub(crate) fn varint(self, field: u64, value: u64) -> Self {
        self.number(field << 3).number(value)
    }

    pub(crate) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut message = self.number(field << 3 | 2).number(bytes.len() as u64);
        message.0.extend_from_slice(bytes);
        message
    }

    pub(crate) fn double(self, field: u64, value: f64) -> Self {
        let mut message = self.number(field << 3 | 1);
        message.0.extend_from_slice(&value.to_le_bytes());
        message
    }
}

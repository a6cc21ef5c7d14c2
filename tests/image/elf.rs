//! As much of a 64-bit little-endian ELF file as tells whether it is static, stripped, and what sections it has.

/// A program, read.
pub struct File<'a> {
    bytes: &'a [u8],
}

const INTERPRETER: u32 = 3;
const DYNAMIC: u32 = 2;
const NEEDED: u64 = 1;

impl<'a> File<'a> {
    /// A program.
    ///
    /// # Panics
    /// If it is none.
    pub fn read(bytes: &'a [u8]) -> Self {
        assert_eq!(&bytes[..6], b"\x7fELF\x02\x01", "not an ELF file of 64 bits, little-endian");
        Self { bytes }
    }

    /// The loader that it asks for.
    pub fn interpreter(&self) -> Option<String> {
        let bytes = self.segment(INTERPRETER)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// How many libraries it asks for.
    pub fn needed(&self) -> usize {
        let entries = self.segment(DYNAMIC).unwrap_or_default().chunks_exact(16);
        entries.filter(|entry| number(entry, 0, 8) == NEEDED).count()
    }

    /// Whether it has a section of this name.
    pub fn has_section(&self, name: &str) -> bool {
        let (start, size, count) = (self.header(40, 8), self.header(58, 2), self.header(60, 2));
        let section = |index: u64| place(start + index * size);
        let names = place(number(self.bytes, section(self.header(62, 2)) + 24, 8));
        (0..count).any(|index| {
            let offset = names + place(number(self.bytes, section(index), 4));
            self.bytes[offset..].split(|byte| *byte == 0).next() == Some(name.as_bytes())
        })
    }

    /// The bytes of the first segment of this type.
    fn segment(&self, wanted: u32) -> Option<&'a [u8]> {
        let (start, size, count) = (self.header(32, 8), self.header(54, 2), self.header(56, 2));
        let headers = (0..count).map(|index| place(start + index * size));
        let header = headers.into_iter().find(|at| number(self.bytes, *at, 4) == u64::from(wanted))?;
        let (offset, length) =
            (place(number(self.bytes, header + 8, 8)), place(number(self.bytes, header + 32, 8)));
        Some(&self.bytes[offset..offset + length])
    }

    fn header(&self, offset: usize, length: usize) -> u64 {
        number(self.bytes, offset, length)
    }
}

fn number(bytes: &[u8], offset: usize, length: usize) -> u64 {
    bytes[offset..offset + length].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

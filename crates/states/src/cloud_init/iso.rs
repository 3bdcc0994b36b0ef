//! A small ISO 9660 writer: one directory with a few files, once with the plain names and once with Joliet's.
//! Source: ECMA-119 (volume descriptors 8, directory records 9.1, path tables 9.4); Joliet Specification.
//!
//! ```text
//! sector 16 primary descriptor   19, 20 path tables          23 directory         25 … files
//!        17 Joliet descriptor    21, 22 Joliet's path tables 24 Joliet's directory
//!        18 terminator
//! ```
//! There are no dates in it, so that the same files make the same image.

const SECTOR: usize = 2048;
const PRIMARY: usize = 16;
const JOLIET: usize = 17;
const TERMINATOR: usize = 18;
const FIRST_FILE: usize = 25;

/// Which of the two directory trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Plain,
    Joliet,
}

/// The image. `label` and the names are short and ASCII, and the names are in their order; all records fit in one sector.
pub(super) fn image(label: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut next = FIRST_FILE;
    let placed: Vec<(&str, usize, usize)> = files
        .iter()
        .map(|(name, content)| {
            let at = next;
            next += content.len().div_ceil(SECTOR);
            (*name, at, content.len())
        })
        .collect();
    let mut image = vec![0; next * SECTOR];
    let mut put = |sector: usize, bytes: &[u8]| {
        let at = sector * SECTOR;
        image[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(PRIMARY, &descriptor(Tree::Plain, label, next));
    put(JOLIET, &descriptor(Tree::Joliet, label, next));
    put(TERMINATOR, b"\xffCD001\x01");
    for tree in [Tree::Plain, Tree::Joliet] {
        put(
            tree.path_table(),
            &path_table(tree, u32::to_le_bytes, [1, 0]),
        );
        put(
            tree.path_table() + 1,
            &path_table(tree, u32::to_be_bytes, [0, 1]),
        );
        put(tree.directory(), &directory(tree, &placed));
    }
    for ((_, at, _), (_, content)) in placed.iter().zip(files) {
        put(*at, content);
    }
    image
}

impl Tree {
    /// Sector of the little-endian table; the big-endian one is in the next.
    const fn path_table(self) -> usize {
        match self {
            Self::Plain => 19,
            Self::Joliet => 21,
        }
    }

    const fn directory(self) -> usize {
        match self {
            Self::Plain => 23,
            Self::Joliet => 24,
        }
    }

    /// Plain names are in capitals and with a version, which every reader takes off again.
    fn file_name(self, name: &str) -> Vec<u8> {
        match self {
            Self::Plain => format!("{}.;1", name.to_ascii_uppercase()).into_bytes(),
            Self::Joliet => wide(name),
        }
    }

    /// A text field, filled up with blanks.
    fn field(self, text: &str, size: usize) -> Vec<u8> {
        let blanks = " ".repeat(size - text.len());
        let mut field = match self {
            Self::Plain => format!("{}{blanks}", text.to_ascii_uppercase()).into_bytes(),
            Self::Joliet => wide(&format!("{text}{blanks}")),
        };
        field.truncate(size);
        field
    }
}

/// UCS-2, the most significant byte first.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// A number in both byte orders.
fn both32(value: usize) -> [u8; 8] {
    let value = u32::try_from(value).expect("images of a few files are far below 4 GiB");
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&value.to_le_bytes());
    bytes[4..].copy_from_slice(&value.to_be_bytes());
    bytes
}

fn both16(value: u16) -> [u8; 4] {
    let [a, b] = value.to_le_bytes();
    [a, b, b, a]
}

fn descriptor(tree: Tree, label: &str, sectors: usize) -> Vec<u8> {
    let mut d = vec![0; SECTOR];
    let mut put = |at: usize, bytes: &[u8]| d[at..at + bytes.len()].copy_from_slice(bytes);
    put(
        0,
        if tree == Tree::Plain {
            b"\x01"
        } else {
            b"\x02"
        },
    );
    put(1, b"CD001\x01");
    put(8, &tree.field("", 32));
    put(40, &tree.field(label, 32));
    put(80, &both32(sectors));
    if tree == Tree::Joliet {
        // Level 3: UCS-2 without limits.
        put(88, b"%/E");
    }
    put(120, &both16(1));
    put(124, &both16(1));
    put(128, &both16(2048));
    put(132, &both32(10));
    let table = u32::try_from(tree.path_table()).expect("a small number");
    put(140, &table.to_le_bytes());
    put(148, &(table + 1).to_be_bytes());
    put(156, &record(&[0], tree.directory(), SECTOR, true));
    for (at, size) in [
        (190, 128),
        (318, 128),
        (446, 128),
        (574, 128),
        (702, 37),
        (739, 37),
        (776, 37),
    ] {
        put(at, &tree.field("", size));
    }
    for at in [813, 830, 847, 864] {
        // No date.
        put(at, b"0000000000000000\0");
    }
    put(881, &[1]);
    d
}

fn path_table(tree: Tree, order: fn(u32) -> [u8; 4], parent: [u8; 2]) -> Vec<u8> {
    let extent = u32::try_from(tree.directory()).expect("a small number");
    let mut table = vec![1, 0];
    table.extend(order(extent));
    table.extend(parent);
    table.extend([0, 0]);
    table
}

/// The directory itself, its parent (the same), and the files.
fn directory(tree: Tree, files: &[(&str, usize, usize)]) -> Vec<u8> {
    let own = |name| record(&[name], tree.directory(), SECTOR, true);
    let mut records = [own(0), own(1)].concat();
    for (name, at, size) in files {
        records.extend(record(&tree.file_name(name), *at, *size, false));
    }
    records
}

fn record(name: &[u8], extent: usize, size: usize, is_directory: bool) -> Vec<u8> {
    let mut record = vec![0, 0];
    record.extend(both32(extent));
    record.extend(both32(size));
    record.extend([0; 7]);
    record.extend([if is_directory { 2 } else { 0 }, 0, 0]);
    record.extend(both16(1));
    record.push(u8::try_from(name.len()).expect("names are short"));
    record.extend(name);
    if record.len() % 2 == 1 {
        record.push(0);
    }
    record[0] = u8::try_from(record.len()).expect("names are short");
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the image back through one of its descriptors.
    fn read(image: &[u8], descriptor: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let number = |at: usize| {
            let bytes = image[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes) as usize
        };
        let root = descriptor * SECTOR + 156;
        let (mut at, mut files) = (number(root + 2) * SECTOR, Vec::new());
        while image[at] > 0 {
            let name = &image[at + 33..at + 33 + usize::from(image[at + 32])];
            let from = number(at + 2) * SECTOR;
            if image[at + 25] == 0 {
                let content = &image[from..from + number(at + 10)];
                files.push((name.to_vec(), content.to_vec()));
            }
            at += usize::from(image[at]);
        }
        files
    }

    #[test]
    fn the_files_are_read_back_under_both_names() {
        let long = vec![b'x'; SECTOR + 1];
        let files: [(&str, &[u8]); 3] = [
            ("meta-data", b""),
            ("network-config", &long),
            ("user-data", b"#!"),
        ];
        let image = image("cidata", &files);
        assert_eq!(image.len() % SECTOR, 0);
        assert_eq!(&image[PRIMARY * SECTOR + 40..][..8], b"CIDATA  ");
        assert_eq!(
            &image[JOLIET * SECTOR + 40..][..14],
            b"\0c\0i\0d\0a\0t\0a\0 "
        );
        let plain = read(&image, PRIMARY);
        let joliet = read(&image, JOLIET);
        for (index, (name, content)) in files.iter().enumerate() {
            let upper = format!("{}.;1", name.to_uppercase()).into_bytes();
            assert_eq!(plain[index], (upper, content.to_vec()));
            assert_eq!(joliet[index], (wide(name), content.to_vec()));
        }
        assert_eq!((plain.len(), joliet.len()), (3, 3));
    }
}

//! Looks at an ELF file before the system's loader does: of a truncated one that would make a SIGBUS.
//!
//! The layout is that of elf(5).

use super::error::LoadProblem;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

const ELFCLASS32: u8 = 1;
const ELFCLASS64: u8 = 2;
const ELFDATA2LSB: u8 = 1;
const ELFDATA2MSB: u8 = 2;
const ET_DYN: u64 = 3;

// Of a segment.
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;

// Of an entry of the dynamic section.
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// More than any path that the loader would follow.
const LONGEST_PATH: usize = 4096;

/// Whether the file is a whole shared library for this machine.
pub(super) fn check(file: &File, length: u64) -> Result<(), LoadProblem> {
    Elf::open(file, length)?.check(length).map_err(|wrong| match wrong {
        Wrong::Problem(problem) => problem,
        Wrong::Read(error) if error.kind() == ErrorKind::UnexpectedEof => LoadProblem::Truncated,
        Wrong::Read(error) => LoadProblem::Unreadable(crate::process::describe(&error)),
    })
}

/// Whether the library looks for others in places that are told from its own (`$ORIGIN`). A file that makes no sense
/// names none.
pub(super) fn names_origin(file: &File) -> bool {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    Elf::open(file, length).is_ok_and(|elf| elf.names_origin().unwrap_or(false))
}

/// A file of less than 16 bytes: the beginning of a library, or something else.
fn short(file: &File, length: u64) -> LoadProblem {
    let mut start = [0; 4];
    let start = &mut start[..length.min(4) as usize];
    match file.read_exact_at(start, 0) {
        Ok(()) if b"\x7fELF".starts_with(start) => LoadProblem::Truncated,
        Ok(()) | Err(_) => LoadProblem::NotALibrary,
    }
}

enum Wrong {
    Problem(LoadProblem),
    Read(io::Error),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Wrong::Read(error)
    }
}

struct Elf<'a> {
    file: &'a File,
    /// 64 bits.
    wide: bool,
    little: bool,
}

impl<'a> Elf<'a> {
    fn open(file: &'a File, length: u64) -> Result<Self, LoadProblem> {
        let mut identity = [0; 16];
        match file.read_exact_at(&mut identity, 0) {
            Ok(()) if identity[..4] == *b"\x7fELF" => {}
            Ok(()) => return Err(LoadProblem::NotALibrary),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(short(file, length)),
            Err(error) => return Err(LoadProblem::Unreadable(crate::process::describe(&error))),
        }
        let wide = match identity[4] {
            ELFCLASS32 => false,
            ELFCLASS64 => true,
            _ => return Err(LoadProblem::NotALibrary),
        };
        let little = match identity[5] {
            ELFDATA2LSB => true,
            ELFDATA2MSB => false,
            _ => return Err(LoadProblem::NotALibrary),
        };
        Ok(Self { file, wide, little })
    }

    fn check(&self, length: u64) -> Result<(), Wrong> {
        let machine = self.number(18, 2)?;
        let found = (machine, self.wide, self.little);
        if let Some(host) = host_machine()
            && found != host
        {
            let (library, host) = (machine_name(found), machine_name(host));
            return Err(Wrong::Problem(LoadProblem::WrongMachine { library, host }));
        }
        if self.number(16, 2)? != ET_DYN {
            return Err(Wrong::Problem(LoadProblem::NotALibrary));
        }
        let (segments, sections) = (self.segments()?, self.sections()?);
        if segments.end() > length || sections.end() > length {
            return Err(Wrong::Problem(LoadProblem::Truncated));
        }
        for index in 0..segments.count {
            let segment = self.segment(&segments, index)?;
            if segment.offset.saturating_add(segment.size) > length {
                return Err(Wrong::Problem(LoadProblem::Truncated));
            }
        }
        Ok(())
    }

    fn names_origin(&self) -> io::Result<bool> {
        let table = self.segments()?;
        let segments: Vec<_> =
            (0..table.count).map(|index| self.segment(&table, index)).collect::<io::Result<_>>()?;
        let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
            return Ok(false);
        };
        let word: u64 = if self.wide { 8 } else { 4 };
        let (mut names, mut strings) = (Vec::new(), None);
        for index in 0..dynamic.size / (2 * word) {
            let at = dynamic.offset.saturating_add(index * 2 * word);
            let (tag, value) =
                (self.number(at, word as usize)?, self.number(at.saturating_add(word), word as usize)?);
            match tag {
                DT_NULL => break,
                DT_STRTAB => strings = Some(value),
                DT_NEEDED | DT_RPATH | DT_RUNPATH => names.push(value),
                _ => {}
            }
        }
        // The table of strings is named by where it will lie in memory.
        let loaded = |address: &u64| {
            let holds = |segment: &&Segment| {
                segment.kind == PT_LOAD
                    && address.checked_sub(segment.address).is_some_and(|at| at < segment.size)
            };
            segments.iter().find(holds).map(|segment| address - segment.address + segment.offset)
        };
        let Some(strings) = strings.as_ref().and_then(loaded) else { return Ok(false) };
        for name in names {
            let name = self.text(strings.saturating_add(name))?;
            if [b"$ORIGIN".as_slice(), b"${ORIGIN}"].iter().any(|word| contains(&name, word)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Up to its NUL byte.
    fn text(&self, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; LONGEST_PATH];
        let length = self.file.read_at(&mut bytes, offset)?;
        let end = bytes[..length].iter().position(|byte| *byte == 0).unwrap_or(length);
        bytes.truncate(end);
        Ok(bytes)
    }

    fn segments(&self) -> io::Result<Table> {
        if self.wide { self.table(32, 54, 56) } else { self.table(28, 42, 44) }
    }

    fn sections(&self) -> io::Result<Table> {
        if self.wide { self.table(40, 58, 60) } else { self.table(32, 46, 48) }
    }

    fn segment(&self, table: &Table, index: u64) -> io::Result<Segment> {
        let header = table.offset.saturating_add(index * table.entry);
        let (offset, address, size, word) = if self.wide { (8, 16, 32, 8) } else { (4, 8, 16, 4) };
        Ok(Segment {
            kind: self.number(header, 4)?,
            offset: self.number(header.saturating_add(offset), word)?,
            address: self.number(header.saturating_add(address), word)?,
            size: self.number(header.saturating_add(size), word)?,
        })
    }

    fn table(&self, offset: u64, entry: u64, count: u64) -> io::Result<Table> {
        let word = if self.wide { 8 } else { 4 };
        Ok(Table {
            offset: self.number(offset, word)?,
            entry: self.number(entry, 2)?,
            count: self.number(count, 2)?,
        })
    }

    /// An unsigned number of `size` bytes, at most 8.
    fn number(&self, offset: u64, size: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes[..size], offset)?;
        if !self.little {
            bytes[..size].reverse();
        }
        Ok(u64::from_le_bytes(bytes))
    }
}

/// A part of the file that the loader maps, or finds what it is to do in.
struct Segment {
    kind: u64,
    offset: u64,
    /// Where it will lie in memory.
    address: u64,
    /// Its bytes in the file.
    size: u64,
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// A table of headers.
struct Table {
    offset: u64,
    entry: u64,
    count: u64,
}

impl Table {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.entry * self.count)
    }
}

/// The number, width and byte order of this host; `None` where they are not known here, and the loader is left to judge.
fn host_machine() -> Option<(u64, bool, bool)> {
    let number = match std::env::consts::ARCH {
        "x86" => 3,
        "powerpc64" => 21,
        "s390x" => 22,
        "arm" => 40,
        "x86_64" => 62,
        "aarch64" => 183,
        "riscv32" | "riscv64" => 243,
        "loongarch64" => 258,
        _ => return None,
    };
    Some((number, cfg!(target_pointer_width = "64"), cfg!(target_endian = "little")))
}

fn machine_name((number, wide, little): (u64, bool, bool)) -> String {
    let name = match (number, wide) {
        (3, _) => "x86",
        (20, _) => "powerpc",
        (21, _) if little => "powerpc64le",
        (21, _) => "powerpc64",
        (22, _) => "s390x",
        (40, _) => "arm",
        (62, true) => "x86_64",
        (62, false) => "x86_64 with 32-bit pointers",
        (183, _) => "aarch64",
        (243, true) => "riscv64",
        (243, false) => "riscv32",
        (258, _) => "loongarch64",
        _ => return format!("machine {number}"),
    };
    name.to_owned()
}

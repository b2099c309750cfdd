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

/// Whether the file is a whole shared library for this machine.
pub(super) fn check(file: &File, length: u64) -> Result<(), LoadProblem> {
    let mut identity = [0; 16];
    match file.read_exact_at(&mut identity, 0) {
        Ok(()) if identity[..4] == *b"\x7fELF" => {}
        Ok(()) => return Err(LoadProblem::NotALibrary),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(short(file, length)),
        Err(error) => return Err(LoadProblem::Unreadable(super::loader::words(&error))),
    }
    let elf = Elf {
        file,
        wide: match identity[4] {
            ELFCLASS32 => false,
            ELFCLASS64 => true,
            _ => return Err(LoadProblem::NotALibrary),
        },
        little: match identity[5] {
            ELFDATA2LSB => true,
            ELFDATA2MSB => false,
            _ => return Err(LoadProblem::NotALibrary),
        },
    };
    elf.check(length).map_err(|wrong| match wrong {
        Wrong::Problem(problem) => problem,
        Wrong::Read(error) if error.kind() == ErrorKind::UnexpectedEof => LoadProblem::Truncated,
        Wrong::Read(error) => LoadProblem::Unreadable(super::loader::words(&error)),
    })
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

impl Elf<'_> {
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
        let (segments, sections) = if self.wide {
            (self.table(32, 54, 56)?, self.table(40, 58, 60)?)
        } else {
            (self.table(28, 42, 44)?, self.table(32, 46, 48)?)
        };
        if segments.end() > length || sections.end() > length {
            return Err(Wrong::Problem(LoadProblem::Truncated));
        }
        for index in 0..segments.count {
            let header = segments.offset + index * segments.entry;
            let (offset, size) = if self.wide {
                (self.number(header + 8, 8)?, self.number(header + 32, 8)?)
            } else {
                (self.number(header + 4, 4)?, self.number(header + 16, 4)?)
            };
            if offset.saturating_add(size) > length {
                return Err(Wrong::Problem(LoadProblem::Truncated));
            }
        }
        Ok(())
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

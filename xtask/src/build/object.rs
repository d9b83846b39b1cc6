//! What is in a BPF object.

use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use rustc_demangle::demangle;

/// Bytes of one instruction; a load of a 64-bit constant counts as two, as in `bpftool`.
const INSTRUCTION_BYTES: u64 = 8;

/// An object's size and programs.
#[derive(Debug)]
pub(crate) struct Summary {
    bytes: usize,
    btf_bytes: u64,
    functions: Vec<Function>,
}

/// A program, or a function that programs call.
#[derive(Debug)]
struct Function {
    name: String,
    section: String,
    instructions: u64,
}

impl Summary {
    /// Reads the object file.
    ///
    /// # Errors
    /// If it cannot be read or is no object.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let object = object::File::parse(&*bytes)
            .with_context(|| format!("{} is no object file", file.display()))?;
        let mut functions: Vec<_> = object
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .filter_map(|symbol| {
                let section = object.section_by_index(symbol.section_index()?).ok()?;
                Some(Function {
                    name: format!("{:#}", demangle(symbol.name().ok()?)),
                    section: section.name().ok()?.to_owned(),
                    instructions: symbol.size() / INSTRUCTION_BYTES,
                })
            })
            .collect();
        functions.sort_by(|a, b| (&a.section, &a.name).cmp(&(&b.section, &b.name)));
        Ok(Self {
            bytes: bytes.len(),
            btf_bytes: object
                .section_by_name(".BTF")
                .map_or(0, |section| section.size()),
            functions,
        })
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} bytes, of which {} BTF", self.bytes, self.btf_bytes)?;
        let mut table = Table::new();
        table
            .load_style(UTF8_BORDERS_ONLY)
            .set_header(["function", "section", "instructions"]);
        for function in &self.functions {
            table.add_row([
                function.name.clone(),
                function.section.clone(),
                function.instructions.to_string(),
            ]);
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "{table}")
    }
}

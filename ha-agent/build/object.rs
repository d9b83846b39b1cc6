//! Whether a BPF object can be loaded by the agent: it must carry BTF.

use std::{fs, path::Path};

use object::{File, Object, ObjectSection};

/// Types of maps and functions, and where in the source each instruction comes from. Without them the
/// kernel refuses timers in maps, and `bpftool` shows maps without their fields.
const SECTIONS: [&str; 2] = [".BTF", ".BTF.ext"];

/// Fails if the object at `path` lacks a section of BTF.
///
/// A linker whose LLVM does not fit the compiler's can drop it without a word.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    let object =
        File::parse(&*bytes).map_err(|error| format!("{name} is not a BPF object: {error}"))?;
    for section in SECTIONS {
        let size = object
            .section_by_name(section)
            .map_or(0, |section| section.size());
        if size == 0 {
            return Err(format!(
                "{name} has no {section}: compiler and bpf-linker do not fit each other; \
                 run `cargo xtask setup`, which builds the linker for the compiler"
            ));
        }
    }
    Ok(())
}

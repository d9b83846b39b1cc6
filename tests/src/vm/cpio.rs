//! The archive that the kernel unpacks as its first file system (`Documentation/driver-api/early-userspace/
//! buffer-format.rst`, the format "newc").

/// What a name in the archive is, with its permissions (`S_IF*`, inode(7)).
const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

/// An archive that grows.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Archive {
    /// Adds a file that can be run, and the directories above it.
    pub(super) fn add_file(&mut self, path: &str, content: &[u8]) {
        let path = path.trim_start_matches('/');
        for (end, _) in path.match_indices('/') {
            self.add_dir(&path[..end]);
        }
        self.add(path, PROGRAM, content);
    }

    /// Adds a directory, once.
    pub(super) fn add_dir(&mut self, path: &str) {
        self.add(path.trim_start_matches('/'), DIRECTORY, &[]);
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn add(&mut self, name: &str, mode: u32, content: &[u8]) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        self.names.push(name.to_owned());
        let number = self.names.len() as u32;
        let (len, name_len) = (content.len() as u32, name.len() as u32 + 1);
        // Number, mode, owner, group, links, time, length, four device numbers, length of the name, checksum.
        let fields = [number, mode, 0, 0, 1, 0, len, 0, 0, 0, 0, name_len, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn an_archive_is_as_the_kernel_expects() {
        let mut archive = Archive::default();
        archive.add_file("/bin/sh", b"#!");
        archive.add_file("bin/ls", b"");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("070701"));
        assert_eq!(text.matches("070701").count(), 4, "bin, sh, ls and the end");
        assert_eq!(bytes.len() % 4, 0);
        // 110 octets of header and "bin" with its zero, padded.
        assert_eq!(&bytes[116..122], b"070701");
    }
}

//! The name of an interface at this moment.

use nix::net::if_;

/// The name of the interface `index`; `None` if there is none.
#[must_use]
pub fn interface_name(index: u32) -> Option<String> {
    let name = if_::if_indextoname(index).ok()?;
    // nix takes the null pointer by which libc says that there is none for a success.
    let name = name.to_string_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::interface_name;

    #[test]
    fn an_interface_that_is_not_there_has_no_name() {
        assert_eq!(interface_name(1).as_deref(), Some("lo"));
        assert_eq!(interface_name(u32::MAX >> 1), None);
    }
}

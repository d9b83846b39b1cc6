//! The program that writes the frame anew and goes on to another one, in the kernel's instructions
//! (`Documentation/bpf/standardization/instruction-set.rst`).

use anyhow::Result;

use super::{kernel::Chain, paths::Frame};

/// An instruction: operation, registers, offset, immediate.
pub(in crate::bench) struct Instruction(u8, Registers, i16, i32);

/// Destination and source.
struct Registers(u8, u8);

impl Instruction {
    /// As the kernel wants it.
    pub(super) const fn encode(&self) -> u64 {
        let Self(operation, Registers(dst, src), offset, immediate) = self;
        let o = offset.to_ne_bytes();
        let i = immediate.to_ne_bytes();
        u64::from_ne_bytes([
            *operation,
            *dst | *src << 4,
            o[0],
            o[1],
            i[0],
            i[1],
            i[2],
            i[3],
        ])
    }
}

/// The kernel's `enum xdp_action`.
const XDP_PASS: i32 = 2;
const GET_PRANDOM_U32: i32 = 7;
const TAIL_CALL: i32 = 12;

/// The context when the program starts, and arguments of calls.
const R0: u8 = 0;
const R1: u8 = 1;
const R2: u8 = 2;
const R3: u8 = 3;
const R4: u8 = 4;
/// Survive calls.
const R6: u8 = 6;
const R7: u8 = 7;

/// The program that does nothing.
pub(super) fn nothing() -> Vec<Instruction> {
    always(XDP_PASS)
}

/// The program that does the same with every frame: an `enum xdp_action`.
pub(in crate::bench) fn always(action: i32) -> Vec<Instruction> {
    vec![set(R0, action), exit()]
}

/// The program that writes the frame anew, whatever was made of it the last time, and then does the same with every
/// frame: an `enum xdp_action`.
///
/// # Errors
///
/// When the frame is too long for the offsets of instructions.
pub(in crate::bench) fn anew(octets: &[u8], action: i32) -> Result<Vec<Instruction>> {
    let mut code = vec![
        load_u32(R2, R1, 0), // data
        load_u32(R3, R1, 4), // data_end
        copy(R4, R2),
        Instruction(0x07, Registers(R4, 0), 0, i32::try_from(octets.len())?), // R4 += length
    ];
    let writes = write_all(octets)?;
    // If R4 > R3 the frame is shorter than it was: nothing is written.
    let skip = i16::try_from(writes.len())?;
    code.push(Instruction(0x2d, Registers(R4, R3), skip, 0));
    code.extend(writes);
    code.extend([set(R0, action), exit()]);
    Ok(code)
}

/// Writes the frame for one of `mask + 1` virtual IPs, then goes on to program `next` of the chain.
///
/// # Errors
///
/// When the frame is too long for the offsets of instructions.
pub(super) fn program(
    frame: &Frame,
    mask: u32,
    chain: &Chain,
    next: i32,
) -> Result<Vec<Instruction>> {
    let octets = &frame.octets;
    let mut code = vec![
        copy(R6, R1),
        call(GET_PRANDOM_U32),
        copy(R7, R0),
        Instruction(0x57, Registers(R7, 0), 0, mask as i32), // R7 &= mask
        load_u32(R2, R6, 0),                                 // data
        load_u32(R3, R6, 4),                                 // data_end
        copy(R4, R2),
        Instruction(0x07, Registers(R4, 0), 0, i32::try_from(octets.len())?), // R4 += length
    ];
    let mut writes = write_all(octets)?;
    writes.push(store_u16(R7, frame.number_at)?);
    if let Some(offset) = frame.complement_at {
        writes.push(Instruction(0xa7, Registers(R7, 0), 0, -1)); // R7 = !R7
        writes.push(store_u16(R7, offset)?);
    }
    // If R4 > R3 the frame is shorter than it was: nothing is written.
    let skip = i16::try_from(writes.len())?;
    code.push(Instruction(0x2d, Registers(R4, R3), skip, 0));
    code.extend(writes);
    code.push(copy(R1, R6));
    code.extend(load_map(R2, chain.fd()));
    code.extend([set(R3, next), call(TAIL_CALL), set(R0, 0), exit()]);
    Ok(code)
}

/// Writes constants to the memory that R2 points to.
fn write_all(octets: &[u8]) -> Result<Vec<Instruction>> {
    let mut code = Vec::new();
    for (i, chunk) in octets.chunks(4).enumerate() {
        let offset = i16::try_from(i * 4)?;
        if let Ok(word) = <[u8; 4]>::try_from(chunk) {
            let value = i32::from_ne_bytes(word);
            code.push(Instruction(0x62, Registers(R2, 0), offset, value));
            continue;
        }
        for (j, octet) in (0i16..).zip(chunk) {
            let value = i32::from(*octet);
            code.push(Instruction(0x72, Registers(R2, 0), offset + j, value));
        }
    }
    Ok(code)
}

const fn set(dst: u8, value: i32) -> Instruction {
    Instruction(0xb7, Registers(dst, 0), 0, value)
}

const fn copy(dst: u8, src: u8) -> Instruction {
    Instruction(0xbf, Registers(dst, src), 0, 0)
}

const fn call(helper: i32) -> Instruction {
    Instruction(0x85, Registers(0, 0), 0, helper)
}

const fn exit() -> Instruction {
    Instruction(0x95, Registers(0, 0), 0, 0)
}

const fn load_u32(dst: u8, src: u8, offset: i16) -> Instruction {
    Instruction(0x61, Registers(dst, src), offset, 0)
}

fn store_u16(src: u8, offset: usize) -> Result<Instruction> {
    Ok(Instruction(
        0x6b,
        Registers(R2, src),
        i16::try_from(offset)?,
        0,
    ))
}

/// Two instructions; the 1 says that the number is a file descriptor of a map.
const fn load_map(dst: u8, fd: i32) -> [Instruction; 2] {
    [
        Instruction(0x18, Registers(dst, 1), 0, fd),
        Instruction(0, Registers(0, 0), 0, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::{R2, R6, copy, set, write_all};

    #[test]
    fn instructions_are_encoded_as_the_kernel_reads_them() {
        assert_eq!(
            set(R2, 5).encode().to_ne_bytes(),
            [0xb7, 0x02, 0, 0, 5, 0, 0, 0]
        );
        assert_eq!(
            copy(R6, R2).encode().to_ne_bytes(),
            [0xbf, 0x26, 0, 0, 0, 0, 0, 0]
        );
    }

    #[test]
    fn a_frame_is_written_in_words_and_the_rest_in_octets() {
        let code = write_all(&[1; 10]).unwrap();
        let operations: Vec<u8> = code.iter().map(|instruction| instruction.0).collect();
        assert_eq!(operations, [0x62, 0x62, 0x72, 0x72]);
    }
}

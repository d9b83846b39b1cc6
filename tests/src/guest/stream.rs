//! Long TCP streams of which every octet is known: none lost, none changed, none twice.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::service::PORT;
use crate::netns::NetNs;

/// How long a stream may stand still.
const PATIENCE: Duration = Duration::from_secs(20);
/// Octets that differ from block to block by the number at their start.
const BLOCK: usize = 64 << 10;

/// To which side a stream goes.
const TO_GUEST: u8 = b'>';
const FROM_GUEST: u8 = b'<';

/// Sends so many octets to a guest, which compares them, and has it send as many, which are compared here.
///
/// # Errors
///
/// When the connection cannot be made or breaks, or something else arrives than was sent.
pub fn exchange(client: &NetNs, vip: IpAddr, len: usize) -> Result<()> {
    send(client, vip, len).with_context(|| format!("sending {len} octets to {vip}"))?;
    receive(client, vip, len).with_context(|| format!("receiving {len} octets from {vip}"))
}

fn send(client: &NetNs, vip: IpAddr, len: usize) -> Result<()> {
    let mut connection = connect(client, vip)?;
    connection.write_all(&[TO_GUEST])?;
    connection.write_all(&(len as u64).to_be_bytes())?;
    write(&mut connection, len)?;
    let mut right = [0; 8];
    connection.read_exact(&mut right)?;
    let right = u64::from_be_bytes(right);
    ensure!(right == len as u64, "only the first {right} octets arrived");
    Ok(())
}

fn receive(client: &NetNs, vip: IpAddr, len: usize) -> Result<()> {
    let mut connection = connect(client, vip)?;
    connection.write_all(&[FROM_GUEST])?;
    connection.write_all(&(len as u64).to_be_bytes())?;
    let right = read(&mut connection, len)?;
    ensure!(right == len, "only the first {right} octets arrived");
    Ok(())
}

fn connect(client: &NetNs, vip: IpAddr) -> Result<TcpStream> {
    let connection = client.run(|| {
        let address = SocketAddr::new(vip, PORT);
        Ok(TcpStream::connect_timeout(&address, PATIENCE)?)
    })?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// The guest's side of a stream.
pub(super) fn serve(mut connection: &TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let (mut direction, mut len) = ([0], [0; 8]);
    connection.read_exact(&mut direction)?;
    connection.read_exact(&mut len)?;
    let len = u64::from_be_bytes(len) as usize;
    match direction {
        [TO_GUEST] => {
            let right = read(&mut connection, len)?;
            connection.write_all(&(right as u64).to_be_bytes())
        }
        [FROM_GUEST] => write(&mut connection, len),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn write(to: &mut impl Write, len: usize) -> io::Result<()> {
    let mut block = Block::new();
    for start in (0..len).step_by(BLOCK) {
        to.write_all(&block.at(start)[..BLOCK.min(len - start)])?;
    }
    Ok(())
}

/// How many octets are right from the start on.
fn read(from: &mut impl Read, len: usize) -> io::Result<usize> {
    let mut block = Block::new();
    let mut found = vec![0; BLOCK];
    for start in (0..len).step_by(BLOCK) {
        let found = &mut found[..BLOCK.min(len - start)];
        from.read_exact(found)?;
        let expected = &block.at(start)[..found.len()];
        if found != expected {
            let right = found.iter().zip(expected).take_while(|(f, e)| f == e);
            return Ok(start + right.count());
        }
    }
    Ok(len)
}

/// A block of the stream.
struct Block(Vec<u8>);

impl Block {
    /// Xorshift (Marsaglia 2003): octets in which no pattern hides an error.
    fn new() -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = (0..BLOCK / 8).flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        });
        Self(words.collect())
    }

    /// The one that starts at this octet of the stream.
    fn at(&mut self, start: usize) -> &[u8] {
        self.0[..8].copy_from_slice(&(start as u64).to_be_bytes());
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, read, write};

    #[test]
    fn what_is_written_is_read_and_an_error_is_found() {
        let len = 3 * BLOCK + 100;
        let mut stream = Vec::new();
        write(&mut stream, len).unwrap();
        assert_eq!(read(&mut &*stream, len).unwrap(), len);
        stream[2 * BLOCK + 7] ^= 1;
        assert_eq!(read(&mut &*stream, len).unwrap(), 2 * BLOCK + 7);
        assert!(
            read(&mut &stream[..len - 1], len).is_ok(),
            "found before the end"
        );
        stream.swap(0, 9);
        assert_eq!(read(&mut &*stream, len).unwrap(), 0);
    }
}

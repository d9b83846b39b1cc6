//! The agent's program.

fn main() {
    println!("{}", ha_agent::dataplane::OBJECT.len());
}

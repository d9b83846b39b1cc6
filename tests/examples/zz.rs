use ha_lab::bpf::DataPath;
fn main() -> anyhow::Result<()> {
    let o = std::fs::read(std::env::args().nth(1).unwrap())?;
    let d = DataPath::load(&o)?;
    for n in ["ha_xdp", "ha_lease"] {
        let p = d.program(n)?;
        let i = p.info()?;
        println!(
            "{n}: verified {:?} jited {:?} xlated {:?}",
            i.verified_instruction_count(),
            i.size_jitted(),
            i.size_translated()
        );
    }
    println!("{:?}", d.map_names().collect::<Vec<_>>());
    if std::env::args().nth(2).is_some() {
        std::thread::sleep(std::time::Duration::from_secs(30));
    }
    Ok(())
}

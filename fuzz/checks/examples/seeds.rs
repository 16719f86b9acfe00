//! Writes `fuzz/corpus/<target>/`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for seeds in fuzz_checks::seeds::all()? {
        let folder = fuzz.join("corpus").join(seeds.target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.inputs.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        println!("{}: {} seeds", seeds.target, seeds.inputs.len());
    }
    Ok(())
}

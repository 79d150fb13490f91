//! Makes a new page a reason to build again: the files' names change with their content.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
}

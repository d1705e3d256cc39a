//! What holds for the configuration as a whole.

#[test]
fn print_reference() {
    println!("{}", super::reference::reference());
}

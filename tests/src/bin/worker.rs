//! One process of a crew; see `colony_tests::worker`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    colony_tests::worker::run(&std::env::args().nth(1).ok_or("a plan is missing")?)
}

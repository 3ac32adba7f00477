//! What a benchmark is to reach. It is printed beside the figures, and with SWITCHYARD_BENCH=check to miss it is a failure:
//! for a machine that does nothing else, which a machine of CI is not.

/// The goals of one benchmark.
#[derive(Default)]
pub struct Goals {
    missed: bool,
}

impl Goals {
    /// A figure that is to be no more than this.
    pub fn at_most(&mut self, what: &str, figure: f64, goal: f64) {
        let reached = figure <= goal;
        let word = if reached { "reached" } else { "MISSED" };
        println!("goal {word}: {what}: {figure:.2}, at most {goal}");
        self.missed |= !reached;
    }

    /// A figure that is to be no less than this.
    #[allow(dead_code, reason = "not all benchmarks have such a goal")]
    pub fn at_least(&mut self, what: &str, figure: f64, goal: f64) {
        let reached = figure >= goal;
        let word = if reached { "reached" } else { "MISSED" };
        println!("goal {word}: {what}: {figure:.2}, at least {goal}");
        self.missed |= !reached;
    }

    /// The status to exit with.
    pub fn status(self) -> i32 {
        let check = std::env::var_os("SWITCHYARD_BENCH").is_some_and(|value| value == "check");
        i32::from(check && self.missed)
    }
}

/// What a figure can't be less than, measured in the same run.
#[allow(dead_code, reason = "not all benchmarks have one")]
pub fn print_floor(what: &str, figure: f64) {
    println!("floor: {what}: {figure:.2}");
}

//! Two functions measured in turn, and their comparison.

use std::time::{Duration, Instant};

pub(crate) fn heading() {
    println!("{:<44} {:>10} {:>10} {:>8} {:>8}", "what", "SDK", "bare", "median", "minima");
}

/// Runs both in turn, this many rounds after two that do not count, and prints a line: the median time of each, the
/// median of the rounds' ratios, and the ratio of the shortest times. A round does `count` operations.
pub(crate) fn compare(
    name: &str,
    rounds: usize,
    count: usize,
    mut sdk: impl FnMut(usize),
    mut bare: impl FnMut(usize),
) {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds + 2 {
        // The second one finds warmer caches, so they take turns in going first.
        let pair = if round % 2 == 0 {
            let first = timed(|| sdk(count));
            (first, timed(|| bare(count)))
        } else {
            let first = timed(|| bare(count));
            (timed(|| sdk(count)), first)
        };
        if round >= 2 {
            times.push(pair);
        }
    }
    print_line(name, count, &times);
}

/// Prints the line of a comparison, from the times of its rounds.
pub(crate) fn print_line(name: &str, count: usize, times: &[(Duration, Duration)]) {
    let each = |time: Duration| time.as_secs_f64() / count as f64;
    let sdk: Vec<f64> = times.iter().map(|pair| each(pair.0)).collect();
    let bare: Vec<f64> = times.iter().map(|pair| each(pair.1)).collect();
    let ratios: Vec<f64> = sdk.iter().zip(&bare).map(|(sdk, bare)| sdk / bare).collect();
    println!(
        "{name:<44} {:>10} {:>10} {:>8.3} {:>8.3}",
        span(median(&sdk)),
        span(median(&bare)),
        median(&ratios),
        least(&sdk) / least(&bare),
    );
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn span(seconds: f64) -> String {
    match seconds * 1e9 {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

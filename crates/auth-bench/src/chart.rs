//! The chart for the README, written as SVG: a plotting library is too much for a few bars.

use std::fmt::Write as _;

use crate::report::Report;
use crate::timing::number;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 230.0;
const BARS: f64 = 430.0;
const LINE: f64 = 24.0;

/// A group of bars on one scale: a title, and for each bar its label and the name of its figure.
struct Panel {
    title: &'static str,
    /// Figures are divided by this for display.
    scale: f64,
    unit: &'static str,
    bars: &'static [(&'static str, &'static str)],
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "A warm token with a ready header, one task (ns, less is better)",
        scale: 1.0,
        unit: "ns",
        bars: &[
            ("auth-core", "warm.typed"),
            ("auth-core, erased", "warm.erased"),
            ("arc-swap + clock + clone", "warm.parts"),
            ("tokio RwLock by hand", "warm.rwlock"),
            ("tokio Mutex by hand", "warm.mutex"),
            ("moka try_get_with", "warm.moka_try_get_with"),
        ],
    },
    Panel {
        title: "The same, 64 tasks on 2 workers (million a second, more is better)",
        scale: 1e6,
        unit: "M/s",
        bars: &[
            ("auth-core", "tasks.typed@64"),
            ("auth-core, erased", "tasks.erased@64"),
            ("tokio RwLock by hand", "tasks.rwlock@64"),
            ("tokio Mutex by hand", "tasks.mutex@64"),
            ("moka try_get_with", "tasks.moka_try_get_with@64"),
        ],
    },
    Panel {
        title: "A token from the endpoint, loopback (\u{b5}s, less is better)",
        scale: 1.0,
        unit: "\u{b5}s",
        bars: &[
            ("auth-core", "exchange.exchange"),
            ("auth-core, new source", "exchange.first"),
            ("raw exchange, kept client", "exchange.raw"),
        ],
    },
];

/// The chart as an SVG document. Figures that were not measured are skipped.
pub(crate) fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 8.0;
    for panel in PANELS {
        let bars: Vec<_> = panel
            .bars
            .iter()
            .filter_map(|(label, name)| Some((*label, report.median(name)? / panel.scale)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        let longest = bars.iter().fold(0.0_f64, |most, (_, value)| most.max(*value));
        y += LINE;
        // Writing to a string cannot fail, neither here nor below.
        let _ = writeln!(body, r#"<text x="16" y="{y}" font-weight="600">{}</text>"#, panel.title);
        y += 8.0;
        for (label, value) in bars {
            let width = (BARS * value / longest).max(1.0);
            let colour = if label.starts_with("auth-core") { "#2f6fdb" } else { "#9aa4b2" };
            let (text, end) = (y + 16.0, LABELS + width + 6.0);
            let unit = panel.unit;
            let _ = writeln!(
                body,
                r#"<text x="{x}" y="{text}" text-anchor="end">{label}</text><rect x="{LABELS}" y="{top}" width="{width:.1}" height="16" rx="2" fill="{colour}"/><text x="{end:.1}" y="{text}">{told} {unit}</text>"#,
                x = LABELS - 8.0,
                top = y + 3.0,
                told = number(value),
            );
            y += LINE;
        }
        y += 8.0;
    }
    let height = y + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#1f2937\" role=\"img\" aria-label=\"Benchmarks of auth-core\">\n<rect width=\"{WIDTH}\" height=\"{height}\" rx=\"6\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

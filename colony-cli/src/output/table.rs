//! Tables that fit the terminal. Text that people copy, such as ids and names, is never cut.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::wording::one_line;

/// The number of blanks between two columns.
const GAP: usize = 2;
/// The width below which a shortened text is of little use, so that a spare column is removed first.
const LEGIBLE: usize = 24;
/// The least width of a shortened text.
const LEAST: usize = 6;

/// A column, and how it adapts to a narrow terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    fit: Fit,
    is_number: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Short,
    /// Removed, the highest number first.
    Spare(u8),
}

/// Returns a column that is always shown in full.
pub(crate) const fn whole(name: &'static str) -> Column {
    Column { name, fit: Fit::Whole, is_number: false }
}

/// Returns a column whose text may be shortened.
pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, fit: Fit::Short, is_number: false }
}

/// Returns a column that may be removed, the highest number first.
pub(crate) const fn spare(order: u8, name: &'static str) -> Column {
    Column { name, fit: Fit::Spare(order), is_number: false }
}

impl Column {
    /// Aligns to the right.
    pub(crate) const fn number(mut self) -> Self {
        self.is_number = true;
        self
    }
}

/// Returns the lines of a table, headings first. Without a width nothing is shortened.
pub(super) fn lines(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let heading: Vec<String> = columns.iter().map(|column| column.name.to_uppercase()).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let rows: Vec<&Vec<String>> = std::iter::once(&heading).chain(&rows).collect();
    let natural = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(natural).collect();
    let shown = fit(columns, widths, width);
    rows.iter().map(|row| line(columns, row, &shown)).collect()
}

/// Returns the columns to show, with their widths.
fn fit(columns: &[Column], mut widths: Vec<usize>, width: Option<usize>) -> Vec<(usize, usize)> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let Some(width) = width else { return shown.into_iter().zip(widths).collect() };
    let needed = |shown: &[usize], widths: &[usize], least: usize| -> usize {
        let of = |&column: &usize| match columns[column].fit {
            Fit::Short => widths[column].min(least),
            _ => widths[column],
        };
        shown.iter().map(of).sum::<usize>() + GAP * shown.len().saturating_sub(1)
    };
    while needed(&shown, &widths, LEGIBLE) > width {
        let spare = |column: &usize| match columns[*column].fit {
            Fit::Spare(order) => Some(order),
            _ => None,
        };
        let last =
            shown.iter().copied().filter(|column| spare(column).is_some()).max_by_key(|column| spare(column));
        let Some(last) = last else { break };
        shown.retain(|column| *column != last);
    }
    // The widest text is shortened first.
    while needed(&shown, &widths, usize::MAX) > width {
        let texts = shown.iter().copied().filter(|column| columns[*column].fit == Fit::Short);
        let Some(widest) =
            texts.filter(|column| widths[*column] > LEAST).max_by_key(|column| widths[*column])
        else {
            break;
        };
        widths[widest] -= 1;
    }
    shown.into_iter().map(|column| (column, widths[column])).collect()
}

fn line(columns: &[Column], row: &[String], shown: &[(usize, usize)]) -> String {
    let mut line = String::new();
    for &(column, width) in shown {
        let cell = shorten(&row[column], width);
        let blanks = " ".repeat(width.saturating_sub(cell.width()));
        let (before, after) =
            if columns[column].is_number { (blanks, String::new()) } else { (String::new(), blanks) };
        line += &format!("{before}{cell}{after}{:GAP$}", "");
    }
    line.truncate(line.trim_end().len());
    line
}

/// Returns a text cut to this width between two visible characters.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for cluster in text.graphemes(true) {
        if cut.width() + cluster.width() + 1 > width {
            break;
        }
        cut += cluster;
    }
    cut.truncate(cut.trim_end().len());
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2e549d01-99f2-459f-8924-48b2690b2170";
    const COLUMNS: [Column; 5] =
        [whole("id"), spare(1, "score").number(), spare(2, "author"), spare(3, "colony"), text("title")];

    fn table(width: Option<usize>) -> Vec<String> {
        let row =
            |title: &str| [ID, "12", "a-rather-long-author", "general", title].map(str::to_owned).to_vec();
        let titles = [
            "A title that goes on for quite some time and then some",
            "日本語の題名はとても長いので切らなければならない",
            "🇩🇪🇫🇷🇯🇵 👩‍👩‍👧‍👦 flags and families of emoji",
        ];
        lines(&COLUMNS, &titles.map(row), width)
    }

    #[test]
    fn ids_are_whole_and_lines_fit() {
        for width in [40, 50, 60, 80, 100, 200] {
            for line in table(Some(width)) {
                assert!(line.width() <= width.max(44), "{width}: {} {line}", line.width());
                assert!(line.starts_with("ID ") || line.starts_with(ID), "{width}: {line}");
            }
        }
        assert!(table(Some(60))[0].ends_with("TITLE") && !table(Some(60))[0].contains("AUTHOR"));
        assert!(table(Some(200))[1].ends_with("then some"));
        assert_eq!(table(None), table(Some(1000)));
        assert_eq!(table(Some(1))[1].split("  ").next(), Some(ID), "whole, whatever the width");
    }

    #[test]
    fn characters_are_as_wide_as_they_look() {
        assert_eq!(shorten("🇩🇪🇫🇷🇯🇵", 5), "🇩🇪🇫🇷…");
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(shorten("👩‍👩‍👧‍👦x", 3), "👩‍👩‍👧‍👦x");
        assert_eq!(shorten("one two", 5), "one…");
        assert_eq!(shorten("text", 4), "text");
        let numbers = lines(
            &[whole("n").number(), whole("x")],
            &[vec!["日".into(), "a".into()], vec!["100".into(), "b".into()]],
            None,
        );
        assert_eq!(numbers, ["  N  X", " 日  a", "100  b"]);
    }
}

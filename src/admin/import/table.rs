//! From the bytes of a CSV to cells with their places, as spreadsheets write them: `,` or `;`, with or without BOM. Knows the columns, not what
//! may stand in them. Floor: edge.

use std::fmt;

/// Something wrong with the file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// As an editor counts, from 1.
    pub line: u64,
    /// `None`: the line as a whole.
    pub column: Option<Column>,
    pub problem: String,
}

/// A column that an import may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    UserName,
    Name,
    Email,
    Phone,
    Language,
    PasswordHash,
}

/// One line of the file; empty cells are absent.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    cells: Vec<(Column, String)>,
}

/// Largest file that is read: far more than 100,000 accounts. Ours.
const MOST_BYTES: usize = 64 << 20;

impl Column {
    const ALL: [Column; 6] =
        [Column::UserName, Column::Name, Column::Email, Column::Phone, Column::Language, Column::PasswordHash];

    /// As in the file's first line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Column::UserName => "username",
            Column::Name => "name",
            Column::Email => "email",
            Column::Phone => "phone",
            Column::Language => "language",
            Column::PasswordHash => "password_hash",
        }
    }
}

impl Row {
    pub(super) fn cell(&self, column: Column) -> Option<&str> {
        self.cells.iter().find(|(c, _)| *c == column).map(|(_, text)| text.as_str())
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "line {}, {}: {}", self.line, column.title(), self.problem),
            None => write!(f, "line {}: {}", self.line, self.problem),
        }
    }
}

/// The rows of the file, or all that keeps it from being a table.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, Vec<LineProblem>> {
    let whole = |line, problem: &str| vec![LineProblem { line, column: None, problem: problem.to_owned() }];
    if bytes.len() > MOST_BYTES {
        return Err(whole(1, "the file is larger than 64 MiB: split it"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(whole(1, "the file is in UTF-16: save it as \"CSV UTF-8\""));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count() as u64;
        whole(line, "the text is not in UTF-8: save the file as \"CSV UTF-8\"")
    })?;
    let first = text.lines().next().unwrap_or_default();
    let count = |separator| first.matches(separator).count();
    let separator = if count(';') > count(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(Ok(titles)) = records.next() else {
        return Err(whole(1, "the file is empty: its first line has to name the columns"));
    };
    let columns = columns(&titles)?;
    let mut lines = LineCount { text: text.as_bytes(), line: 1, counted: 0 };
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for record in records {
        let Ok(record) = record else {
            problems.extend(whole(1, "the file cannot be read as CSV"));
            break;
        };
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(str::is_empty) {
            continue; // spreadsheets add such lines
        }
        if record.len() != columns.len() {
            let problem = format!("{} instead of {} columns", record.len(), columns.len());
            problems.push(LineProblem { line, column: None, problem });
            continue;
        }
        let cells = columns.iter().zip(record.iter()).filter(|(_, text)| !text.is_empty());
        rows.push(Row { line, cells: cells.map(|(column, text)| (*column, text.to_owned())).collect() });
    }
    if problems.is_empty() { Ok(rows) } else { Err(problems) }
}

/// Counts lines as an editor does. The reader's own count is one short after CR LF and does not see blank lines.
struct LineCount<'a> {
    text: &'a [u8],
    line: u64,
    counted: usize,
}

impl LineCount<'_> {
    /// The line of the row that begins at or after the byte `offset`. Offsets only grow.
    fn at(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        for byte in self.text.iter().skip(self.counted) {
            if self.counted >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.counted += 1;
            self.line += u64::from(*byte == b'\n');
        }
        self.line
    }
}

fn columns(titles: &csv::StringRecord) -> Result<Vec<Column>, Vec<LineProblem>> {
    let mut columns = Vec::new();
    let mut problems = Vec::new();
    for title in titles {
        match Column::ALL.into_iter().find(|c| c.title().eq_ignore_ascii_case(title)) {
            Some(column) if columns.contains(&column) => {
                problems.push(format!("there are two columns {}", column.title()))
            }
            Some(column) => columns.push(column),
            None => problems.push(unknown(title)),
        }
    }
    if !columns.contains(&Column::UserName) && problems.is_empty() {
        problems.push("the column username is missing".to_owned());
    }
    if problems.is_empty() {
        Ok(columns)
    } else {
        Err(problems.into_iter().map(|problem| LineProblem { line: 1, column: None, problem }).collect())
    }
}

fn unknown(title: &str) -> String {
    let lower = title.to_ascii_lowercase();
    let all = Column::ALL.map(Column::title);
    let nearest = all.iter().max_by(|a, b| strsim::jaro_winkler(a, &lower).total_cmp(&strsim::jaro_winkler(b, &lower)));
    let shown: String = title.chars().take(40).collect();
    match nearest.filter(|near| strsim::jaro_winkler(near, &lower) > 0.8) {
        Some(near) => format!("there is no column {shown:?}; did you mean {near}?"),
        None => format!("there is no column {shown:?}; there are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &[u8]) -> Vec<(u64, Option<String>, Option<String>)> {
        let rows = read(text).unwrap_or_else(|p| panic!("{p:?}"));
        let cell = |row: &Row, column| row.cell(column).map(str::to_owned);
        rows.iter().map(|row| (row.line, cell(row, Column::UserName), cell(row, Column::Phone))).collect()
    }

    #[test]
    fn a_file_is_read_as_spreadsheets_write_it() {
        let expected = vec![(2, Some("ann".to_owned()), Some("+32".to_owned())), (3, Some("bob".to_owned()), None)];
        for text in [
            "username,phone\nann,+32\nbob,\n",
            "\u{feff}username;phone\r\nann;+32\r\nbob;\r\n;\r\n",
            "Phone,UserName\n+32,ann\n,bob",
            "username,phone\nann,+32\n bob , ",
            "username,phone\r\nann,\"+32\"\r\nbob,",
        ] {
            assert_eq!(cells(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(cells(b"username\r\n\r\n\nann\r\n\r\nbob").iter().map(|c| c.0).collect::<Vec<_>>(), [4, 6]);
        assert_eq!(cells(b"username;name\nann;\"Smith;\nAnn\"\nbob;x")[1].0, 4, "a line break in quotes is counted");
    }

    #[test]
    fn what_is_no_table_is_named_with_its_line() {
        let problem =
            |text: &[u8]| read(text).err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
        for (text, expected) in [
            (&b""[..], "line 1: the file is empty"),
            (b"\xff\xfeu\0", "line 1: the file is in UTF-16"),
            (b"username,name\nann,Zo\xeb\n", "line 2: the text is not in UTF-8"),
            (b"user_name\nann", "line 1: there is no column \"user_name\"; did you mean username?"),
            (b"name\nann", "line 1: the column username is missing"),
            (b"username,username\na,b", "line 1: there are two columns username"),
        ] {
            let problems = problem(text);
            assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?} for {expected}");
        }
        let both = problem(b"username,name\nann\nbob,b,b\ncleo,c\n");
        assert_eq!(both, ["line 2: 1 instead of 2 columns", "line 3: 3 instead of 2 columns"]);
    }
}

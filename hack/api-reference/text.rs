//! Texts of the schemas as Markdown.

/// A description as paragraphs. What the absence of a field means is what readers look for, so it stands out.
pub fn prose(text: &str) -> String {
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut prose = paragraphs.collect::<Vec<_>>().join("\n\n");
    for words in ["Absent means", "absent means", "Absent fits", "absent fits"] {
        prose = prose.replace(words, &format!("**{words}**"));
    }
    prose
}

/// The same, in one cell of a table.
pub fn cell(markdown: &str) -> String {
    markdown.replace("\n\n", "<br>").replace('|', "\\|")
}

/// What GitHub makes of a heading when it links to it.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Code, also where it has backticks.
pub fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

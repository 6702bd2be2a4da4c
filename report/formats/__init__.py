"""The three faces of a report: a page, Markdown, and the terminal."""

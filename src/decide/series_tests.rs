//! Tables of what a series does: the first pass, onward, edits, pauses and outages.

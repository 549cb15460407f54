# manual.awk: a page of docs/ (headings, paragraphs, lists, tables, indented and fenced code) as a manual page.
# awk -v version=0.1.0 -f manual.awk docs/holdfastd.md
function escape(s) {
	gsub(/\\/, "\\(rs", s)
	gsub(/-/, "\\-", s)
	while (match(s, /`[^`]*`/))
		s = substr(s, 1, RSTART - 1) "\\fB" substr(s, RSTART + 1, RLENGTH - 2) "\\fR" substr(s, RSTART + RLENGTH)
	while (match(s, /\[[^]]*\]\([^)]*\)/)) {
		link = substr(s, RSTART, RLENGTH)
		text = substr(link, 2, index(link, "](") - 2)
		s = substr(s, 1, RSTART - 1) text substr(s, RSTART + RLENGTH)
	}
	gsub(/\*\*/, "", s)
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}
function close_code() { if (code) print ".fi\n.RE"; code = 0 }
function open_code() { if (!code) print ".PP\n.RS 4\n.nf"; code = 1 }
/^# / && !headed {
	headed = 1
	name = $2
	section = name
	sub(/^[^(]*\(/, "", section); sub(/\).*$/, "", section); sub(/\(.*$/, "", name)
	summary = $0
	sub(/^[^:]*: */, "", summary)
	print ".TH \"" toupper(name) "\" " section " \"\" \"holdfast " version "\" \"holdfast\""
	print ".SH NAME\n" name " \\- " escape(summary) "\n.SH DESCRIPTION"
	next
}
/^```/ { if (fenced) { fenced = 0; close_code() } else { fenced = 1; open_code() } next }
fenced { print escape($0); next }
/^    / { open_code(); print escape(substr($0, 5)); next }
{ close_code() }
/^##+ / { sub(/^#+ /, ""); print ".SH \"" toupper(escape($0)) "\""; next }
/^\|[-: |]*$/ { next }
/^\|/ {
	sub(/^\| */, ""); sub(/ *\|$/, "")
	n = split($0, cell, / *\| */)
	print ".TP\n" escape(cell[1])
	line = ""
	for (i = 2; i <= n; i++) line = line (i > 2 && cell[i] != "" && line != "" ? " \\(em " : "") escape(cell[i])
	print line == "" ? "\\&" : line
	next
}
/^- / { print ".IP \\(bu 2\n" escape(substr($0, 3)); next }
/^ *$/ { print ".PP"; next }
{ sub(/^ +/, ""); print escape($0) }
END { close_code() }

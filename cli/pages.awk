# The modules' manual pages as one string of NAME, NUL, TEXT, NUL for cli/doc.c: no pointers, so nothing to relocate.
BEGIN {
	print "#include \"cli/doc.h\"\n"
	print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
	print "const char cli_pages[] ="
}
FNR == 1 {
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.md$/, "", name)
	if (NR != 1)
		print "\t\"\\0\""
	printf "\t\"%s\" \"\\0\"\n", name
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\\&")
	gsub(/\?\?/, "?\" \"?")
	printf "\t\"%s\\n\"\n", $0
}
END {
	print "\t\"\\0\";"
}

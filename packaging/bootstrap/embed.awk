# embed.awk: shell files as one C string each; lines that are only a comment are left out.
# awk -f embed.awk user-data.sh install.sh > bootstrap_text.inc
FNR == 1 {
	if (open) print ";"
	name = FILENAME
	sub(/.*\//, "", name); sub(/\.sh$/, "", name); gsub(/-/, "_", name)
	print "static const char text_" name "[] ="
	open = 1
}
/^\t*# / { next }
{
	gsub(/\\/, "&&"); gsub(/"/, "\\\""); gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}
END { if (open) print ";" }

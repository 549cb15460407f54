#!/bin/sh
# embed.sh DIR: the files of resources/ as C text on standard output, in a stable order.
cd "$1" || exit 1
echo '/* Made by embed.sh from provisioner/resources. */'
echo '#include "provisioner/spec_data.h"'
echo 'const struct hf_spec_file hf_spec_files[] = {'
find . -name '*.yaml' | LC_ALL=C sort | while read -r file; do
	name=${file#./}
	printf '{ "%s", ""\n' "$name"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$/\\n"/' "$file"
	echo '},'
done
echo '{ (void *)0, (void *)0 } };'

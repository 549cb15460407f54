#!/bin/sh
# run.sh BUILD RESULTS: build the libFuzzer programs in BUILD and run each for HF_FUZZ_SECONDS (default 15) over its seeds.
# A finding is kept in RESULTS and fails; add it to seeds/ with its mend.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1 results=$(cd "$2" && pwd) seconds=${HF_FUZZ_SECONDS:-15} bad=0
targets=$(ls tests/fuzz/fuzz_*.c | sed 's,\.c$,,')
make -s -C "$build" -j"$(nproc)" $targets || exit 1
for t in $targets; do
	name=${t##*/fuzz_}
	corpus=$(mktemp -d)
	if "$build/$t" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="$results/fuzz-$name-" "$corpus" "tests/fuzz/seeds/$name" >"$results/fuzz-$name.log" 2>&1; then
		echo "PASS: fuzz $name: $(grep -c . "$results/fuzz-$name.log") lines, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$results/fuzz-$name.log") runs"
	else
		echo "FAIL: fuzz $name"
		tail -n 40 "$results/fuzz-$name.log"
		bad=1
	fi
	rm -rf "$corpus"
done | tee "$results/fuzz.txt"
grep -q '^FAIL' "$results/fuzz.txt" && bad=1
exit $bad

# tests/all.sh - the whole of `./run test`, sourced by it: every part runs, whatever the ones before said.
results=$top/build/results
rm -rf "$results"
mkdir -p "$results"
failed_parts=()

# part NAME COMMAND…: time it, remember a failure, go on.
part() {
	local name=$1 start=$SECONDS
	shift
	say "$name"
	"$@" || failed_parts+=("$name")
	echo "-- $name: $((SECONDS - start)) s"
}

lint_part() {
	lint | tee "$results/lint.txt"
	return "${PIPESTATUS[0]}"
}

# compile DIR CONFIGURE-OPTIONS…: the makefile's lines go to a log; of a failure the end of it is shown.
compile() {
	local dir=$1 log
	log=$results/build-$(basename "$dir").log
	{ configure_in "$@" && make -s -C "$dir" -j"$jobs"; } >"$log" 2>&1 && return
	echo "FAIL: $dir does not build:"
	grep -nE 'error|Error|\*\*\*' "$log" | head -n 20
	tail -n 20 "$log"
	return 1
}

# unit DIR NAME CONFIGURE-OPTIONS…: build there, run the unit tests, keep their results.
unit() {
	local dir=$1 name=$2 rc=0
	shift 2
	compile "$dir" "$@" || return 1
	make -s -C "$dir" -j"$jobs" check >"$results/unit-$name.log" 2>&1 || rc=1
	mkdir -p "$results/unit-$name"
	find "$dir/tests" -name '*.trs' -exec cp -t "$results/unit-$name" {} +
	grep -E '^(FAIL|ERROR|# TOTAL)' "$results/unit-$name.log" || true
	[ $rc = 0 ] && return
	# Without it a test did not even compile.
	[ -f "$dir/test-suite.log" ] && tail -n 100 "$dir/test-suite.log" || tail -n 40 "$results/unit-$name.log"
	return 1
}

# pytest_part NAME FOLDER OPTIONS…
pytest_part() {
	local log=$results/$1.log xml=$results/$1.xml folder=tests/$2
	shift 2
	HF_BUILD=$top/build python -m pytest -q --tb=short -p no:cacheprovider --durations=25 --junitxml="$xml" "$@" "$folder" \
		>"$log" 2>&1 && tail -n 1 "$log" && return
	tail -n 200 "$log"
	return 1
}

# python_part FOLDER WORKERS: files side by side, the tests of one file one after the other. What waits more than it computes
# takes more workers than there are processors. What is marked "alone" comes afterwards.
python_part() {
	local rc=0
	pytest_part "$1" "$1" -m "not alone" --numprocesses="$2" --dist=loadfile --no-loadscope-reorder || rc=1
	! grep -rqs "mark\.alone" "tests/$1" || pytest_part "$1-alone" "$1" -m alone || rc=1
	return $rc
}

distcheck_part() {
	make -s -C build -j"$jobs" distcheck DISTCHECK_CONFIGURE_FLAGS="CFLAGS=-O0 --disable-hardening" >"$results/distcheck.log" 2>&1 &&
		echo "PASS: distcheck" >"$results/distcheck.txt" && return
	tail -n 30 "$results/distcheck.log"
	echo "FAIL: distcheck" | tee "$results/distcheck.txt"
	return 1
}

fuzz_part() {
	compile build-fuzz --enable-fuzzers --disable-hardening --enable-sanitizers CC="$clang" CFLAGS="-O1 -g" || return 1
	HF_FUZZ_SECONDS=$([ "${HF_LONG:-}" = 1 ] && echo 600 || echo 15) tests/fuzz/run.sh build-fuzz "$results"
}

clang=$(command -v clang-14 || command -v clang)
# Warnings are errors with the compilers that the tree is kept silent for; others may know more of them.
gcc_strict=$([ "$(gcc -dumpversion)" != 12 ] || echo --enable-werror)
clang_strict=$([ "$("$clang" -dumpversion | cut -d. -f1)" != 14 ] || echo --enable-werror)
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

# The disks of the test hosts are made while the programs are built; who needs one that is not there makes it.
roots_log=$results/roots.log
nice python tests/system/host.py roots >"$roots_log" 2>&1 &
roots=$!
end_with_me $roots

roots_part() {
	local made=0
	wait "$roots" || made=$?
	trap - EXIT
	[ $made = 0 ] || python tests/system/host.py roots >>"$roots_log" 2>&1 || { tail -n 40 "$roots_log"; return 1; }
	cat "$roots_log"
	python tests/system/host.py programs
}

part "lint" lint_part
part "gcc: build and unit tests" unit build gcc $gcc_strict CFLAGS="-O2 -g"
[ -x build/holdfast ] || {
	echo "without the programs there is nothing more to test"
	python tests/tally.py "$results" 1
}
part "clang: build and unit tests" unit build-clang clang $clang_strict CC="$clang" CFLAGS="-O1"
part "distcheck: the tarball builds and tests itself" distcheck_part
part "ASan and UBSan: build and unit tests" unit build-sanitizers sanitizers $gcc_strict --enable-sanitizers CFLAGS="-O1 -g"
[ ! -x tests/fuzz/run.sh ] || part "fuzzers, short" fuzz_part
part "disks and programs of the test hosts" roots_part
part "modules: every module's cases, beside Ansible's own" python_part modules "$jobs"
part "differential: against Ansible, Jinja2, botocore and the shared cases" python_part differential "$jobs"
part "system: real brokers, stores and hosts" python_part system $((jobs + 1))
[ ! -d tests/crash ] || part "crash: killed at any moment" python_part crash "$jobs"

mutation_part() {
	python tests/mutation/run.py --short >"$results/mutation.txt" && tail -n 1 "$results/mutation.txt" && return
	cat "$results/mutation.txt"
	return 1
}
[ "${HF_LONG:-}" != 1 ] || part "mutation: checks of trust switched off, some of them" mutation_part

[ -d "${HF_SHARED:-../shared}" ] || [ -n "${CI:-}" ] ||
	echo "left out: the rows that read the shared cases, as there is no ${HF_SHARED:-$(dirname "$top")/shared}"
[ ${#failed_parts[@]} = 0 ] || printf 'failed: %s\n' "${failed_parts[@]}"
python tests/tally.py "$results" "${#failed_parts[@]}"

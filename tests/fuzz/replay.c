/* tests/fuzz/replay.c - the main of a fuzz target under `make check`: feeds every seed to it, one TAP line
 * each, so that what a fuzzer once found stays found. Arguments: seed files or folders of them. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEED_MAX = 1 << 20 };

static int number;

static void replay_file(const char *path)
{
	static uint8_t data[SEED_MAX];
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		printf("not ok %d - %s cannot be read\n", ++number, path);
		return;
	}
	size_t n = fread(data, 1, sizeof(data), f);
	fclose(f);
	uint8_t *exact = malloc(n > 0 ? n : 1); /* sanitizers then see a read past the end */
	if (exact != NULL) {
		memcpy(exact, data, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
	printf("ok %d - %s\n", ++number, strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
	fflush(stdout);
}

static void replay_path(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char child[4096];
		snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			replay_file(child);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

int main(int argc, char **argv)
{
	const char *source = getenv("srcdir");
	if (argc == 1) { /* as automake calls it: the folder of seeds named like the program */
		char seeds[4096];
		const char *name = strstr(argv[0], "fuzz_");
		snprintf(seeds, sizeof(seeds), "%s/tests/fuzz/seeds/%s", source != NULL ? source : ".",
			name != NULL ? name + strlen("fuzz_") : "");
		replay_path(seeds);
	}
	for (int i = 1; i < argc; i++)
		replay_path(argv[i]);
	printf("1..%d\n", number);
	return 0;
}

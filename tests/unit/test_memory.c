/* Idle memory goes back to the system, and nothing that is in use with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/memory.h"
#include "lib/base/scope.h"
#include "tests/unit/unit.h"

enum { DEEP = 160 << 10, KEPT = 1000, BLOCK = 4096, LINE_MAX_CHARS = 512 };

/* KB of this process's stack that are in memory. */
static long stack_resident(void)
{
	char line[LINE_MAX_CHARS];
	bool stack = false;
	long kb = -1;
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	while (kb < 0 && fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, "[stack]") != NULL)
			stack = true;
		else if (stack && strncmp(line, "Rss:", 4) == 0)
			kb = strtol(line + 4, NULL, 10);
	}
	fclose(f);
	assert_true(kb >= 0);
	return kb;
}

static HF_NOINLINE unsigned deep(void)
{
	volatile unsigned char room[DEEP];
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(room); i++)
		sum += room[i];
	return sum;
}

static void test_stack_of_deep_calls(void **state)
{
	char mine[BLOCK];
	memset(mine, 'm', sizeof(mine));
	unsigned sum = deep();
	long before = stack_resident();
	hf_memory_relax();
	long after = stack_resident();
	if (before - after < DEEP / 2048)
		fail_msg("%ld KB of stack before, %ld after", before, after);
	for (size_t i = 0; i < sizeof(mine); i++)
		assert_int_equal(mine[i], 'm');
	assert_int_equal(deep(), sum);
	assert_true(stack_resident() > after);
}

static void test_what_is_in_use_stays(void **state)
{
	char *kept[KEPT], *between[KEPT];
	for (size_t i = 0; i < KEPT; i++) {
		assert_non_null(kept[i] = malloc(BLOCK));
		assert_non_null(between[i] = malloc(BLOCK));
		memset(kept[i], (int)(i % 251), BLOCK);
		memset(between[i], 'b', BLOCK);
	}
	for (size_t i = 0; i < KEPT; i++)
		free(between[i]);
	hf_memory_relax();
	for (size_t i = 0; i < KEPT; i++) {
		for (size_t at = 0; at < BLOCK; at++)
			assert_int_equal((unsigned char)kept[i][at], i % 251);
		free(kept[i]);
	}
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD(&tests, test_stack_of_deep_calls);
	UNIT_ADD(&tests, test_what_is_in_use_stays);
	return unit_run(&tests);
}

/* tests/unit/unit.h - what every unit test includes: cmocka in the order it wants, and rows as tests.
 *   static const struct row { const char *title; … } rows[] = { … };
 *   static void row_check(void **state) { const struct row *r = *state; … }
 *   int main(void) { UNIT_ROWS(tests, rows, row_check); return UNIT_RUN(tests); } */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/attr.h"

/* Declares `struct CMUnitTest tests[]`, one for each row, named by row.title. */
#define UNIT_ROWS(tests, rows, check)                                                                        \
	struct CMUnitTest tests[HF_COUNT(rows)];                                                             \
	for (size_t i_ = 0; i_ < HF_COUNT(rows); i_++)                                                       \
		tests[i_] = (struct CMUnitTest)                                                              \
		{                                                                                            \
			(rows)[i_].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i_]                \
		}

#define UNIT_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* tests/unit/unit.h - what every unit test includes: cmocka in the order it wants, and rows as tests.
 *   static const struct row { const char *title; … } rows[] = { … };
 *   static void row_check(void **state) { const struct row *r = *state; … }
 *   int main(void)
 *   {
 *           struct unit_list tests = { 0 };
 *           UNIT_ADD_ROWS(&tests, rows, row_check);
 *           UNIT_ADD(&tests, some_function);
 *           return unit_run(&tests);
 *   }
 * One run a program: TAP knows one plan. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/attr.h"

enum { UNIT_TESTS_MAX = 8192 };

struct unit_list {
	struct CMUnitTest at[UNIT_TESTS_MAX];
	size_t n;
};

static inline void unit_add(struct unit_list *list, struct CMUnitTest test)
{
	if (list->n < UNIT_TESTS_MAX)
		list->at[list->n++] = test;
}

static inline int unit_run(const struct unit_list *list)
{
	return _cmocka_run_group_tests("tests", list->at, list->n, NULL, NULL);
}

#define UNIT_ADD(list, f) unit_add(list, (struct CMUnitTest)cmocka_unit_test(f))
/* Each row becomes a test of its own, named by row.title, with the row as its state. */
#define UNIT_ADD_ROWS(list, rows, check)                                                                     \
	for (size_t i_ = 0; i_ < HF_COUNT(rows); i_++)                                                       \
	unit_add(list, (struct CMUnitTest){                                                                  \
			       (rows)[i_].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i_] })

/* The short form for a program with one table. */
#define UNIT_ROWS(tests, rows, check)                                                                        \
	struct CMUnitTest tests[HF_COUNT(rows)];                                                             \
	for (size_t i_ = 0; i_ < HF_COUNT(rows); i_++)                                                       \
		tests[i_] = (struct CMUnitTest)                                                              \
		{                                                                                            \
			(rows)[i_].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i_]                \
		}
#define UNIT_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

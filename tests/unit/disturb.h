/* tests/unit/disturb.h - what somebody else does to a path between two looks. */
#pragma once
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum disturbance {
	DISTURB_NOT,
	DISTURB_WRITE, /* also where nothing was */
	DISTURB_REPLACE,
	DISTURB_MODE,
	DISTURB_REMOVE,
	DISTURB_AWAY, /* renamed to other */
	DISTURB_LINK  /* made a link elsewhere */
};

static inline void disturb_put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* other: a path beside it that is free. */
static inline void disturb(enum disturbance what, const char *path, const char *other)
{
	switch (what) {
	case DISTURB_NOT:
		break;
	case DISTURB_WRITE:
		disturb_put(path, "somebody else's text");
		break;
	case DISTURB_REPLACE:
		disturb_put(other, "text"); /* the same text in another file */
		assert_int_equal(rename(other, path), 0);
		break;
	case DISTURB_MODE:
		assert_int_equal(chmod(path, 0606), 0);
		break;
	case DISTURB_REMOVE:
		assert_int_equal(unlink(path), 0);
		break;
	case DISTURB_AWAY:
		assert_int_equal(rename(path, other), 0);
		break;
	case DISTURB_LINK:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink("elsewhere", path), 0);
		break;
	}
}

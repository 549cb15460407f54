#include "modules/cmdline.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

enum { EXPANDED_MAX = 1 << 20, WORDS_MAX = 1 << 24 };

/* One word of a command line; *p is past it afterwards. NULL at the end of the text. */
static int word_take(const char **p, struct hf_buf *word, bool *ret_any, struct hf_error *err)
{
	const char *at = *p;
	*ret_any = false;
	at += strspn(at, " \t\r\n");
	while (*at != '\0' && strchr(" \t\r\n", *at) == NULL) {
		*ret_any = true;
		if (*at == '\\') {
			if (at[1] == '\0')
				return hf_fail(err, HF_E_TASK, "No escaped character");
			hf_buf_put(word, at[1]);
			at += 2;
		} else if (*at == '\'') {
			const char *end = strchr(at + 1, '\'');
			if (end == NULL)
				return hf_fail(err, HF_E_TASK, "No closing quotation");
			hf_buf_append(word, at + 1, (size_t)(end - at - 1));
			at = end + 1;
		} else if (*at == '"') {
			for (at++; *at != '"'; at++) {
				if (*at == '\0')
					return hf_fail(err, HF_E_TASK, "No closing quotation");
				if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
					at++;
				hf_buf_put(word, *at);
			}
			at++;
		} else {
			hf_buf_put(word, *at++);
		}
	}
	*p = at;
	return 0;
}

int hf_cmdline_split(struct hf_arena *a, const char *text, char ***ret, size_t *ret_n, struct hf_error *err)
{
	HF_VEC(char *) words = { 0 };
	hf_auto_buf word = hf_buf_init(WORDS_MAX);
	for (;;) {
		bool any;
		hf_buf_clear(&word);
		int result = word_take(&text, &word, &any, err);
		if (result < 0)
			return result;
		if (!any)
			break;
		*hf_vec_push(a, &words) = hf_str_dup(a, hf_buf_str(&word));
	}
	*ret_n = words.n;
	*hf_vec_push(a, &words) = NULL;
	*ret = words.at;
	return 0;
}

const char *hf_cmdline_quote(struct hf_arena *a, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
	if (*word != '\0' && word[strspn(word, safe)] == '\0')
		return word;
	hf_auto_buf out = hf_buf_init(WORDS_MAX);
	hf_buf_put(&out, '\'');
	for (const char *p = word; *p != '\0'; p++) {
		if (*p == '\'')
			hf_buf_puts(&out, "'\"'\"'");
		else
			hf_buf_put(&out, *p);
	}
	hf_buf_put(&out, '\'');
	return hf_str_dup(a, hf_buf_str(&out));
}

const char *hf_cmdline_join(struct hf_arena *a, char *const *words)
{
	hf_auto_buf out = hf_buf_init(WORDS_MAX);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			hf_buf_put(&out, ' ');
		hf_buf_puts(&out, hf_cmdline_quote(a, words[i]));
	}
	return hf_str_dup(a, hf_buf_str(&out));
}

static const char *env_find(const char *const *env, struct hf_str name)
{
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		if (strncmp(env[i], name.p, name.n) == 0 && env[i][name.n] == '=')
			return env[i] + name.n + 1;
	return NULL;
}

static const char *expand_variables(struct hf_arena *a, const char *word, const char *const *env)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	if (strchr(word, '$') == NULL)
		return word;
	hf_auto_buf out = hf_buf_init(EXPANDED_MAX);
	for (const char *p = word; *p != '\0';) {
		const char *value = NULL, *end = p + 1;
		if (*p == '$' && p[1] == '{' && strchr(p, '}') != NULL) {
			end = strchr(p, '}') + 1;
			value = env_find(env, hf_strn(p + 2, (size_t)(end - p - 3)));
		} else if (*p == '$' && strspn(p + 1, letters) > 0) {
			end = p + 1 + strspn(p + 1, letters);
			value = env_find(env, hf_strn(p + 1, (size_t)(end - p - 1)));
		}
		if (value != NULL)
			hf_buf_puts(&out, value);
		else
			hf_buf_append(&out, p, (size_t)(end - p));
		p = end;
	}
	return hf_str_dup(a, hf_buf_str(&out));
}

const char *hf_cmdline_expand(struct hf_arena *a, const char *word, const char *const *env)
{
	word = expand_variables(a, word, env);
	return hf_path_expand_user(a, word, env_find(env, HF_STR("HOME")));
}

bool hf_cmdline_glob(struct hf_arena *a, const char *dir, const char *pattern)
{
	char *full = hf_path_join(a, dir, pattern);
	if (strpbrk(pattern, "*?[") == NULL) {
		struct stat st;
		return lstat(full, &st) == 0;
	}
	glob_t found = { 0 };
	bool any = glob(full, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0;
	globfree(&found);
	return any;
}

/* Bytes of the line boundary at p, 0 when there is none: the set of Python's str.splitlines(). */
static size_t line_break(const char *p, size_t n)
{
	if (p[0] == '\r')
		return n > 1 && p[1] == '\n' ? 2 : 1;
	if ((p[0] >= '\n' && p[0] <= '\f') || (p[0] >= 0x1c && p[0] <= 0x1e))
		return 1;
	if (n >= 2 && memcmp(p, "\xc2\x85", 2) == 0)
		return 2;
	if (n >= 3 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

struct hf_value *hf_cmdline_lines(struct hf_arena *a, struct hf_str text)
{
	struct hf_value *lines = hf_value_list(a);
	size_t from = 0;
	for (size_t at = 0; at < text.n;) {
		size_t n = line_break(text.p + at, text.n - at);
		if (n == 0) {
			at++;
			continue;
		}
		hf_list_append(lines, hf_value_str(a, hf_strn(text.p + from, at - from)));
		at += n;
		from = at;
	}
	if (from < text.n)
		hf_list_append(lines, hf_value_str(a, hf_strn(text.p + from, text.n - from)));
	return lines;
}

static struct hf_str newlines_stripped(struct hf_str s, bool strip)
{
	while (strip && s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

void hf_cmdline_report(
	struct hf_module_context *c, struct hf_change *change, const struct hf_proc_result *r, bool strip)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str out = newlines_stripped(r->out, strip), err = newlines_stripped(r->err, strip);
	hf_result_int(c, change, "rc", r->signal != 0 ? -r->signal : r->status);
	hf_result_put(c, change, "stdout", hf_value_str(a, out));
	hf_result_put(c, change, "stdout_lines", hf_cmdline_lines(a, out));
	hf_result_put(c, change, "stderr", hf_value_str(a, err));
	hf_result_put(c, change, "stderr_lines", hf_cmdline_lines(a, err));
}

int hf_cmdline_temp_dir(struct hf_arena *a, const char *what, char **ret, struct hf_error *err)
{
	const char *base = getenv("TMPDIR");
	char *path =
		hf_sprintf(a, "%s/holdfast-%s.XXXXXX", base != NULL && *base == '/' ? base : "/tmp", what);
	if (mkdtemp(path) == NULL)
		return hf_fail_errno(err, HF_E_IO, "make a temporary directory %s", path);
	*ret = path;
	return 0;
}

const char *hf_cmdline_moment(struct hf_arena *a, const struct timeval *t)
{
	char text[64];
	struct tm local;
	localtime_r(&t->tv_sec, &local);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	return hf_sprintf(a, "%s.%06ld", text, (long)t->tv_usec);
}

const char *hf_cmdline_delta(struct hf_arena *a, const struct timeval *from, const struct timeval *to)
{
	struct timeval d;
	timersub(to, from, &d);
	long s = (long)d.tv_sec;
	return hf_sprintf(a, "%ld:%02ld:%02ld.%06ld", s / 3600, s / 60 % 60, s % 60, (long)d.tv_usec);
}

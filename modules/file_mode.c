#include "modules/file_mode.h"

#include <string.h>

#include "lib/base/str.h"

enum { PERM_BITS = 07777 };

mode_t hf_file_umask(void)
{
	mode_t mask = umask(0);
	umask(mask);
	return mask;
}

static bool mode_octal(const char *text, mode_t *ret)
{
	struct hf_str s = hf_str_trim(hf_str(text));
	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'o' || s.p[1] == 'O'))
		s = hf_strn(s.p + 2, s.n - 2);
	mode_t mode = 0;
	if (s.n == 0 || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		mode = mode * 8 + (mode_t)(s.p[i] - '0');
	}
	*ret = mode;
	return true;
}

/* Bits a letter stands for, for one of u, g, o. now: the mode so far, with file type. */
static mode_t mode_letter(char letter, char who, mode_t now, bool use_umask)
{
	unsigned shift = who == 'u' ? 6 : who == 'g' ? 3 : 0;
	mode_t allowed = use_umask ? ~hf_file_umask() : ~(mode_t)0;
	switch (letter) {
	case 'r':
		return (04u << shift) & allowed;
	case 'w':
		return (02u << shift) & allowed;
	case 'x':
		return (01u << shift) & allowed;
	case 'X':
		return S_ISDIR(now) || (now & 0111) != 0 ? 01u << shift : 0;
	case 's':
		return who == 'u' ? S_ISUID : who == 'g' ? S_ISGID : 0;
	case 't':
		return who == 'o' ? S_ISVTX : 0;
	case 'u':
		return ((now >> 6) & 7) << shift;
	case 'g':
		return ((now >> 3) & 7) << shift;
	default: /* 'o': the caller has looked */
		return (now & 7) << shift;
	}
}

static mode_t mode_operate(char who, char operator, mode_t bits, mode_t now)
{
	if (operator== '+')
		return now | bits;
	if (operator== '-')
		return now & ~bits;
	mode_t mask = who == 'u' ? S_IRWXU | S_ISUID : who == 'g' ? S_IRWXG | S_ISGID : S_IRWXO | S_ISVTX;
	return (now & ~mask) | bits;
}

/* One clause between commas: users, then operators each with its letters. False when a letter is unknown. */
static bool mode_clause(struct hf_str clause, mode_t *now)
{
	size_t at = 0;
	while (at < clause.n && strchr("+-=", clause.p[at]) == NULL)
		at++;
	struct hf_str users = hf_strn(clause.p, at);
	bool use_umask = users.n == 0;
	if (users.n == 0 || hf_str_is(users, "a"))
		users = HF_STR("ugo");
	for (size_t i = 0; i < users.n; i++)
		if (strchr("ugo", users.p[i]) == NULL)
			return false;
	while (at < clause.n) {
		char operator= clause.p[at++];
		size_t from = at;
		while (at < clause.n && strchr("+-=", clause.p[at]) == NULL)
			if (strchr("rwxXstugo", clause.p[at++]) == NULL)
				return false;
		for (size_t i = 0; i < users.n; i++) {
			mode_t bits = 0;
			for (size_t k = from; k < at; k++)
				bits |= mode_letter(clause.p[k], users.p[i], *now, use_umask);
			*now = mode_operate(users.p[i], operator, bits, *now);
		}
	}
	return true;
}

int hf_file_mode_parse(const char *text, mode_t now, mode_t *ret, struct hf_error *err)
{
	mode_t mode;
	if (mode_octal(text, &mode)) {
		if ((mode & ~(mode_t)PERM_BITS) != 0)
			return hf_fail(
				err, HF_E_TASK, "Invalid mode supplied, only permission info is allowed");
		*ret = mode;
		return 0;
	}
	mode = now;
	const char *p = text;
	for (;;) { /* every pass eats one clause of a bounded argument */
		size_t n = strcspn(p, ",");
		if (!mode_clause(hf_strn(p, n), &mode))
			return hf_fail(err, HF_E_TASK, "mode must be in octal or symbolic form");
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	*ret = mode & PERM_BITS;
	return 0;
}

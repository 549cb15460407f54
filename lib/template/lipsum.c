/* lipsum(): paragraphs of filler text. Another one each time, so nothing but its shape can be relied on. */
#include <ctype.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/eval.h"

enum {
	PARAGRAPHS_MAX = 1000,
	WORDS_MAX = 100000,
	COMMA_LEAST = 3,
	COMMA_MOST = 8,
	STOP_LEAST = 10,
	STOP_MOST = 20
};

static const char *const words[] = { "ac", "ad", "amet", "ante", "arcu", "at", "augue", "bibendum", "commodo",
	"consequat", "cras", "cursus", "dapibus", "diam", "dolor", "donec", "dui", "eget", "elit", "enim",
	"erat", "est", "et", "etiam", "felis", "fusce", "gravida", "habitant", "iaculis", "id", "in", "ipsum",
	"justo", "lacus", "lectus", "leo", "libero", "lorem", "luctus", "magna", "mauris", "mi", "morbi",
	"nec", "neque", "nibh", "nisi", "non", "nulla", "nunc", "odio", "orci", "pede", "porta", "purus",
	"quam", "quis", "risus", "sapien", "sed", "sem", "sit", "tellus", "tempus", "tortor", "turpis", "ut",
	"varius", "velit", "vitae" };

/* A number of [least, most): what is random enough for filler. */
static uint64_t between(uint64_t *state, uint64_t least, uint64_t most)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return least + (*state >> 33) % (most - least);
}

static void word_add(struct hf_buf *out, const char *word, bool capital)
{
	hf_buf_put(out, capital ? (char)toupper((unsigned char)word[0]) : word[0]);
	hf_buf_puts(out, word + 1);
}

/* Words with a comma every few and a stop every ten or more, which the next one begins large after. */
static void paragraph(struct hf_buf *out, uint64_t *state, uint64_t n)
{
	uint64_t comma = between(state, COMMA_LEAST, COMMA_MOST),
		 stop = between(state, STOP_LEAST, STOP_MOST);
	size_t last = HF_COUNT(words);
	bool capital = true;
	for (uint64_t i = 0; i < n; i++) {
		size_t word = between(state, 0, HF_COUNT(words));
		if (word == last)
			word = (word + 1) % HF_COUNT(words);
		last = word;
		word_add(out, words[word], capital);
		capital = i >= stop;
		if (i + 1 == n || capital)
			hf_buf_put(out, '.');
		else if (i >= comma)
			hf_buf_put(out, ',');
		if (capital)
			stop = i + between(state, STOP_LEAST, STOP_MOST);
		if (capital || i >= comma)
			comma = i + between(state, COMMA_LEAST, COMMA_MOST);
		if (i + 1 < n)
			hf_buf_put(out, ' ');
	}
}

static int arguments(
	struct hf_eval *e, const struct hf_call *call, int64_t ret[3], bool *ret_html, struct hf_error *err)
{
	static const char *const names[] = { "n", "html", "min", "max", NULL };
	static const size_t numbers[] = { 0, 2, 3 };
	int r = hf_call_check(call, "lipsum", 4, names, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(numbers); i++) {
		struct hf_value *v = hf_call_arg(call, numbers[i], names[numbers[i]]);
		if (v != NULL)
			r = hf_eval_int(e, v, "lipsum", &ret[i], err);
	}
	struct hf_value *html = hf_call_arg(call, 1, "html");
	if (r == 0 && html != NULL)
		r = hf_eval_truth(e, html, ret_html, err);
	if (r < 0)
		return r;
	if (ret[0] > PARAGRAPHS_MAX || ret[2] > WORDS_MAX)
		return hf_fail(err, HF_E_LIMIT, "lipsum() gives at most %d paragraphs of %d words",
			PARAGRAPHS_MAX, WORDS_MAX);
	if (ret[0] > 0 && ret[1] >= ret[2])
		return hf_raise(err, "empty range for randrange() (%lld, %lld, %lld)", (long long)ret[1],
			(long long)ret[2], (long long)(ret[2] - ret[1]));
	return 0;
}

int hf_global_lipsum(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	int64_t given[] = { 5, 20, 100 }; /* paragraphs, least and most words of one */
	uint64_t state = 0;
	bool html = true;
	int r = arguments(e, call, given, &html, err);
	if (r < 0)
		return r;
	if (getrandom(&state, sizeof(state), 0) != (ssize_t)sizeof(state))
		return hf_fail_errno(err, HF_E_IO, "random");
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	for (int64_t i = 0; i < given[0] && r == 0; i++) {
		uint64_t least = given[1] < 0 ? 0 : (uint64_t)given[1],
			 most = given[2] < 1 ? 1 : (uint64_t)given[2];
		uint64_t n = between(&state, least, most);
		hf_buf_puts(&out, i == 0 ? "" : html ? "\n" : "\n\n");
		hf_buf_puts(&out, html ? "<p>" : "");
		paragraph(&out, &state, n);
		hf_buf_puts(&out, n == 0 ? "." : "");
		hf_buf_puts(&out, html ? "</p>" : "");
		r = hf_eval_steps(e, n + 1, err);
	}
	return r < 0 ? r : hf_buf_value(e, &out, html ? HF_VALUE_MARKUP : 0, ret, err);
}

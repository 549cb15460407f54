/* One request to sign as JSON on every line of standard input, what was signed as JSON on standard output:
 * {"method","path","query","headers":[[name,value]…],"hash","region","service","time","access","secret","token",
 *  "s3","keep_path","hash_header","token_unsigned","expires"} → {"canonical","string_to_sign","signature"} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/net/sigv4.h"

static int door_answer(struct hf_arena *a, const json_t *j, struct hf_sigv4_signed *ret, struct hf_error *err)
{
	struct hf_http_headers headers = { 0 };
	size_t i;
	json_t *pair;
	json_array_foreach(json_object_get(j, "headers"), i, pair) * hf_vec_push(a, &headers) =
		(struct hf_http_header){ json_string_value(json_array_get(pair, 0)),
			json_string_value(json_array_get(pair, 1)) };
	struct hf_sigv4 s = {
		.method = json_string_value(json_object_get(j, "method")),
		.path = json_string_value(json_object_get(j, "path")),
		.query = json_string_value(json_object_get(j, "query")),
		.headers = headers.at,
		.n_headers = headers.n,
		.payload_hash = json_string_value(json_object_get(j, "hash")),
		.region = json_string_value(json_object_get(j, "region")),
		.service = json_string_value(json_object_get(j, "service")),
		.time = json_integer_value(json_object_get(j, "time")),
		.key = { json_string_value(json_object_get(j, "access")),
			json_string_value(json_object_get(j, "secret")),
			json_string_value(json_object_get(j, "token")) },
		.s3 = json_is_true(json_object_get(j, "s3")),
		.keep_path = json_is_true(json_object_get(j, "keep_path")),
		.hash_header = json_is_true(json_object_get(j, "hash_header")),
		.token_unsigned = json_is_true(json_object_get(j, "token_unsigned")),
		.expires = (uint32_t)json_integer_value(json_object_get(j, "expires")),
	};
	return s.expires > 0 ? hf_sigv4_query(a, &s, ret, err) : hf_sigv4_header(a, &s, ret, err);
}

int main(void)
{
	hf_auto_free char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0) {
		hf_auto_arena a = hf_arena_new();
		struct hf_error err = { 0 };
		struct hf_sigv4_signed out = { 0 };
		json_t *j = json_loads(line, 0, NULL);
		if (j == NULL || door_answer(a, j, &out, &err) < 0) {
			fprintf(stderr, "sigv4_door: %s\n", j == NULL ? "not JSON" : err.text);
			return 1;
		}
		json_t *answer = json_pack("{s:s, s:s, s:s}", "canonical", out.canonical, "string_to_sign",
			out.string_to_sign, "signature", out.signature);
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(answer);
		json_decref(j);
	}
	return 0;
}

/* Profiles in ~/.aws/config and ~/.aws/credentials. */
#include <string.h>

#include "lib/data/value.h"
#include "lib/net/credentials_chain.h"

enum { PROFILE_LINES_MAX = 20000 };

/* "[x]" in the credentials file (plain), "[profile x]" in the other; "[default]" in both. */
static bool section_is(struct hf_str line, const char *profile, bool plain)
{
	struct hf_str name = hf_str_trim(hf_strn(line.p + 1, line.n - 2));
	bool prefixed = hf_str_starts(name, "profile ") || hf_str_starts(name, "profile\t");
	if (prefixed)
		name = hf_str_trim(hf_strn(name.p + 8, name.n - 8));
	return hf_str_is(name, profile) && (prefixed != plain || hf_str_is(name, "default"));
}

static void setting_add(struct hf_arena *a, struct hf_str line, struct hf_value *dict)
{
	const char *equal = memchr(line.p, '=', line.n);
	if (equal == NULL)
		return;
	const char *key = hf_str_dup(a, hf_str_trim(hf_strn(line.p, (size_t)(equal - line.p))));
	struct hf_str value = hf_str_trim(hf_strn(equal + 1, line.n - (size_t)(equal + 1 - line.p)));
	if (hf_dict_get(dict, key) == NULL && value.n > 0)
		hf_dict_put(dict, key, hf_value_str(a, value));
}

/* Add the settings of one profile in an INI text to dict; the first one wins, so the credentials file is read
 * first. True when the section exists. */
static bool ini_read(
	struct hf_arena *a, struct hf_str text, const char *profile, bool plain, struct hf_value *dict)
{
	bool inside = false, seen = false;
	struct hf_str line;
	for (size_t n = 0; n < PROFILE_LINES_MAX && hf_str_split(&text, '\n', &line); n++) {
		bool nested =
			line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'); /* settings of one service */
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
			inside = section_is(line, profile, plain);
			seen = seen || inside;
		} else if (inside && !nested) {
			setting_add(a, line, dict);
		}
	}
	return seen;
}

static const char *file_path(
	struct hf_arena *a, const struct hf_aws_io *io, const char *variable, const char *name)
{
	const char *path = io_env(io, variable), *home = io_env(io, "HOME");
	if (path != NULL && strncmp(path, "~/", 2) == 0 && home != NULL)
		return hf_sprintf(a, "%s%s", home, path + 1);
	if (path != NULL)
		return path;
	return home == NULL ? NULL : hf_sprintf(a, "%s/.aws/%s", home, name);
}

/* *ret NULL when no such profile exists. */
static int profile_read(struct hf_arena *a, const struct hf_aws_io *io, const char *profile,
	struct hf_value **ret, struct hf_error *err)
{
	const char *const paths[] = { file_path(a, io, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
		file_path(a, io, "AWS_CONFIG_FILE", "config") };
	struct hf_value *dict = hf_value_dict(a);
	bool seen = false;
	for (size_t i = 0; i < HF_COUNT(paths); i++) {
		struct hf_str text;
		struct hf_error failure = { 0 };
		if (paths[i] == NULL)
			continue;
		int rc = io->read(io->data, a, paths[i], &text, &failure);
		if (rc == -HF_E_NOT_FOUND)
			continue;
		if (rc < 0) {
			if (err != NULL)
				*err = failure;
			return hf_wrap(err, "AWS profile \"%s\"", profile);
		}
		seen = ini_read(a, text, profile, i == 0, dict) || seen;
	}
	*ret = seen ? dict : NULL;
	return 0;
}

static const char *profile_name(const struct hf_aws_io *io, bool *ret_named)
{
	const char *name = io_env(io, "AWS_PROFILE");
	if (name == NULL)
		name = io_env(io, "AWS_DEFAULT_PROFILE");
	*ret_named = name != NULL;
	return name == NULL ? "default" : name;
}

int hf_aws_profile_get(struct hf_arena *a, const struct hf_aws_io *io, const char *profile, const char *key,
	const char **ret, struct hf_error *err)
{
	bool named;
	struct hf_value *dict;
	int rc = profile_read(a, io, profile == NULL ? profile_name(io, &named) : profile, &dict, err);
	if (rc < 0)
		return rc;
	*ret = dict == NULL ? NULL : hf_dict_cstr(dict, key, NULL);
	return 0;
}

static int profile_refuse(const struct hf_value *dict, const char *profile, struct hf_error *err)
{
	static const struct {
		const char *key, *why;
	} refused[] = {
		{ "credential_process", "programs are not run for credentials" },
		{ "sso_session", "single sign-on is not supported: export temporary credentials" },
		{ "sso_start_url", "single sign-on is not supported: export temporary credentials" },
		{ "mfa_serial", "nobody is there to type a code: export temporary credentials" },
	};
	for (size_t i = 0; i < HF_COUNT(refused); i++)
		if (hf_dict_get(dict, refused[i].key) != NULL)
			return hf_fail(err, HF_E_UNSUPPORTED, "AWS profile \"%s\": %s: %s", profile,
				refused[i].key, refused[i].why);
	return 0;
}

static int profile_keys(struct hf_arena *a, const struct hf_value *dict, const char *profile,
	struct found *ret, struct hf_error *err)
{
	const char *access = hf_dict_cstr(dict, "aws_access_key_id", NULL);
	const char *secret = hf_dict_cstr(dict, "aws_secret_access_key", NULL);
	if (access == NULL && secret == NULL)
		return 0;
	if (access == NULL || secret == NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"AWS profile \"%s\" has only one of aws_access_key_id and "
			"aws_secret_access_key",
			profile);
	*ret = (struct found){ { access, secret, hf_dict_cstr(dict, "aws_session_token", NULL) }, 0,
		hf_sprintf(a, "profile %s", profile) };
	return 0;
}

static int profile_resolve(struct hf_credentials *c, struct hf_arena *a, const char *profile, int depth,
	struct found *ret, struct hf_error *err);

/* Whose keys ask for the role. */
static int role_origin(struct hf_credentials *c, struct hf_arena *a, const struct hf_value *dict,
	const char *profile, int depth, struct found *ret, struct hf_error *err)
{
	static const struct {
		const char *name;
		int (*source)(struct hf_credentials *, struct hf_arena *, struct found *, struct hf_error *);
	} sources[] = { { "Environment", source_environment }, { "EcsContainer", source_container },
		{ "Ec2InstanceMetadata", source_instance } };
	const char *from = hf_dict_cstr(dict, "source_profile", NULL);
	const char *source = hf_dict_cstr(dict, "credential_source", NULL);
	if (from != NULL && strcmp(from, profile) == 0)
		return profile_keys(a, dict, profile, ret, err);
	if (from != NULL)
		return profile_resolve(c, a, from, depth + 1, ret, err);
	for (size_t i = 0; source != NULL && i < HF_COUNT(sources); i++)
		if (strcmp(source, sources[i].name) == 0)
			return sources[i].source(c, a, ret, err);
	if (source != NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"AWS profile \"%s\": credential_source \"%s\" is none of Environment, "
			"EcsContainer, Ec2InstanceMetadata",
			profile, source);
	return hf_fail(err, HF_E_ARGUMENT,
		"AWS profile \"%s\": role_arn needs source_profile, credential_source or "
		"web_identity_token_file",
		profile);
}

static int profile_role(struct hf_credentials *c, struct hf_arena *a, const struct hf_value *dict,
	const char *profile, int depth, struct found *ret, struct hf_error *err)
{
	struct role role = {
		.arn = hf_dict_cstr(dict, "role_arn", NULL),
		.session = hf_dict_cstr(dict, "role_session_name", NULL),
		.external_id = hf_dict_cstr(dict, "external_id", NULL),
		.token_file = hf_dict_cstr(dict, "web_identity_token_file", NULL),
		.region = hf_dict_cstr(dict, "region", NULL),
	};
	const char *seconds = hf_dict_cstr(dict, "duration_seconds", NULL);
	if (seconds != NULL && !hf_str_to_int64(hf_str(seconds), &role.seconds))
		return hf_fail(err, HF_E_ARGUMENT,
			"AWS profile \"%s\": duration_seconds \"%s\" is not a number", profile, seconds);
	struct found origin = { 0 };
	if (role.token_file == NULL) {
		int rc = role_origin(c, a, dict, profile, depth, &origin, err);
		if (rc < 0)
			return rc;
		if (origin.source == NULL)
			return hf_fail(err, HF_E_DENIED,
				"AWS profile \"%s\": the source of its role has no credentials", profile);
	}
	int rc = role_assume(c, a, &role, role.token_file == NULL ? &origin.key : NULL, ret, err);
	if (rc < 0)
		return hf_wrap(err, "AWS profile \"%s\"", profile);
	ret->source = hf_sprintf(a, "profile %s (role %s)", profile, role.arn);
	return 0;
}

static int profile_resolve(struct hf_credentials *c, struct hf_arena *a, const char *profile, int depth,
	struct found *ret, struct hf_error *err)
{
	struct hf_value *dict;
	if (depth > HF_AWS_PROFILE_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "AWS profiles name each other as source more than %d times",
			HF_AWS_PROFILE_DEPTH_MAX);
	int rc = profile_read(a, &c->io, profile, &dict, err);
	if (rc < 0)
		return rc;
	if (dict == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "AWS profile \"%s\" does not exist", profile);
	rc = profile_refuse(dict, profile, err);
	if (rc < 0)
		return rc;
	if (hf_dict_get(dict, "role_arn") != NULL)
		return profile_role(c, a, dict, profile, depth, ret, err);
	return profile_keys(a, dict, profile, ret, err);
}

int source_profile(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	bool named;
	const char *profile = profile_name(&c->io, &named);
	struct hf_value *dict;
	int rc = profile_read(a, &c->io, profile, &dict, err);
	if (rc < 0)
		return rc;
	if (dict == NULL && !named)
		return 0;
	return profile_resolve(c, a, profile, 0, ret, err);
}

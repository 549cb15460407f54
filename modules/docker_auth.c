#include "modules/docker_auth.h"

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/filters.h"

#define INDEX_NAME "docker.io"
#define INDEX_URL  "https://index.docker.io/v1/"
enum { CONFIG_MAX = 4 << 20, HELPER_MS = 60000 };

void hf_docker_registry(
	struct hf_arena *a, const char *image, const char **ret_registry, const char **ret_name)
{
	const char *slash = strchr(image, '/');
	const char *first = slash == NULL ? "" : hf_strndup(a, image, (size_t)(slash - image));
	bool host = strpbrk(first, ".:") != NULL || strcmp(first, "localhost") == 0;
	*ret_registry = !host || strcmp(first, "index." INDEX_NAME) == 0 ? INDEX_NAME : first;
	*ret_name = host ? slash + 1 : image;
}

/* Keys of `auths` are hosts, or the URLs of older clients. */
static const char *host_of(struct hf_arena *a, const char *key)
{
	const char *at = strncmp(key, "https://", 8) == 0  ? key + 8
			 : strncmp(key, "http://", 7) == 0 ? key + 7
							   : key;
	const char *host = hf_strndup(a, at, strcspn(at, "/"));
	return strcmp(host, "index." INDEX_NAME) == 0 ? INDEX_NAME : host;
}

static const struct hf_value *dict_in(const struct hf_value *dict, const char *key)
{
	const struct hf_value *v = hf_is(dict, HF_DICT) ? hf_dict_get(dict, key) : NULL;
	return hf_is(v, HF_DICT) ? v : NULL;
}

/* *ret NULL: there is none. */
static int config_read(struct hf_docker *d, struct hf_value **ret, struct hf_error *err)
{
	const char *dir = hf_docker_env(d, "DOCKER_CONFIG"), *home = hf_docker_env(d, "HOME");
	const char *path = NULL;
	struct hf_error why;
	struct hf_str text;
	*ret = NULL;
	if (dir != NULL && *dir != '\0')
		path = hf_path_join(d->a, dir, "config.json");
	if ((path == NULL || !hf_fs_exists(path)) && home != NULL)
		path = hf_path_join(d->a, home, ".docker/config.json");
	if (path == NULL || !hf_fs_exists(path))
		return 0;
	int r = hf_fs_read(d->a, path, CONFIG_MAX, &text, err);
	if (r == 0 && (hf_json_loads(d->a, text, ret, &why) < 0 || !hf_is(*ret, HF_DICT))) {
		hf_task_warn(d->c, "%s is not read: it is no JSON object", path);
		*ret = NULL;
	}
	return r;
}

/* "user:password" in base64. */
static int plain_entry(struct hf_docker *d, const char *registry, const struct hf_value *entry,
	struct hf_value **ret, struct hf_error *err)
{
	const char *token = hf_dict_cstr(entry, "identitytoken", NULL);
	const char *auth = hf_dict_cstr(entry, "auth", NULL);
	struct hf_value *out = hf_value_dict(d->a), *email = hf_dict_get(entry, "email");
	if (token != NULL) {
		hf_task_secret(d->c, hf_str(token));
		hf_dict_put(out, "IdentityToken", hf_value_cstr(d->a, token));
	} else if (auth != NULL) {
		hf_auto_buf both = hf_buf_init(CONFIG_MAX);
		struct hf_error why;
		struct hf_str text;
		const char *colon = NULL;
		if (filter_base64_decode(hf_str(auth), &both, &why) == 0) {
			text = hf_buf_dup(d->a, &both);
			colon = memchr(text.p, ':', text.n);
		}
		if (colon == NULL)
			return hf_fail(err, HF_E_TASK,
				"the Docker configuration's auth of %s is not USER:PASSWORD in base64",
				registry);
		hf_task_secret(d->c, hf_str(colon + 1));
		hf_dict_put(out, "username", hf_value_str(d->a, hf_strn(text.p, (size_t)(colon - text.p))));
		hf_dict_put(out, "password", hf_value_cstr(d->a, colon + 1));
		hf_dict_put(out, "email", email == NULL ? hf_value_null(d->a) : email);
		hf_dict_put(out, "serveraddress", hf_value_cstr(d->a, registry));
	}
	*ret = out;
	return 0;
}

static int helper_run(struct hf_docker *d, const char *store, const char *verb, const char *input,
	struct hf_value **ret, struct hf_error *err)
{
	const char *program = NULL;
	struct hf_proc_result ran;
	struct hf_error why;
	*ret = NULL;
	int r = hf_host_program(d->c, hf_sprintf(d->a, "docker-credential-%s", store), &program, err);
	const char *const argv[] = { program, verb, NULL };
	struct hf_proc_spec spec = { .argv = argv, .input = hf_str(input), .timeout_ms = HELPER_MS };
	if (r == 0)
		r = hf_task_run(d->c, &spec, &ran, err);
	if (r < 0 || ran.status != 0) /* it has none: told by its status */
		return r;
	return hf_json_loads(d->a, ran.out, ret, &why) < 0
		       ? hf_fail(err, HF_E_TASK, "%s %s answers with no JSON", program, verb)
		       : 0;
}

static int helper_entry(struct hf_docker *d, const char *store, const char *registry, struct hf_value **ret,
	struct hf_error *err)
{
	const char *server = strcmp(registry, INDEX_NAME) == 0 ? INDEX_URL : registry;
	struct hf_value *told, *out = hf_value_dict(d->a);
	*ret = NULL;
	int r = helper_run(d, store, "get", server, &told, err);
	if (r < 0 || !hf_is(told, HF_DICT))
		return r;
	const char *user = hf_dict_cstr(told, "Username", ""), *secret = hf_dict_cstr(told, "Secret", "");
	if (*user == '\0' && *secret == '\0')
		return 0;
	hf_task_secret(d->c, hf_str(secret));
	hf_dict_put(out, "ServerAddress", hf_value_cstr(d->a, server));
	if (strcmp(user, "<token>") == 0) {
		hf_dict_put(out, "IdentityToken", hf_value_cstr(d->a, secret));
	} else {
		hf_dict_put(out, "Username", hf_value_cstr(d->a, user));
		hf_dict_put(out, "Password", hf_value_cstr(d->a, secret));
	}
	*ret = out;
	return 0;
}

static const char *helper_of(const struct hf_value *config, const char *registry)
{
	const struct hf_value *helpers = dict_in(config, "credHelpers");
	const char *key = strcmp(registry, INDEX_NAME) == 0 ? INDEX_URL : registry;
	const char *one = helpers == NULL ? NULL : hf_dict_cstr(helpers, key, NULL);
	return one != NULL ? one : hf_dict_cstr(config, "credsStore", NULL);
}

static int header_put(struct hf_docker *d, const char *name, const struct hf_value *what,
	struct hf_value **headers, struct hf_error *err)
{
	hf_auto_buf json = hf_buf_init(CONFIG_MAX);
	int r = hf_json_write(&json, what, &HF_JSON_COMPACT, err);
	if (r < 0)
		return r;
	char *p = hf_str_dup(d->a, hf_host_base64(d->a, hf_buf_str(&json)));
	for (char *c = p; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	if (*headers == NULL)
		*headers = hf_value_dict(d->a);
	hf_dict_put(*headers, name, hf_value_cstr(d->a, p));
	return 0;
}

int hf_docker_auth(struct hf_docker *d, const char *image, struct hf_value **headers, struct hf_error *err)
{
	const char *registry, *name;
	struct hf_value *config, *found = NULL;
	int r = config_read(d, &config, err);
	if (r < 0 || config == NULL)
		return r;
	hf_docker_registry(d->a, image, &registry, &name);
	const char *helper = helper_of(config, registry);
	const struct hf_value *auths = dict_in(config, "auths");
	if (helper != NULL)
		r = helper_entry(d, helper, registry, &found, err);
	if (r == 0 && found == NULL && auths != NULL)
		HF_DICT_EACH (auths, e) {
			const char *key = hf_value_text(d->a, hf_entry_key(e)).p;
			if (r == 0 && found == NULL && hf_is(hf_entry_value(e), HF_DICT) &&
				strcmp(host_of(d->a, key), registry) == 0)
				r = plain_entry(d, key, hf_entry_value(e), &found, err);
		}
	if (r < 0 || found == NULL || hf_dict_len(found) == 0)
		return r;
	return header_put(d, "X-Registry-Auth", found, headers, err);
}

static int helper_all(struct hf_docker *d, const char *store, struct hf_value *all, struct hf_error *err)
{
	struct hf_value *told, *one;
	int r = helper_run(d, store, "list", "", &told, err);
	if (r < 0 || !hf_is(told, HF_DICT))
		return r;
	HF_DICT_EACH (told, e) {
		const char *key = hf_value_text(d->a, hf_entry_key(e)).p;
		if (r == 0)
			r = helper_entry(d, store, key, &one, err);
		if (r == 0 && one != NULL) {
			hf_dict_put(all, key, one);
			hf_dict_put(all, host_of(d->a, key), one);
		}
	}
	return r;
}

static int plain_all(
	struct hf_docker *d, const struct hf_value *auths, struct hf_value *all, struct hf_error *err)
{
	struct hf_value *one;
	int r = 0;
	if (auths == NULL)
		return 0;
	HF_DICT_EACH (auths, e) {
		const char *key = hf_value_text(d->a, hf_entry_key(e)).p;
		if (r < 0 || !hf_is(hf_entry_value(e), HF_DICT))
			continue;
		r = plain_entry(d, key, hf_entry_value(e), &one, err);
		if (r == 0)
			hf_dict_put(all, key, one);
	}
	return r;
}

static int helpers_all(
	struct hf_docker *d, const struct hf_value *helpers, struct hf_value *all, struct hf_error *err)
{
	struct hf_value *one = NULL;
	int r = 0;
	if (helpers == NULL)
		return 0;
	HF_DICT_EACH (helpers, e) {
		const char *key = hf_value_text(d->a, hf_entry_key(e)).p;
		if (r == 0)
			r = helper_entry(d, hf_value_text(d->a, hf_entry_value(e)).p, key, &one, err);
		if (r == 0 && one != NULL)
			hf_dict_put(all, key, one);
	}
	return r;
}

int hf_docker_auth_all(struct hf_docker *d, struct hf_value **headers, struct hf_error *err)
{
	struct hf_value *config, *all = hf_value_dict(d->a);
	int r = config_read(d, &config, err);
	if (r < 0 || config == NULL)
		return r;
	const char *store = hf_dict_cstr(config, "credsStore", NULL);
	r = plain_all(d, dict_in(config, "auths"), all, err);
	if (r == 0 && store != NULL)
		r = helper_all(d, store, all, err);
	if (r == 0)
		r = helpers_all(d, dict_in(config, "credHelpers"), all, err);
	struct hf_value *hub = hf_dict_get(all, INDEX_NAME);
	if (hub != NULL && hf_dict_get(all, INDEX_URL) == NULL)
		hf_dict_put(all, INDEX_URL, hub);
	return r < 0 || hf_dict_len(all) == 0 ? r : header_put(d, "X-Registry-Config", all, headers, err);
}

int hf_docker_proxies(struct hf_docker *d, struct hf_value **ret, struct hf_error *err)
{
	static const char *const names[][3] = { { "httpProxy", "http_proxy", "HTTP_PROXY" },
		{ "httpsProxy", "https_proxy", "HTTPS_PROXY" }, { "ftpProxy", "ftp_proxy", "FTP_PROXY" },
		{ "noProxy", "no_proxy", "NO_PROXY" } };
	struct hf_value *config;
	int r = config_read(d, &config, err);
	*ret = hf_value_dict(d->a);
	const struct hf_value *all = r < 0 ? NULL : dict_in(config, "proxies"), *ours = NULL;
	if (all != NULL && d->socket == NULL)
		ours = dict_in(all, d->base);
	if (all != NULL && ours == NULL)
		ours = dict_in(all, "default");
	for (size_t i = 0; ours != NULL && i < HF_COUNT(names); i++) {
		const char *value = hf_dict_cstr(ours, names[i][0], "");
		if (*value == '\0')
			continue;
		hf_dict_put(*ret, names[i][1], hf_value_cstr(d->a, value));
		hf_dict_put(*ret, names[i][2], hf_value_cstr(d->a, value));
	}
	return r;
}

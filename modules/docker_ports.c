#include <ctype.h>
#include <stdlib.h>

#include "modules/cmdline.h"
#include "modules/docker_container.h"

/* modules/docker_ports.c: volumes and ports of a container. */
enum { PARTS_MAX = 8, PORTS_MAX = 65536 };

static const char *text(struct hf_arena *a, const struct hf_value *v)
{
	return hf_value_text(a, v).p;
}

static bool permissions(struct hf_str mode)
{
	static const char *const words[] = { "rw", "ro", "z", "Z", "consistent", "delegated", "cached",
		"rprivate", "private", "rshared", "shared", "rslave", "slave", "nocopy" };
	struct hf_str word;
	do {
		bool known = false;
		size_t comma = 0;
		while (comma < mode.n && mode.p[comma] != ',')
			comma++;
		word = hf_strn(mode.p, comma);
		for (size_t i = 0; i < HF_COUNT(words); i++)
			known = known || hf_str_equal(word, hf_str(words[i]));
		if (!known)
			return false;
		mode = comma < mode.n ? hf_strn(mode.p + comma + 1, mode.n - comma - 1) : hf_strn(mode.p, 0);
	} while (mode.n > 0);
	return true;
}

/* Paths from the playbook's text: "~/a" and "./a" become whole. */
static const char *whole(struct hf_arena *a, struct hf_container_job *j, const char *host)
{
	if (host[0] != '.' && host[0] != '~')
		return host;
	const char *expanded = hf_cmdline_expand(a, host, hf_task_env(j->c));
	return hf_path_normalize(
		a, expanded[0] == '/' ? expanded : hf_path_join(a, hf_task_dir(j->c), expanded));
}

/* volumes → Binds (volume_binds) and the volumes without a name (volumes). */
int hf_container_volumes(struct hf_container_job *j, const struct hf_value *in, struct hf_error *err)
{
	struct hf_value *binds = hf_value_list(j->a), *plain = hf_value_dict(j->a),
			*seen = hf_value_dict(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		const char *volume = text(j->a, hf_list_at(in, i)), *p[PARTS_MAX];
		size_t n = hf_container_parts(j->a, volume, p, PARTS_MAX);
		const char *inside = p[n > 1 ? 1 : 0];
		bool bind = n == 3 || (n == 2 && !permissions(hf_str(p[1])));
		if (n == 3 && !permissions(hf_str(p[2])))
			return hf_fail(err, HF_E_TASK, "Found invalid volumes mode: %s", p[2]);
		if (hf_dict_get(seen, inside) != NULL)
			return hf_fail(err, HF_E_TASK,
				"The mount point \"%s\" appears twice in the volumes option", inside);
		hf_dict_put(seen, inside, hf_value_null(j->a));
		if (bind)
			hf_list_append(
				binds, hf_value_cstr(j->a, hf_sprintf(j->a, "%s:%s:%s", whole(j->a, j, p[0]),
								   p[1], n == 3 ? p[2] : "rw")));
		else
			hf_dict_put(plain, volume, hf_value_dict(j->a));
	}
	hf_dict_put(j->values, "volumes", plain);
	hf_dict_put(j->values, "volume_binds", binds);
	return 0;
}

/* "8000-8002" or "80" */
static int range(const char *s, long *from, long *to, struct hf_error *err)
{
	char *end = NULL;
	*from = *to = strtol(s, &end, 10);
	if (end != s && *end == '-') {
		const char *second = end + 1;
		*to = strtol(second, &end, 10);
		if (end == second)
			*to = -1;
	}
	if (!isdigit((unsigned char)*s) || *end != '\0' || *to < *from || *to - *from > PORTS_MAX)
		return hf_fail(
			err, HF_E_TASK, "Invalid port%s: \"%s\"", strchr(s, '-') != NULL ? " range" : "", s);
	return 0;
}

static const char *default_address(struct hf_container_job *j)
{
	const char *own = j->p->default_host_ip;
	if (hf_task_given(j->c, "default_host_ip"))
		return strchr(own, ':') != NULL && own[0] != '[' ? hf_sprintf(j->a, "[%s]", own) : own;
	return "0.0.0.0";
}

static int address_agree(const char *address, struct hf_error *err)
{
	if (strspn(address, "0123456789.") == strlen(address))
		return 0;
	return hf_fail(err, HF_E_TASK,
		"Bind addresses for published ports must be IPv4 or IPv6 addresses, not hostnames. Use the "
		"dig lookup to "
		"resolve hostnames. (Found hostname: %s)",
		address);
}

/* "[ADDRESS:][PORT:]INSIDE", an address of IPv6 in brackets. */
static int port_split(struct hf_arena *a, const char *s, const char **address, const char **host,
	const char **inside, struct hf_error *err)
{
	const char *p[PARTS_MAX], *rest = s, *close = strchr(s, ']');
	bool open = s[0] == '[';
	if (open && (close == NULL || close[1] != ':'))
		return hf_fail(err, HF_E_TASK,
			"Cannot find closing \"]\" in input \"%s\" for opening \"[\" at index 1!", s);
	if (close != NULL)
		rest = close + 2;
	size_t n = hf_container_parts(a, rest, p, PARTS_MAX) + (close != NULL ? 1 : 0);
	if (n > 3)
		return hf_fail(err, HF_E_TASK,
			"Invalid port description \"%s\" - expected 1 to 3 colon-separated parts, but got "
			"%zu. Maybe you "
			"forgot to use square brackets ([...]) around an IPv6 address?",
			s, n);
	size_t k = 0;
	*address = close != NULL ? hf_strndup(a, s + 1, (size_t)(close - s - 1)) : n == 3 ? p[k++] : NULL;
	*host = n == 3 || (n == 2 && close == NULL) ? p[k++] : NULL;
	*inside = p[k];
	return *address != NULL && close == NULL ? address_agree(*address, err) : 0;
}

static void port_put(struct hf_container_job *j, const char *key, const char *address, const char *port,
	struct hf_value *bound, struct hf_value *exposed)
{
	struct hf_value *one = hf_value_dict(j->a), *list = hf_dict_get(bound, key);
	hf_dict_put(one, "HostIp", hf_value_cstr(j->a, address == NULL ? default_address(j) : address));
	hf_dict_put(one, "HostPort", hf_value_cstr(j->a, port));
	if (list == NULL)
		hf_dict_put(bound, key, list = hf_value_list(j->a));
	hf_list_append(list, one);
	hf_dict_put(exposed, key, hf_value_dict(j->a));
}

static int port_publish(struct hf_container_job *j, const char *s, struct hf_value *bound,
	struct hf_value *exposed, struct hf_error *err)
{
	const char *address = NULL, *host = NULL, *inside = NULL;
	long from, to, out_from = 0, out_to = 0;
	int r = port_split(j->a, s, &address, &host, &inside, err);
	if (r < 0)
		return r;
	const char *slash = strchr(inside, '/'), *protocol = slash == NULL ? "tcp" : slash + 1;
	r = range(
		slash == NULL ? inside : hf_strndup(j->a, inside, (size_t)(slash - inside)), &from, &to, err);
	bool ranged = r == 0 && to > from && host != NULL && *host != '\0';
	if (ranged)
		r = range(host, &out_from, &out_to, err);
	for (long i = 0; r == 0 && i <= to - from && (!ranged || i <= out_to - out_from); i++) {
		const char *key = hf_sprintf(j->a, "%ld/%s", from + i, protocol);
		const char *port = ranged ? hf_sprintf(j->a, "%ld", out_from + i) : host == NULL ? "" : host;
		port_put(j, key, address, port, bound, exposed);
	}
	return r;
}

int hf_container_ports(struct hf_container_job *j, struct hf_error *err)
{
	struct hf_value *bound = hf_value_dict(j->a), *exposed = hf_value_dict(j->a);
	const struct hf_value *publish = j->p->published_ports, *expose = j->p->exposed_ports;
	bool published = hf_task_given(j->c, "published_ports") && publish != NULL,
	     exposes = hf_task_given(j->c, "exposed_ports") && expose != NULL;
	int r = 0;
	for (size_t i = 0; exposes && i < hf_list_len(expose); i++) {
		const char *s = hf_str_dup(j->a, hf_str_trim(hf_str(text(j->a, hf_list_at(expose, i)))));
		hf_dict_put(exposed, strchr(s, '/') != NULL ? s : hf_sprintf(j->a, "%s/tcp", s),
			hf_value_dict(j->a));
	}
	for (size_t i = 0; published && r == 0 && i < hf_list_len(publish); i++) {
		const char *s = text(j->a, hf_list_at(publish, i));
		if (strcmp(s, "all") == 0)
			return hf_fail(err, HF_E_TASK,
				"Specifying \"all\" in published_ports is no longer allowed. Set "
				"publish_all_ports to "
				"\"true\" instead to randomly assign port mappings for those not specified "
				"by "
				"published_ports.");
		r = port_publish(j, s, bound, exposed, err);
	}
	if (published)
		hf_dict_put(j->values, "published_ports", bound);
	if (published || exposes)
		hf_dict_put(j->values, "exposed_ports", exposed);
	return r;
}

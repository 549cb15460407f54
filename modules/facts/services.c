/* modules/facts/services.c - resolver, names of storage initiators, graphics processors. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "modules/facts/facts.h"

static struct hf_value *words_after_first(struct hf_facts *f, struct hf_str line)
{
	struct hf_value *list = hf_value_list(f->a);
	struct hf_str word;
	bool first = true;
	while (hf_str_split(&line, ' ', &word)) {
		word = hf_str_trim(word);
		if (word.n > 0 && !first)
			hf_list_append(list, hf_value_str(f->a, word));
		first = first && word.n == 0;
	}
	return list;
}

static struct hf_value *resolver_options(struct hf_facts *f, const struct hf_value *words)
{
	struct hf_value *options = hf_value_dict(f->a);
	for (size_t i = 0; i < hf_list_len(words); i++) {
		const char *word = hf_list_at(words, i)->u.string.p, *colon = strchr(word, ':');
		if (colon == NULL || colon[1] == '\0')
			hf_dict_put(options, hf_strndup(f->a, word, strcspn(word, ":")),
				hf_value_bool(f->a, true));
		else
			hf_dict_text(options, hf_strndup(f->a, word, (size_t)(colon - word)), colon + 1);
	}
	return options;
}

void hf_facts_dns(struct hf_facts *f)
{
	struct hf_value *dns = hf_value_dict(f->a);
	const char *text = hf_facts_file(f, "/etc/resolv.conf");
	struct hf_str rest = hf_str(text == NULL ? "" : text), line;
	while (hf_str_split(&rest, '\n', &line)) {
		char *copy = hf_str_dup(f->a, hf_str_trim(line));
		for (char *p = copy; *p != '\0'; p++)
			*p = *p == '\t' ? ' ' : *p;
		struct hf_value *words = words_after_first(f, hf_str(copy));
		if (strncmp(copy, "nameserver ", 11) == 0) {
			struct hf_value *servers = hf_dict_get(dns, "nameservers");
			for (size_t i = 0; servers != NULL && i < hf_list_len(words); i++)
				hf_list_append(servers, hf_list_at(words, i));
			if (servers == NULL)
				hf_dict_put(dns, "nameservers", words);
		} else if (strncmp(copy, "domain ", 7) == 0 && hf_list_len(words) > 0) {
			hf_dict_put(dns, "domain", hf_list_at(words, 0));
		} else if (strncmp(copy, "search ", 7) == 0) {
			hf_dict_put(dns, "search", words);
		} else if (strncmp(copy, "sortlist ", 9) == 0) {
			hf_dict_put(dns, "sortlist", words);
		} else if (strncmp(copy, "options ", 8) == 0) {
			hf_dict_put(dns, "options", resolver_options(f, words));
		}
	}
	hf_facts_put(f, "dns", dns);
}

/* First line that starts with prefix, without comments. */
static const char *line_starting(struct hf_facts *f, const char *path, const char *prefix)
{
	const char *text = hf_facts_file(f, "%s", path);
	struct hf_str rest = hf_str(text == NULL ? "" : text), line;
	while (hf_str_split(&rest, '\n', &line))
		if (hf_str_starts(line, prefix))
			return hf_str_dup(f->a, line);
	return NULL;
}

void hf_facts_storage_names(struct hf_facts *f)
{
	struct hf_value *ports = hf_value_list(f->a), *hosts = hf_facts_names(f, "/sys/class/fc_host");
	for (size_t i = 0; i < hf_list_len(hosts); i++) {
		const char *port =
			hf_facts_file(f, "/sys/class/fc_host/%s/port_name", hf_list_at(hosts, i)->u.string.p);
		if (port != NULL && strlen(port) > 2)
			hf_list_append(ports, hf_value_cstr(f->a, port + 2));
	}
	hf_facts_put(f, "fibre_channel_wwn", ports);
	const char *iscsi = line_starting(f, "/etc/iscsi/initiatorname.iscsi", "InitiatorName=");
	const char *nvme = line_starting(f, "/etc/nvme/hostnqn", "nqn.");
	hf_facts_text(f, "iscsi_iqn", iscsi == NULL ? "" : iscsi + strlen("InitiatorName="));
	hf_facts_text(f, "hostnqn", nvme == NULL ? "" : nvme);
}

/* "Model:   NVIDIA A100" → model: "NVIDIA A100" */
static struct hf_value *driver_table(struct hf_facts *f, const char *text)
{
	struct hf_value *table = hf_value_dict(f->a);
	struct hf_str rest = hf_str(text == NULL ? "" : text), line;
	while (hf_str_split(&rest, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.n);
		if (colon == NULL)
			continue;
		char *key = hf_str_dup(f->a, hf_str_trim(hf_strn(line.p, (size_t)(colon - line.p))));
		for (char *p = key; *p != '\0'; p++)
			*p = *p == ' ' ? '_' : (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		hf_dict_put(table, key,
			hf_value_str(f->a,
				hf_str_trim(hf_strn(colon + 1, line.n - (size_t)(colon - line.p) - 1))));
	}
	return table;
}

static const char *driver_version(struct hf_facts *f)
{
	const char *version = hf_facts_file(f, "/sys/module/nvidia/version");
	if (version != NULL)
		return version;
	const char *text = hf_facts_file(f, "/proc/driver/nvidia/version");
	const char *mark = text == NULL ? NULL : strstr(text, "Module  ");
	return mark == NULL ? NULL : hf_strndup(f->a, mark + 8, strcspn(mark + 8, " "));
}

/* NVIDIA display controllers on the PCI bus: they are there before any driver is. */
static struct hf_value *gpu_devices(struct hf_facts *f)
{
	struct hf_value *gpus = hf_value_list(f->a), *slots = hf_facts_names(f, "/sys/bus/pci/devices");
	for (size_t i = 0; i < hf_list_len(slots); i++) {
		const char *slot = hf_list_at(slots, i)->u.string.p;
		const char *vendor = hf_facts_file(f, "/sys/bus/pci/devices/%s/vendor", slot);
		const char *class = hf_facts_file(f, "/sys/bus/pci/devices/%s/class", slot);
		if (vendor == NULL || strcmp(vendor, "0x10de") != 0 || class == NULL ||
			strncmp(class, "0x03", 4) != 0)
			continue;
		struct hf_value *gpu =
			driver_table(f, hf_facts_file(f, "/proc/driver/nvidia/gpus/%s/information", slot));
		const char *driver =
			hf_facts_link(f, hf_sprintf(f->a, "/sys/bus/pci/devices/%s/driver", slot));
		hf_dict_text(gpu, "slot", slot);
		hf_dict_put(
			gpu, "device", hf_facts_file_value(f, NULL, "/sys/bus/pci/devices/%s/device", slot));
		hf_dict_put(gpu, "numa_node",
			hf_facts_file_value(f, NULL, "/sys/bus/pci/devices/%s/numa_node", slot));
		hf_dict_put(
			gpu, "driver", driver == NULL ? hf_value_null(f->a) : hf_value_cstr(f->a, driver));
		hf_list_append(gpus, gpu);
	}
	return gpus;
}

void hf_facts_gpu(struct hf_facts *f)
{
	struct hf_value *gpu = hf_value_dict(f->a), *devices = gpu_devices(f);
	const char *driver = driver_version(f);
	const char *cuda = hf_facts_link(f, "/usr/local/cuda");
	hf_dict_put(gpu, "count", hf_value_int(f->a, (int64_t)hf_list_len(devices)));
	hf_dict_put(gpu, "devices", devices);
	hf_dict_put(
		gpu, "driver_version", driver == NULL ? hf_value_null(f->a) : hf_value_cstr(f->a, driver));
	hf_dict_put(gpu, "cuda", cuda == NULL ? hf_value_null(f->a) : hf_value_cstr(f->a, cuda));
	hf_dict_put(f->all, "holdfast_gpu", gpu);
}

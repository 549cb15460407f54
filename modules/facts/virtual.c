/* modules/facts/virtual.c - is this a guest, of what; is it a host, for what. */
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "modules/facts/facts.h"

struct virtual
{
	struct hf_facts *f;
	struct hf_value *guest, *host; /* sets as dicts */
	const char *type, *role;
};

static void tech_add(struct virtual *v, struct hf_value *set, const char *name)
{
	hf_dict_put(set, name, hf_value_bool(v->f->a, true));
}

/* The first hit names the type; every hit is listed. */
static void hit(struct virtual *v, bool guest, const char *name)
{
	tech_add(v, guest ? v->guest : v->host, name);
	if (v->type == NULL) {
		v->type = name;
		v->role = guest ? "guest" : "host";
	}
}

static bool cgroup_is_docker(const char *line)
{
	for (const char *p = strstr(line, "/docker"); p != NULL; p = strstr(p + 1, "/docker")) {
		if (p[7] == '/')
			return true;
		size_t n = p[7] == '-' ? strspn(p + 8, "0123456789abcdef") : 0;
		if (n > 0 && strncmp(p + 8 + n, ".scope", 6) == 0)
			return true;
	}
	return false;
}

static void first_process(struct virtual *v)
{
	struct hf_facts *f = v->f;
	const char *cgroup = hf_facts_file(f, "/proc/1/cgroup");
	if (cgroup != NULL && cgroup_is_docker(cgroup))
		hit(v, true, "docker");
	if (cgroup != NULL &&
		(strstr(cgroup, "/lxc/") != NULL || strstr(cgroup, "/machine.slice/machine-lxc") != NULL))
		hit(v, true, "lxc");
	if (cgroup != NULL && strstr(cgroup, "/system.slice/containerd.service") != NULL)
		hit(v, true, "containerd");
	struct hf_str rest, row;
	if (hf_fs_read(f->a, "/proc/1/environ", HF_FACTS_FILE_MAX, &rest, NULL) < 0)
		return;
	while (hf_str_split(&rest, '\0', &row)) {
		if (hf_str_starts(row, "container=lxc"))
			hit(v, true, "lxc");
		if (hf_str_starts(row, "container=podman"))
			hit(v, true, "podman");
		if (hf_str_starts(row, "container=") && row.n > 10)
			hit(v, true, "container");
	}
}

static void containers(struct virtual *v)
{
	first_process(v);
	if (hf_fs_exists("/proc/vz") && !hf_fs_exists("/proc/lve"))
		hit(v, !hf_fs_exists("/proc/bc"), "openvz");
	const char *systemd = hf_facts_file(v->f, "/run/systemd/container");
	if (systemd != NULL)
		hit(v, true, systemd);
	if (hf_fs_exists("/.dockerenv") || hf_fs_exists("/.dockerinit"))
		hit(v, true, "docker");
	static const char *const kinds[] = { "docker", "lxc", "podman", "openvz", "containerd" };
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		if (systemd != NULL || hf_dict_get(v->guest, kinds[i]) != NULL)
			tech_add(v, v->guest, "container");
}

/* A board's own words; match: exact unless it ends in '*'. */
static const struct board {
	const char *file, *match, *name;
} boards[] = {
	{ "product_name", "KVM", "kvm" },
	{ "product_name", "KVM Server", "kvm" },
	{ "product_name", "Bochs", "kvm" },
	{ "product_name", "AHV", "kvm" },
	{ "sys_vendor", "oVirt", "oVirt" },
	{ "product_name", "VMware*", "VMware" },
	{ "product_name", "RHEV Hypervisor", "RHEV" },
	{ "product_name", "OpenStack Compute", "openstack" },
	{ "product_name", "OpenStack Nova", "openstack" },
	{ "bios_vendor", "Xen", "xen" },
	{ "bios_vendor", "innotek GmbH", "virtualbox" },
	{ "bios_vendor", "Amazon EC2", "kvm" },
	{ "bios_vendor", "DigitalOcean", "kvm" },
	{ "bios_vendor", "Hetzner", "kvm" },
	{ "sys_vendor", "QEMU", "kvm" },
	{ "sys_vendor", "Amazon EC2", "kvm" },
	{ "sys_vendor", "DigitalOcean", "kvm" },
	{ "sys_vendor", "Google", "kvm" },
	{ "sys_vendor", "Scaleway", "kvm" },
	{ "sys_vendor", "Nutanix", "kvm" },
	{ "sys_vendor", "KubeVirt", "KubeVirt" },
	{ "sys_vendor", "Microsoft Corporation", "VirtualPC" },
	{ "sys_vendor", "Parallels Software International Inc.", "parallels" },
	{ "sys_vendor", "OpenStack Foundation", "openstack" },
};

static void machines(struct virtual *v)
{
	struct hf_facts *f = v->f;
	if (hf_fs_exists("/proc/xen")) {
		const char *can = hf_facts_file(f, "/proc/xen/capabilities");
		hit(v, can == NULL || strstr(can, "control_d") == NULL, "xen");
	}
	for (size_t i = 0; i < HF_COUNT(boards); i++) {
		const char *text = hf_facts_file(f, "/sys/devices/virtual/dmi/id/%s", boards[i].file);
		size_t n = strcspn(boards[i].match, "*");
		bool prefix = boards[i].match[n] == '*';
		if (text != NULL && strncmp(text, boards[i].match, n) == 0 && (prefix || text[n] == '\0'))
			hit(v, true, boards[i].name);
	}
	const char *cpu = hf_facts_file(f, "/proc/cpuinfo");
	if (cpu != NULL && strstr(cpu, "QEMU Virtual CPU") != NULL)
		hit(v, true, "kvm");
	if (cpu != NULL && strstr(cpu, "User Mode Linux") != NULL)
		hit(v, true, "uml");
	if (cpu != NULL && strstr(cpu, "IBM/S390") != NULL)
		hit(v, true, "PR/SM");
}

static bool module_loaded(const char *modules, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = modules; p != NULL; p = strchr(p, '\n') == NULL ? NULL : strchr(p, '\n') + 1)
		if (strncmp(p, name, n) == 0 && p[n] == ' ')
			return true;
	return false;
}

static void hosts(struct virtual *v)
{
	const char *modules = hf_facts_file(v->f, "/proc/modules");
	if (module_loaded(modules, "kvm"))
		hit(v, false, "kvm");
	if (module_loaded(modules, "vboxdrv"))
		hit(v, false, "virtualbox");
	if (module_loaded(
		    modules, "virtio")) { /* Ansible files the technology under host, the role under guest */
		tech_add(v, v->host, "kvm");
		if (v->type == NULL) {
			v->type = "kvm";
			v->role = "guest";
		}
	}
	if (hf_fs_exists("/dev/kvm"))
		hit(v, false, "kvm");
}

static struct hf_value *set_list(struct hf_facts *f, const struct hf_value *set)
{
	struct hf_value *list = hf_value_list(f->a);
	HF_DICT_EACH (set, e) {
		hf_list_append(list, hf_entry_key(e));
	}
	return list;
}

void hf_facts_virtual(struct hf_facts *f)
{
	struct virtual v = { .f = f, .guest = hf_value_dict(f->a), .host = hf_value_dict(f->a) };
	containers(&v);
	machines(&v);
	hosts(&v);
	hf_facts_text(f, "virtualization_type", v.type == NULL ? "NA" : v.type);
	hf_facts_text(f, "virtualization_role", v.role == NULL ? "NA" : v.role);
	hf_facts_put(f, "virtualization_tech_guest", set_list(f, v.guest));
	hf_facts_put(f, "virtualization_tech_host", set_list(f, v.host));
}

/* modules/facts/distribution.c - which distribution this is, under the names Ansible gives them. */
#include <ctype.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "modules/facts/facts.h"

/* os-release ID → Ansible's distribution and os_family. family NULL: the distribution's own name. */
static const struct known {
	const char *id, *distribution, *family, *variety;
} known[] = {
	{ "debian", "Debian", "Debian", "Debian" },
	{ "raspbian", "Debian", "Debian", "Debian" },
	{ "ubuntu", "Ubuntu", "Debian", "Debian" },
	{ "linuxmint", "Linux Mint", "Debian", "Debian" },
	{ "kali", "Kali", "Debian", "Debian" },
	{ "devuan", "Devuan", "Debian", "Debian" },
	{ "pop", "Pop!_OS", "Debian", NULL },
	{ "amzn", "Amazon", "RedHat", "Amazon" },
	{ "rhel", "RedHat", "RedHat", "RedHat" },
	{ "centos", "CentOS", "RedHat", "CentOS" },
	{ "fedora", "Fedora", "RedHat", "RedHat" },
	{ "rocky", "Rocky", "RedHat", "RedHat" },
	{ "almalinux", "AlmaLinux", "RedHat", "RedHat" },
	{ "ol", "OracleLinux", "RedHat", "OracleLinux" },
	{ "cloudlinux", "CloudLinux", "RedHat", "RedHat" },
	{ "sles", "SLES", "Suse", "SUSE" },
	{ "sles_sap", "SLES_SAP", "Suse", "SUSE" },
	{ "sled", "SLED", "Suse", "SUSE" },
	{ "opensuse-leap", "openSUSE Leap", "Suse", "SUSE" },
	{ "opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse", "SUSE" },
	{ "alpine", "Alpine", "Alpine", "Alpine" },
	{ "arch", "Archlinux", "Archlinux", "Archlinux" },
	{ "manjaro", "Manjaro", "Archlinux", NULL },
	{ "gentoo", "Gentoo", "Gentoo", "Gentoo" },
	{ "flatcar", "Flatcar", NULL, "Flatcar" },
};

/* Where Ansible finds the distribution named: kept because roles print and compare it. */
static const struct {
	const char *variety, *path;
} paths[] = {
	{ "RedHat", "/etc/redhat-release" },
	{ "CentOS", "/etc/centos-release" },
	{ "OracleLinux", "/etc/oracle-release" },
	{ "Alpine", "/etc/alpine-release" },
	{ "Gentoo", "/etc/gentoo-release" },
};

static const struct known *known_find(const char *id)
{
	for (size_t i = 0; i < HF_COUNT(known); i++)
		if (strcmp(known[i].id, id) == 0)
			return &known[i];
	return NULL;
}

static const char *os_release(struct hf_facts *f)
{
	const char *text = hf_facts_file(f, "/etc/os-release");
	return text != NULL ? text : hf_facts_file(f, "/usr/lib/os-release");
}

/* First digits.digits… in text, such as the 9.4 of "Rocky Linux release 9.4 (Blue Onyx)". */
static const char *version_in(struct hf_facts *f, const char *text)
{
	if (text == NULL)
		return NULL;
	const char *p = text + strcspn(text, "0123456789");
	size_t n = strspn(p, "0123456789.");
	while (n > 0 && p[n - 1] == '.')
		n--;
	return n == 0 ? NULL : hf_strndup(f->a, p, n);
}

/* VERSION_ID says "12"; the point release stands in a file of the distribution's own. */
static const char *version_full(struct hf_facts *f, const struct known *k, const char *version_id)
{
	const char *family = k != NULL && k->family != NULL ? k->family : "";
	const char *name = k != NULL ? k->distribution : "";
	const char *precise = NULL;
	if (strcmp(name, "Debian") == 0)
		precise = version_in(f, hf_facts_file(f, "/etc/debian_version"));
	else if (strcmp(family, "RedHat") == 0 && strcmp(name, "Amazon") != 0)
		precise = version_in(f, hf_facts_file(f, "/etc/redhat-release"));
	else if (strcmp(family, "Alpine") == 0)
		precise = hf_facts_file(f, "/etc/alpine-release");
	if (precise != NULL && (version_id == NULL || strncmp(precise, version_id, strlen(version_id)) == 0))
		return precise;
	return version_id;
}

/* The word in brackets of VERSION, for systems without VERSION_CODENAME. */
static const char *codename(struct hf_facts *f, const char *text)
{
	const char *name = hf_facts_assignment(f, text, "VERSION_CODENAME");
	if (name != NULL)
		return name; /* Fedora's is empty, and that is what is told */
	name = hf_facts_assignment(f, text, "UBUNTU_CODENAME");
	if (name != NULL)
		return name;
	const char *version = hf_facts_assignment(f, text, "VERSION");
	const char *open = version == NULL ? NULL : strchr(version, '(');
	const char *close = open == NULL ? NULL : strchr(open, ')');
	return close == NULL ? NULL : hf_strndup(f->a, open + 1, (size_t)(close - open - 1));
}

static void file_facts(struct hf_facts *f, const struct known *k)
{
	const char *variety = k != NULL ? k->variety : NULL, *path = "/etc/os-release";
	if (variety == NULL)
		return;
	for (size_t i = 0; i < HF_COUNT(paths); i++)
		if (strcmp(paths[i].variety, variety) == 0 && hf_fs_exists(paths[i].path))
			path = paths[i].path;
	hf_facts_text(f, "distribution_file_path", path);
	hf_facts_text(f, "distribution_file_variety", variety);
	hf_facts_bool(f, "distribution_file_parsed", true);
	/* The words Ansible looked for in that file. */
	if (strcmp(k->id, "rhel") == 0)
		hf_facts_text(f, "distribution_file_search_string", "Red Hat");
	else if (strcmp(k->id, "ol") == 0)
		hf_facts_text(f, "distribution_file_search_string", "Oracle Linux");
}

static void minor_fact(struct hf_facts *f, const struct known *k, const char *version)
{
	const char *dot = strchr(version, '.');
	bool debian = k != NULL && strcmp(k->distribution, "Debian") == 0;
	bool amazon = k != NULL && strcmp(k->distribution, "Amazon") == 0;
	if (debian && dot != NULL)
		hf_facts_text(f, "distribution_minor_version", dot + 1);
	else if (amazon)
		hf_facts_text(f, "distribution_minor_version", dot != NULL ? dot + 1 : "NA");
}

void hf_facts_distribution(struct hf_facts *f)
{
	const char *text = os_release(f);
	struct utsname u;
	uname(&u);
	if (text == NULL)
		text = "";
	const char *id = hf_facts_assignment(f, text, "ID");
	const struct known *k = id == NULL ? NULL : known_find(id);
	const char *name = k != NULL ? k->distribution : hf_facts_assignment(f, text, "NAME");
	if (k != NULL && strcmp(k->id, "centos") == 0) {
		const char *release = hf_facts_file(f, "/etc/centos-release");
		if (release != NULL && strstr(release, "Stream") != NULL)
			hf_facts_text(f, "distribution_release", "Stream");
	}
	const char *version = version_full(f, k, hf_facts_assignment(f, text, "VERSION_ID"));
	if (version == NULL)
		version = "NA";
	hf_facts_text(f, "distribution", name != NULL ? name : u.sysname);
	hf_facts_text(f, "distribution_version", version);
	hf_facts_text(f, "distribution_major_version", hf_strndup(f->a, version, strcspn(version, ".")));
	minor_fact(f, k, version);
	if (hf_facts_get(f, "distribution_release", NULL) == NULL) {
		const char *release = codename(f, text);
		hf_facts_text(f, "distribution_release", release != NULL ? release : "NA");
	}
	hf_facts_text(f, "os_family",
		k != NULL && k->family != NULL ? k->family
		: name != NULL                 ? name
					       : u.sysname);
	file_facts(f, k);
}

/* ID with a capital, or NAME where that differs only in capitals: what lsb_release prints. */
static const char *lsb_id(struct hf_facts *f, const char *text)
{
	const char *id = hf_facts_assignment(f, text, "ID"), *name = hf_facts_assignment(f, text, "NAME");
	if (id == NULL)
		return "n/a";
	if (name != NULL && strcasecmp(id, name) == 0)
		return name;
	char *capital = hf_strdup(f->a, id);
	capital[0] = (char)toupper((unsigned char)capital[0]);
	return capital;
}

void hf_facts_lsb(struct hf_facts *f)
{
	struct hf_value *lsb = hf_value_dict(f->a);
	const char *text = hf_facts_file(f, "/etc/lsb-release"), *os = os_release(f);
	const char *id = text == NULL ? NULL : hf_facts_assignment(f, text, "DISTRIB_ID");
	const char *release = NULL, *description = NULL, *code = NULL;
	if (id != NULL) {
		release = hf_facts_assignment(f, text, "DISTRIB_RELEASE");
		description = hf_facts_assignment(f, text, "DISTRIB_DESCRIPTION");
		code = hf_facts_assignment(f, text, "DISTRIB_CODENAME");
	} else if (os != NULL && hf_proc_which(f->a, "lsb_release") != NULL) {
		id = lsb_id(f, os);
		release = hf_facts_assignment(f, os, "VERSION_ID");
		description = hf_facts_assignment(f, os, "PRETTY_NAME");
		code = hf_facts_assignment(f, os, "VERSION_CODENAME");
	}
	const char *const rows[][2] = { { "id", id }, { "release", release }, { "description", description },
		{ "codename", code } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i][1] != NULL)
			hf_dict_text(lsb, rows[i][0], rows[i][1]);
	if (release != NULL)
		hf_dict_text(lsb, "major_release", hf_strndup(f->a, release, strcspn(release, ".")));
	hf_facts_put(f, "lsb", lsb);
}

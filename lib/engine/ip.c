#include "lib/engine/ip.h"

#include <arpa/inet.h>

static bool address_parse(const char *text, struct hf_ip *ip)
{
	unsigned char bytes[16];
	ip->version = strchr(text, ':') != NULL ? 6 : 4;
	if (inet_pton(ip->version == 6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return false;
	ip->address = 0;
	for (size_t i = 0; i < (ip->version == 6 ? 16 : 4); i++)
		ip->address = ip->address << 8 | bytes[i];
	return true;
}

/* A length, a netmask or a hostmask. */
static bool prefix_parse(const char *text, struct hf_ip *ip)
{
	uint64_t length;
	int bits = hf_ip_bits(ip);
	struct hf_ip mask = { 0 };
	if (hf_str_to_uint64(hf_str(text), &length)) {
		ip->prefix = (int)length;
		return length <= (uint64_t)bits;
	}
	if (!address_parse(text, &mask) || mask.version != ip->version)
		return false;
	hf_ip_number all = bits == 128 ? ~(hf_ip_number)0 : ((hf_ip_number)1 << bits) - 1;
	for (int prefix = 0; prefix <= bits; prefix++) {
		hf_ip_number host = prefix == 0 ? all : all >> prefix;
		if (mask.address == (all & ~host) || mask.address == host) {
			ip->prefix = prefix;
			return true;
		}
	}
	return false;
}

bool hf_ip_parse(struct hf_str text, struct hf_ip *ret)
{
	char copy[128];
	struct hf_ip ip = { 0 };
	text = hf_str_trim(text);
	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	char *slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!address_parse(copy, &ip))
		return false;
	ip.prefix = hf_ip_bits(&ip);
	ip.has_prefix = slash != NULL;
	if (slash != NULL && !prefix_parse(slash, &ip))
		return false;
	*ret = ip;
	return true;
}

hf_ip_number hf_ip_hostmask(const struct hf_ip *ip)
{
	int host = hf_ip_bits(ip) - ip->prefix;
	return host == 0 ? 0 : host == 128 ? ~(hf_ip_number)0 : ((hf_ip_number)1 << host) - 1;
}

bool hf_ip_contains(const struct hf_ip *network, const struct hf_ip *inside)
{
	return network->version == inside->version && hf_ip_first(network) <= hf_ip_first(inside) &&
	       hf_ip_last(network) >= hf_ip_last(inside);
}

char *hf_ip_text(struct hf_arena *a, int version, hf_ip_number address)
{
	unsigned char bytes[16];
	size_t n = version == 6 ? 16 : 4;
	char *out = hf_alloc(a, INET6_ADDRSTRLEN);
	for (size_t i = n; i > 0; i--, address >>= 8)
		bytes[i - 1] = (unsigned char)address;
	inet_ntop(version == 6 ? AF_INET6 : AF_INET, bytes, out, INET6_ADDRSTRLEN);
	return out;
}

char *hf_ip_network_text(struct hf_arena *a, int version, hf_ip_number address, int prefix)
{
	return hf_sprintf(a, "%s/%d", hf_ip_text(a, version, address), prefix);
}

char *hf_ip_decimal(struct hf_arena *a, hf_ip_number n)
{
	char *end = (char *)hf_zalloc(a, 48) + 47;
	do {
		*--end = (char)('0' + (int)(n % 10));
		n /= 10;
	} while (n > 0);
	return end;
}

static const struct {
	enum hf_ip_range range;
	const char *network;
} ranges[] = {
	{ HF_IP_PRIVATE, "10.0.0.0/8" },
	{ HF_IP_PRIVATE, "172.16.0.0/12" },
	{ HF_IP_PRIVATE, "192.168.0.0/16" },
	{ HF_IP_PRIVATE, "fc00::/7" },
	{ HF_IP_PRIVATE, "fec0::/10" },
	{ HF_IP_LOOPBACK, "127.0.0.0/8" },
	{ HF_IP_LOOPBACK, "::1/128" },
	{ HF_IP_MULTICAST, "224.0.0.0/4" },
	{ HF_IP_MULTICAST, "ff00::/8" },
	{ HF_IP_LINK_LOCAL, "169.254.0.0/16" },
	{ HF_IP_LINK_LOCAL, "fe80::/10" },
	{ HF_IP_RESERVED, "240.0.0.0/4" },
	{ HF_IP_RESERVED, "::/8" },
	{ HF_IP_RESERVED, "100::/8" },
	{ HF_IP_RESERVED, "200::/7" },
	{ HF_IP_RESERVED, "400::/6" },
	{ HF_IP_RESERVED, "800::/5" },
	{ HF_IP_RESERVED, "1000::/4" },
	{ HF_IP_RESERVED, "4000::/3" },
	{ HF_IP_RESERVED, "6000::/3" },
	{ HF_IP_RESERVED, "8000::/3" },
	{ HF_IP_RESERVED, "a000::/3" },
	{ HF_IP_RESERVED, "c000::/3" },
	{ HF_IP_RESERVED, "e000::/4" },
	{ HF_IP_RESERVED, "f000::/5" },
	{ HF_IP_RESERVED, "f800::/6" },
	{ HF_IP_RESERVED, "fe00::/9" },
	{ HF_IP_UNSPECIFIED, "0.0.0.0/32" },
	{ HF_IP_UNSPECIFIED, "::/128" },
};

bool hf_ip_in(const struct hf_ip *ip, enum hf_ip_range range)
{
	struct hf_ip network;
	for (size_t i = 0; i < HF_COUNT(ranges); i++)
		if (ranges[i].range == range && hf_ip_parse(hf_str(ranges[i].network), &network) &&
			hf_ip_contains(&network, ip))
			return true;
	return false;
}

bool hf_ip_global(const struct hf_ip *ip)
{
	static const struct {
		const char *network;
		bool global;
	} rows[] = { /* the first that holds the address decides */
		{ "192.0.0.9/32", true }, { "192.0.0.10/32", true }, { "0.0.0.0/8", false },
		{ "10.0.0.0/8", false }, { "100.64.0.0/10", false }, { "127.0.0.0/8", false },
		{ "169.254.0.0/16", false }, { "172.16.0.0/12", false }, { "192.0.0.0/24", false },
		{ "192.0.2.0/24", false }, { "192.168.0.0/16", false }, { "198.18.0.0/15", false },
		{ "198.51.100.0/24", false }, { "203.0.113.0/24", false }, { "240.0.0.0/4", false },
		{ "2001:1::1/128", true }, { "2001:1::2/128", true }, { "2001:3::/32", true },
		{ "2001:4:112::/48", true }, { "2001:20::/28", true }, { "2001:30::/28", true },
		{ "::1/128", false }, { "::/128", false }, { "::ffff:0:0/96", false },
		{ "64:ff9b:1::/48", false }, { "100::/64", false }, { "2001::/23", false },
		{ "2001:db8::/32", false }, { "2002::/16", false }, { "fc00::/7", false },
		{ "fe80::/10", false }
	};
	struct hf_ip one = { ip->version, ip->address, hf_ip_bits(ip), false }, network;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (hf_ip_parse(hf_str(rows[i].network), &network) && hf_ip_contains(&network, &one))
			return rows[i].global;
	return true;
}

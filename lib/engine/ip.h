/* lib/engine/ip.h - addresses and networks of both versions, as numbers. */
#pragma once
#include "lib/base/arena.h"
#include "lib/base/str.h"

typedef unsigned __int128 hf_ip_number;

struct hf_ip {
	int version; /* 4 or 6 */
	hf_ip_number address;
	int prefix;      /* 32 or 128 when none was given */
	bool has_prefix; /* the text had a slash */
};

/* "10.1.2.3", "10.1.2.3/24", "10.1.2.3/255.255.255.0", "2001:db8::1/64"; false for anything else. */
bool hf_ip_parse(struct hf_str text, struct hf_ip *ret);
static inline int hf_ip_bits(const struct hf_ip *ip)
{
	return ip->version == 4 ? 32 : 128;
}
hf_ip_number hf_ip_hostmask(const struct hf_ip *ip);
static inline hf_ip_number hf_ip_first(const struct hf_ip *ip)
{
	return ip->address & ~hf_ip_hostmask(ip);
}
static inline hf_ip_number hf_ip_last(const struct hf_ip *ip)
{
	return ip->address | hf_ip_hostmask(ip);
}
bool hf_ip_contains(const struct hf_ip *network, const struct hf_ip *inside);
/* Text of a number as an address of that version. */
char *hf_ip_text(struct hf_arena *a, int version, hf_ip_number address);
/* "address/prefix" */
char *hf_ip_network_text(struct hf_arena *a, int version, hf_ip_number address, int prefix);
char *hf_ip_decimal(struct hf_arena *a, hf_ip_number n);

enum hf_ip_range {
	HF_IP_PRIVATE,
	HF_IP_LOOPBACK,
	HF_IP_MULTICAST,
	HF_IP_LINK_LOCAL,
	HF_IP_RESERVED,
	HF_IP_UNSPECIFIED
};
/* Reachable from everywhere, as IANA's registries of special addresses say. */
bool hf_ip_global(const struct hf_ip *ip);
bool hf_ip_in(const struct hf_ip *ip, enum hf_ip_range range);

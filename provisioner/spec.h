/* provisioner/spec.h - what AWS types are: resources/<service>/<type>.yaml and services.yaml, compiled in as
 * text. The files' language is described in docs/provisioner.md. Owns: specs live in the arena of
 * hf_specs_load(). */
#pragma once
#include "lib/data/value.h"

enum hf_protocol {
	HF_PROTOCOL_EC2,
	HF_PROTOCOL_QUERY,
	HF_PROTOCOL_JSON,
	HF_PROTOCOL_REST_JSON,
	HF_PROTOCOL_REST_XML
};

struct hf_service {
	const char *name, *version, *prefix, *target, *content;
	const char
		*signing; /* what requests are signed for; usually the name, which IAM actions begin with */
	enum hf_protocol protocol;
	const char *tag_key, *tag_value; /* how it spells the two fields of a tag */
	const char *xml_namespace;
	bool flat_lists; /* a query service whose requests name the elements of lists themselves */
};

struct hf_spec {
	const char *type; /* "ec2.vpc" */
	const struct hf_service *service;
	struct hf_value *doc;
	struct hf_value *properties; /* dict: name → {type, required, …} */
	const struct hf_service
		*find_service; /* usually the same; the tagging service for what has no names */
	struct hf_value *create, *read, *find, *ready, *vanish;
	struct hf_value *update, *remove; /* lists of operations */
	struct hf_value *key;             /* list of properties that make the id; NULL: the answer names it */
	bool owned_by_tags;
	bool lookup;   /* only looked at, never made: an image, the zones of a region */
	bool capacity; /* several instances, searched for: capacity.c */
	bool pooled;   /* and one call asks for them in every type and subnet: a fleet */
	bool block;    /* costs money at once, and a human must accept an offer: block.c */
};

struct hf_specs; /* every type */
HF_CHECK int hf_specs_load(struct hf_arena *a, struct hf_specs **ret, struct hf_error *err);
const struct hf_service *hf_service_find(const struct hf_specs *s, const char *name); /* NULL: none */
const struct hf_spec *hf_spec_find(const struct hf_specs *s, const char *type); /* NULL when there is none */
/* "did you mean"; NULL when no type is near. */
const char *hf_spec_nearest(const struct hf_specs *s, const char *type);
size_t hf_specs_count(const struct hf_specs *s);
const struct hf_spec *hf_specs_at(const struct hf_specs *s, size_t i);

/* How a creation that was interrupted is repeated without making a second one. */
enum hf_dedupe {
	HF_DEDUPE_TOKEN, /* AWS answers the same token with the same resource */
	HF_DEDUPE_NAME,  /* its name is taken: it is ours if its tags say so */
	HF_DEDUPE_TAG,   /* AWS would make it twice: looked for by the tag holdfast:intent before it is asked
			    again */
	HF_DEDUPE_PUT,   /* put again, whatever is there */
	HF_DEDUPE_KEY,   /* what it connects can be connected only once */
};
enum hf_dedupe hf_spec_dedupe(const struct hf_spec *spec);
/* "by token" … */
const char *hf_dedupe_name(enum hf_dedupe dedupe);

/* The property is part of the create call; otherwise its update operation runs after the create. */
bool hf_spec_created_with(const struct hf_spec *spec, const char *property);
/* Some update operation can change it in place. */
bool hf_spec_updatable(const struct hf_spec *spec, const char *property);

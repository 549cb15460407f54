/* agent/wire.h - messages between the supervisor and a net role: one packet each, a fixed maximum,
 * descriptors beside. Fails: HF_E_NET when the other side has gone, HF_E_BUSY when a non-blocking socket is
 * full, HF_E_LIMIT for a packet longer than the maximum. Payloads are JSON or raw bytes as the table of kinds
 * says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

enum { HF_WIRE_MAX = 160 << 10, HF_WIRE_TOPIC_MAX = 256 };

enum hf_wire_kind {
	HF_WIRE_NONE,
	/* supervisor → net role mqtt */
	HF_WIRE_HELLO, /* to one in a unit of its own, first; payload: JSON, what the configuration says of
			  the broker */
	HF_WIRE_TLS, /* id: 1 connect again with them; payload: three lengths (u32), then CA, certificate, key
			in PEM; "" for none */
	HF_WIRE_CONNECT, /* connect now and keep connected; payload: will topic, '\n', will body */
	HF_WIRE_PUBLISH, /* id: number of ours; payload: flags byte (bit 0 retain, bit 1 QoS 1), topic, '\n',
			    body */
	HF_WIRE_SUBSCRIBE, /* payload: topic */
	HF_WIRE_BYE,       /* disconnect in order, then end */
	/* net role mqtt → supervisor */
	HF_WIRE_HERE,    /* in answer to HELLO; id: its process */
	HF_WIRE_UP,      /* broker accepted us */
	HF_WIRE_DOWN,    /* connection lost or refused; payload: why */
	HF_WIRE_ACK,     /* id: the broker acknowledged it */
	HF_WIRE_MESSAGE, /* payload: topic, '\n', body */
	/* puller → net role store */
	HF_WIRE_GET, /* id; payload: max (u64), etag, '\n', key; one descriptor to write to */
	HF_WIRE_RUN, /* id: number of GETs sent since the last RUN; they are done as one batch */
	/* net role store → puller */
	HF_WIRE_GOT, /* id; payload: result (i32), not modified (u32), size (u64), etag, '\n', error text */
};

struct hf_wire_message {
	enum hf_wire_kind kind;
	uint32_t id;
	struct hf_str payload; /* in the buffer given to hf_wire_receive() */
	int fd;                /* -1 or a descriptor the receiver owns now */
};

/* Both ends of a new pair, close-on-exec; non-blocking where asked. */
HF_CHECK int hf_wire_pair(bool first_nonblocking, int ret_pair[2], struct hf_error *err);
/* Room for a few full packets on the way out. */
void hf_wire_room(int socket);
HF_CHECK int hf_wire_send(
	int socket, enum hf_wire_kind kind, uint32_t id, struct hf_str payload, int fd, struct hf_error *err);
/* buffer: HF_WIRE_MAX bytes of room are kept in it. 0: a message; 1: nothing to read now. */
HF_CHECK int hf_wire_receive(
	int socket, struct hf_buf *buffer, struct hf_wire_message *ret, struct hf_error *err);

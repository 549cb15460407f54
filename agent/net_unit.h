/* agent/net_unit.h - the resident net role as a unit of its own: systemd listens at <run_dir>/net.sock
 * (holdfastd-net.socket) and starts a fenced holdfastd-net@.service for each connection. Where nobody listens
 * (no systemd, a folder of a test) the supervisor starts the role itself; its own fences are the same. */
#pragma once
#include "agent/config.h"

/* 0: *ret_socket speaks to a new role; 1: nobody listens. Fails: HF_E_NET, HF_E_INTERNAL. */
HF_CHECK int hf_net_unit_ask(const struct hf_config *config, int *ret_socket, struct hf_error *err);
/* The unit's program: serves the connection it was started with; returns the exit status. */
int hf_net_unit_main(void);

/* agent/net.h - the resident net role: MQTT for the supervisor, without rights; see agent/wire.h for what it
 * hears. */
#pragma once
#include "agent/config.h"

/* Never returns while the supervisor lives: the exit status of the role. */
int hf_net_main(const struct hf_config *config, int socket);

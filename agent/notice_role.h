/* agent/notice_role.h - the net role that asks for notices. Tells lines when what it heard changes:
 *   {"k":"notice","kind":"interruption|rebalance|none","action":…,"time":…}
 *   {"k":"never"}  this instance gets none; the role ends */
#pragma once
#include "agent/config.h"

int hf_notice_role_body(int socket, const struct hf_config *config);

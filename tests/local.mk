include tests/differential/local.mk
include tests/fuzz/local.mk
include tests/unit/local.mk
include tests/system/local.mk
include tests/bench/local.mk

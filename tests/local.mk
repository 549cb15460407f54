include tests/unit/local.mk
include tests/differential/local.mk

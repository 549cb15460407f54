"""A scripted AWS for tests: honest tokens, states that take time, refusals on command, a journal of every call."""
from .server import Fake  # noqa: F401

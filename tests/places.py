"""Where things are: the tree, its build and the shared cases."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("HF_BUILD", ROOT / "build"))
SHARED = pathlib.Path(os.environ.get("HF_SHARED", ROOT.parent / "shared"))

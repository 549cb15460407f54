"""Cases of gem."""
import json

from given import tool
from rows import File, tooled


def gem(title, given=None, loose=(), always=False, **args):
    tooled(f"gem {title}", {"community.general.gem": {"executable": "@/gem", **args}}, {"gem": tool("gem"), **(given or {})},
        loose=list(loose), always=always)


def gems(where="gems", **have):
    return {f"{where}/gems.json": json.dumps(have)}


gem("new", name="one")
gem("there", gems(one=["1.0"]), name="one")
gem("a version", gems(one=["1.0"]), name="one", version="1.1")
gem("the version is there", gems(one=["1.1", "1.0"]), name="one", version="1.0")
gem("latest and old", gems(one=["1.0"]), name="one", state="latest")
gem("latest there", gems(one=["1.2.0"]), name="one", state="latest")
gem("latest, not in the repository", name="nobody", state="latest", loose=["check"])
gem("absent", gems(one=["1.0", "0.9"]), name="one", state="absent")
gem("absent, a version", gems(one=["1.0", "0.9"]), name="one", version="0.9", state="absent")
gem("absent not there", name="one", state="absent")
gem("a folder", name="one", install_dir="@/here", user_install=False)
gem("a folder of it has it", gems("here", one=["1.0"]), name="one", install_dir="@/here", user_install=False)
gem("of a folder goes", gems("here", one=["1.0"]), name="one", install_dir="@/here", user_install=False, state="absent")
gem("a folder and the user", name="one", install_dir="@/here")
gem("a file", {"one-1.5.gem": ""}, name="one", gem_source="@/one-1.5.gem")
gem("a file and a version", name="one", gem_source="@/one-1.5.gem", version="1.5")
gem("a file, latest", name="one", gem_source="@/one-1.5.gem", state="latest")
gem("version and latest", name="one", version="1", state="latest")
gem("not in the repository", name="nobody", loose=["check"])
gem("flags", name="one", include_dependencies=False, pre_release=True, include_doc=True, env_shebang=True, bindir="@/bin",
    repository="http://127.0.0.1:9/", force=True, norc=False, build_flags="--with-x")
gem("no version told", {"gem": File("#!/bin/sh\n[ $1 = --version ] && echo old\nexit 0\n", 0o755)}, name="one", always=True)

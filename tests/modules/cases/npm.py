"""Cases of npm."""
import json

from given import tool
from rows import Dir, tooled


def npm(title, given=None, loose=(), always=False, **args):
    where = {} if args.get("global") or "path" in args or args.pop("nowhere", False) else {"path": "@/app"}
    tooled(f"npm {title}", {"community.general.npm": {"executable": "@/npm", **where, **args}}, {"npm": tool("npm"), **(given or {})},
        loose=["cmd", *loose], always=always)


def package(name, version, where="app"):
    return {f"{where}/node_modules/{name}/package.json": json.dumps({"name": name, "version": version})}


def project(**wanted):
    return {"app/package.json": json.dumps({"dependencies": wanted})}


npm("into a new folder", name="one")
npm("makes the folders above", name="one", path="@/a/b/c")
npm("there", package("one", "1.2.0"), name="one")
npm("a version", {"app": Dir()}, name="one", version="1.0.0")
npm("another version is there", package("one", "1.1.0"), name="one", version="1.0.0")
npm("the version is there", package("one", "1.0.0"), name="one", version="1.0.0")
npm("what package.json names", project(one="*", two="2.0.0"))
npm("what package.json names is there", {**project(one="*"), **package("one", "1.0.0")})
npm("one of package.json is of another version", {**project(two="2.0.1"), **package("two", "1.0.0")})
npm("another one of package.json is missing", {**project(two="2.0.1"), **package("one", "1.2.0")}, name="one")
npm("package.json names nothing", project(), always=True)
npm("latest and old", package("one", "1.0.0"), name="one", state="latest")
npm("latest and missing", {"app": Dir()}, name="one", state="latest")
npm("latest there", package("one", "1.2.0"), name="one", state="latest")
npm("ci", project(one="1.0.0"), ci=True, always=True)
npm("absent", {**project(one="*"), **package("one", "1.2.0")}, name="one", state="absent")
npm("absent not there", package("two", "2.0.1"), name="one", state="absent")
npm("absent without a name", state="absent")
npm("global", name="one", **{"global": True})
npm("global there", package("one", "1.2.0", "global"), name="one", **{"global": True})
npm("global goes", package("one", "1.2.0", "global"), name="one", state="absent", **{"global": True})
npm("no path", name="one", nowhere=True)
npm("path is a file", {"f": "x"}, name="one", path="@/f", loose=["check"])
npm("not in the registry", {"app": Dir()}, name="nobody-has-this", loose=["check"])
npm("flags", {"app": Dir()}, name="one", production=True, ignore_scripts=True, unsafe_perm=True, no_optional=True, no_bin_links=True,
    force=True, registry="http://127.0.0.1:9/")

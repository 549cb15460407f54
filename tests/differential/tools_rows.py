"""Rows for test_modules_tools.py: npm, gem, snap and the tools of Apache in front of tool_shim.py. In `given`, "@" is the row's folder too."""
import json
import pathlib
import sys

from files_rows import Dir, File, Row

SHIM = pathlib.Path(__file__).with_name("tool_shim.py")
ROWS = []


def tool(name):
    """A program that keeps what it does beside itself."""
    return File(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{SHIM}" {name} "$(dirname "$0")" "$@"\n', 0o755)


def row(title, task, given=None, **options):
    ROWS.append(Row(title, given or {}, task, options))


def npm(title, given=None, loose=(), always=False, **args):
    where = {} if args.get("global") or "path" in args or args.pop("nowhere", False) else {"path": "@/app"}
    row(f"npm {title}", {"community.general.npm": {"executable": "@/npm", **where, **args}}, {"npm": tool("npm"), **(given or {})},
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


def gem(title, given=None, loose=(), always=False, **args):
    row(f"gem {title}", {"community.general.gem": {"executable": "@/gem", **args}}, {"gem": tool("gem"), **(given or {})},
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

SNAPS = {}


def snap(title, have=None, loose=(), always=False, **args):
    """have: {name: {...}}; every row has names of its own, for there is one snapd."""
    for name, more in (have or {}).items():
        SNAPS[name] = {"channel": "latest/stable", "enabled": True, "options": {}, **more}
    row(f"snap {title}", {"community.general.snap": args}, loose=["output", "vars", *loose], always=always)


snap("new", name=["a1"])
snap("there", {"b1": {}}, name="b1")
snap("several new", name=["c1", "c2"])
snap("several new from stable", name=["c3", "c4"], channel="stable")
snap("some new", {"d1": {}}, name=["d1", "d2"])
snap("channel", name=["e1"], channel="edge")
snap("another channel", {"f1": {}}, name=["f1"], channel="latest/beta")
snap("the channel in short", {"g1": {"channel": "latest/edge"}}, name=["g1"], channel="edge")
snap("another channel and a new one", {"h1": {}}, name=["h1", "h2"], channel="latest/edge")
snap("classic", name=["classic-i"], classic=True)
snap("classic without saying so", name=["classicj"], loose=["check"])
snap("a file", name=["@/k1_1_amd64.snap"], dangerous=True, always=True)
snap("absent", {"l1": {}}, name=["l1", "l2"], state="absent")
snap("absent not there", name=["m1"], state="absent")
snap("disabled", {"n1": {}, "n2": {"enabled": False}}, name=["n1", "n2"], state="disabled")
snap("enabled", {"o1": {"enabled": False}}, name=["o1"], state="enabled")
snap("enabled already", {"p1": {}}, name=["p1"], state="enabled")
snap("enabled not there", name=["q1"], state="enabled", loose=["check"])
snap("disabled not there", name=["r1"], state="disabled")
snap("unknown", name=["no-s1"])
snap("several unknown", name=["no-t1", "t2", "no-t3"])
snap("options", {"u1": {"options": {"a": 1, "deep": {"b": 2}}}}, name=["u1"], options=["a=1", "deep.b=3", "c = x y"])
snap("options there", {"v1": {"options": {"a": "1", "deep": {"b": 2, "c": True}}}}, name=["v1"],
     options=["a=1", "deep.b=2", "deep.c=True"])
snap("options of two", {"w1": {}, "w2": {}}, name=["w1", "w2"], options=["w2:a=1", "b=2"])
snap("options of another", {"x1": {}}, name=["x1"], options=["other:a=1"])
snap("options not one", {"y1": {}}, name=["y1"], options=["nothing"])
snap("options of a snap without", {"fixedz": {}}, name=["fixedz"], options=["a=1"], loose=["check"])

APACHE = ["auth_basic", "mpm_event", "needed", "needed_too", "php8.2"]


def apache(title, loose=(), **args):
    row(f"apache2_module {title}", {"community.general.apache2_module": args}, loose=[*loose, "warnings"])


apache("new", name="rewrite")
apache("there", name="auth_basic")
apache("of PHP, there", name="php8.2")
apache("absent not there", name="ssl", state="absent")
apache("another name in the list", name="dump_io", identifier="dump_io_module")
apache("a name that is not in the list", name="shib2", loose=["check"])
apache("unknown", name="no-such", loose=["check"])
apache("threads and cgi", name="cgi")
apache("goes and is needed", name="needed", state="absent", loose=["check"])
apache("goes by force", name="needed_too", state="absent", force=True)
apache("the MPM goes", name="mpm_event", state="absent", ignore_configcheck=True)
apache("without an MPM", name="no-mpm", loose=["check", "msg"])
apache("another MPM", name="mpm_prefork", ignore_configcheck=True)

"""Cases of archive."""
from rows import Dir, Link, called

TREE = {"d/a": "A\n", "d/sub/b": "B\n", "d/l": Link("a"), "d/empty": Dir()}
SIZES = ["size", "tree", "archived", "expanded_paths"]


def archive(title, given=None, loose=(), **args):
    called(f"archive {title}", {"community.general.archive": args}, given if given is not None else TREE,
        loose=[*SIZES, *loose])


archive("folder", path="@/d", dest="@/out.tgz")
archive("folder with a slash", path="@/d/", dest="@/out.tgz")
archive("folder as tar", path="@/d", dest="@/out.tar", format="tar")
archive("folder as zip", path="@/d", dest="@/out.zip", format="zip")
archive("folder as bz2", path="@/d", dest="@/out.tar.bz2", format="bz2")
archive("folder as xz", path="@/d", dest="@/out.tar.xz", format="xz")
archive("one file", path="@/d/a")
archive("one file as xz", path="@/d/a", format="xz", dest="@/a.x")
archive("one file as zip", path="@/d/a", format="zip")
archive("one file, forced", path="@/d/a", force_archive=True, dest="@/a.tgz")
archive("several", path=["@/d/a", "@/d/sub"], dest="@/out.tgz")
archive("pattern", path="@/d/*", dest="@/out.tgz")
archive("pattern without one", path=["@/d/*"], exclude_path=["@/d/su*"], dest="@/out.tgz")
archive("exclusion", path="@/d", exclusion_patterns=["*b", "d/e*"], dest="@/out.tgz")
archive("some missing", path=["@/d", "@/nope"], dest="@/out.tgz")
archive("all missing", path="@/nope", dest="@/out.tgz")
archive("pattern of nothing", path="@/no*", dest="@/out.tgz")
archive("no dest", path="@/d", loose=["dest", "uid", "gid", "owner", "group", "mode", "state", "size"])
archive("removes", path="@/d", dest="@/out.tgz", remove=True)
archive("removes a file", path="@/d/a", dest="@/a.gz", remove=True)
archive("within what it removes", path="@/d", dest="@/d/out.tgz", remove=True, loose=["*"])
archive("mode", path="@/d", dest="@/out.tgz", mode="0600")

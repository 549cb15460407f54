"""Cases of synchronize."""
from rows import File, Link, called


def synchronize(title, given=None, loose=(), **args):
    tree = {"s/a": "A\n", "s/sub/b": File("B\n", 0o600), "s/l": Link("a")}
    called(f"synchronize {title}", {"ansible.posix.synchronize": {"src": "@/s/", "dest": "@/d", **args}},
        given if given is not None else tree, loose=["msg", "stdout_lines", *loose], always="archive" in args or "times" in args)


synchronize("content of a folder")
synchronize("folder", src="@/s")
synchronize("folder below another", {"s/a": "A\n", "d/x": "X"}, src="@/s", dest="@/d/")
synchronize("same", {"s/a": "A\n", "d/a": "A\n"})
synchronize("deletes", {"s/a": "A\n", "d/x": "X", "d/a": "old"}, delete=True)
synchronize("existing only", {"s/a": "new\n", "s/b": "B", "d/a": "o"}, existing_only=True)
synchronize("by bytes", {"s/a": "A\n", "d/a": "B\n"}, checksum=True)
synchronize("not archive", archive=False, recursive=True, perms=True)
synchronize("archive without", recursive=True, times=False, links=False, owner=False, loose=["tree"])
synchronize("copies links", copy_links=True)
synchronize("options", rsync_opts=["--exclude=sub", "--exclude 'l'"], compress=False, delay_updates=False, partial=True)
synchronize("dirs", archive=False, dirs=True, loose=["tree"])
synchronize("no source", {}, loose=["cmd"])

"""Cases of acl."""
from rows import Dir, called


def acl(title, given=None, loose=(), **args):
    called(f"acl {title}", {"ansible.posix.acl": {"path": "@/d", **args}}, given or {"d": Dir(), "d/f": "x"}, loose=list(loose))


acl("query")
acl("query a file", path="@/d/f")
acl("user", etype="user", entity="daemon", permissions="rw", state="present")
acl("entry", entry="group:daemon:r-x", state="present")
acl("entry default", entry="default:user:daemon:rwx", state="present")
acl("default", etype="group", entity="daemon", permissions="rX", default=True, state="present")
acl("recursive", etype="user", entity="daemon", permissions="r", recursive=True, state="present")
acl("no mask", etype="user", entity="daemon", permissions="rw", recalculate_mask="no_mask", state="present")
acl("mask", etype="mask", permissions="r", state="present")
acl("absent not there", etype="user", entity="daemon", state="absent")
acl("no path", path="@/no", state="present", etype="user", entity="daemon", permissions="r")
acl("no type", state="present", entity="daemon", permissions="r")
acl("no entity", state="absent", etype="user")
acl("permissions of what goes", state="absent", etype="user", entity="daemon", permissions="r")
acl("entry and etype", entry="user:daemon:r", etype="user", state="present")
acl("short entry", entry="user:daemon", state="present")
acl("long entry", entry="d:user:daemon:r", state="absent")
acl("query recursive", recursive=True)
acl("an entry that setfacl refuses", path="@/d/f", etype="mask", entity="daemon", permissions="r", state="present", loose=["cmd", "check"])
acl("an entry that the list needs", path="@/d/f", etype="other", state="absent", loose=["cmd", "check"])

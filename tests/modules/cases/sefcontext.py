"""Cases of sefcontext."""
from disks import FC, STORE
from rows import fronted, machined


def context(title, labels=None, **args):
    fronted(f"sefcontext {title}", "sefcontext", {"ignore_selinux_state": True, **args}, None, "", False, labels=labels or {})


LABEL = {"/srv-@-x(/.*)?|all files": "system_u:object_r:var_t:s0"}
context("new", target="/srv-@-x(/.*)?", setype="httpd_t")
context("new for folders, without loading", target="/srv-@-x", setype="httpd_t", ftype="d", seuser="staff_u", selevel="s1", reload=False)
context("there", LABEL, target="/srv-@-x(/.*)?", setype="var_t")
context("another type", LABEL, target="/srv-@-x(/.*)?", setype="httpd_t")
context("another kind of file", LABEL, target="/srv-@-x(/.*)?", setype="var_t", ftype="f")
context("absent", LABEL, target="/srv-@-x(/.*)?", state="absent")
context("absent not there", target="/srv-@-x(/.*)?", state="absent")
context("substitute", target="/data-@-home", substitute="/home")
context("substitute there", {"/data-@-home|=": "/home"}, path="/data-@-home", equal="/home")
context("another substitute", {"/data-@-home|=": "/root"}, path="/data-@-home", equal="/home")
context("substitute absent", {"/data-@-home|=": "/home"}, path="/data-@-home", equal="/home", state="absent")
context("substitute absent, another one", {"/data-@-home|=": "/root"}, path="/data-@-home", equal="/home", state="absent")
BACK = f"[ ! -d /root/labels ] || {{ mv -f /root/labels/* {FC}; rmdir /root/labels; }}; "
FRESH = BACK + f"for f in file_contexts.local file_contexts.subs; do : >{FC}/$f; done; : >{STORE}/file_contexts.local; "


def sefcontext(title, given="", loose=(), **args):
    """The files that semanage writes, and what the library that reads them says of a path."""
    machined(title, "community.general.sefcontext", {"target": "/srv/hf(/.*)?", **args}, FRESH + given,
        f"grep -h ^/srv {FC}/file_contexts.local {FC}/file_contexts.subs; matchpathcon /srv/hf/a", loose)


HERE = f"semanage fcontext -a -t tmp_t '/srv/hf(/.*)?'; "
sefcontext("new", setype="tmp_t")
sefcontext("there", HERE, setype="tmp_t")
sefcontext("another", HERE, setype="httpd_sys_content_t")
sefcontext("of directories", HERE, ftype="d", setype="tmp_t", seuser="system_u", selevel="s0")
sefcontext("nobody's type", setype="no_such_t", loose=["msg"])
sefcontext("goes", HERE, state="absent")
sefcontext("goes and is not there", state="absent")
sefcontext("as another path", target="/srv/hf", substitute="/var/tmp")
sefcontext("as another path, there", "semanage fcontext -a -e /var/tmp /srv/hf; ", target="/srv/hf", substitute="/var/tmp")
sefcontext("as another path goes", "semanage fcontext -a -e /var/tmp /srv/hf; ", target="/srv/hf", state="absent")
sefcontext("of the policy itself", target="/var/log(/.*)?", setype="var_log_t")

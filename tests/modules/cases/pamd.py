"""Cases of pamd."""
from given import setting
from rows import Link, called, hosted

DENY, UNIX = {"type": "auth", "control": "requisite", "module_path": "pam_deny.so"}, "[success=1 default=ignore]"
LOGIN = {"type": "auth", "control": UNIX, "module_path": "pam_unix.so"}
LOCK = {"type": "auth", "control": "required", "module_path": "pam_faillock.so"}
NEW = {"new_type": "auth", "new_control": "required", "new_module_path": "pam_faillock.so"}
AUTH = """# of the tests
auth\t[success=1 default=ignore]\tpam_unix.so nullok try_first_pass
auth\trequisite\t\t\tpam_deny.so

# one that counts
auth    required  pam_faillock.so preauth silent deny=5
-session optional pam_systemd.so
@include common-account
session [success=ok new_authtok_reqd=done default=ignore] pam_limits.so
"""


def pam(title, given=AUTH, **args):
    setting(title, "community.general.pamd", given, path="@", name="f", **args)


def rules(*lines):
    """Rules with nothing but their lines."""
    return "".join(f"{line}\n" for line in lines)


X, Y, MARK = "auth required pam_x.so", "auth required pam_y.so", "# Updated by Ansible - 2020-01-02T03:04:05.678901"
MEANT = {"type": "auth", "control": "required", "module_path": "pam_x.so"}
pam("another control", **LOCK, new_control="requisite")
pam("another control in brackets", **LOGIN, new_control="[success=2 default=ignore]")
pam("another type and module", **DENY, new_type="-auth", new_module_path="/lib/security/pam_no.so")
pam("as it is", **DENY, new_control="requisite")
pam("nothing new", **DENY)
pam("empty words are nothing new", **DENY, new_control="", new_module_path="")
pam("no such rule", type="auth", control="required", module_path="pam_none.so", new_control="optional")
pam("a rule with a hyphen", type="-session", control="optional", module_path="pam_systemd.so", new_type="session")
pam("other arguments", **LOCK, module_arguments="authfail audit deny=3")
pam("other arguments as a list", **LOCK, module_arguments=["authfail", "audit deny=3"])
pam("the same arguments", **LOCK, module_arguments="preauth\n  silent deny=5")
pam("other arguments in brackets", **LOCK, module_arguments=["[uid >= 1000]", "quiet"])
pam("arguments in brackets that are there", rules("auth required pam_x.so [uid >= 1000] quiet"), **MEANT, module_arguments="[uid >= 1000] quiet")
pam("no arguments", **LOCK, module_arguments="")
pam("no arguments any more", **LOCK, module_arguments=[])
pam("no list of arguments", **LOCK, module_arguments=None, new_control="requisite")
pam("several rules", rules(X, Y, X + " debug"), **MEANT, new_control="optional")
pam("before", **DENY, **NEW, state="before", module_arguments="authfail")
pam("before the first", **LOGIN, **NEW, state="before", module_arguments="preauth")
pam("before the first line", rules(X, Y), **MEANT, **NEW, state="before")
pam("before several", rules(X, X, Y, X), **MEANT, **NEW, state="before")
pam("before, there", rules("auth required pam_faillock.so preauth", "# c", X), **MEANT, **NEW, state="before")
pam("before one like it", rules("# c", X), **MEANT, new_type="auth", new_control="required", new_module_path="pam_x.so",
    module_arguments="first", state="before")
pam("before an include", type="session", control="[success=ok new_authtok_reqd=done default=ignore]", module_path="pam_limits.so", **NEW,
    state="before")
pam("before, no such rule", rules(Y), **MEANT, **NEW, state="before")
pam("after", **LOGIN, **NEW, state="after", module_arguments="authfail,deny=3")
pam("after the last", rules(Y, X), **MEANT, **NEW, state="after")
pam("after the only one", rules(X), **MEANT, **NEW, state="after")
pam("after several", rules(X, X, Y, X), **MEANT, **NEW, state="after")
pam("after, there", rules(X, "", "auth required pam_faillock.so"), **MEANT, **NEW, state="after", module_arguments="debug")
pam("after without what is new", **LOGIN, new_type="auth", state="after")
pam("after, a control that is none", **LOGIN, **{**NEW, "new_control": "must"}, state="after")
pam("argument, there", **LOCK, module_arguments="silent", state="args_present")
pam("argument", **LOCK, module_arguments="audit", state="args_present")
pam("argument with a value", **LOCK, module_arguments="unlock_time=900", state="args_present")
pam("argument with another value", **LOCK, module_arguments="deny=3", state="args_present")
pam("arguments of all kinds", **LOCK, module_arguments="unlock_time=900 audit,deny=3,silent", state="args_present")
pam("argument that has a comma", **LOCK, module_arguments=["listsep=,"], state="args_present")
pam("argument given twice", **LOCK, module_arguments=["deny=7", "deny=8"], state="args_present")
pam("argument that is there twice", rules(X + " a=1 a=2 b"), **MEANT, module_arguments="a=3", state="args_present")
pam("argument of a rule without", **DENY, module_arguments="debug", state="args_present")
pam("arguments, none", **LOCK, module_arguments="", state="args_present")
pam("arguments, not given", **LOCK, state="args_present")
pam("argument in brackets", **LOCK, module_arguments=["[uid >= 1000]"], state="args_present")
pam("argument goes", **LOCK, module_arguments="preauth silent", state="args_absent")
pam("argument with a value goes", **LOCK, module_arguments="deny=5", state="args_absent")
pam("argument with another value stays", **LOCK, module_arguments=["deny=6", "deny"], state="args_absent")
pam("argument in brackets goes", rules(X + " [uid >= 1000] quiet"), **MEANT, module_arguments=["[uid >= 1000]"], state="args_absent")
pam("arguments that go, not given", **LOCK, state="args_absent")
pam("goes", **DENY, state="absent")
pam("the first line goes", rules(X, Y, "# c"), **MEANT, state="absent")
pam("the last line goes", rules(Y, X), **MEANT, state="absent")
pam("several go", rules(X, X, Y, X), **MEANT, state="absent")
pam("goes, not there", rules(Y), **MEANT, state="absent")
pam("a mark that is there", rules(X, MARK, Y), **MEANT, **NEW, state="after")
pam("a mark of a single line", rules("", MARK, X), **MEANT, new_control="optional")
pam("a single line", rules(X), **MEANT, new_control="optional")
pam("a single line is left", rules(X, Y), **MEANT, state="absent")
pam("a single line is left under a mark", rules(Y, MARK, X), **MEANT, state="absent")
pam("lines that end otherwise", "auth required pam_x.so\r\nauth\trequired pam_y.so", **MEANT, new_control="optional")
pam("blanks in front", rules("  " + X, "   ", "# c"), **MEANT, new_control="optional")
pam("an empty file", "", **MEANT, new_control="optional")
pam("no file", None, **MEANT, new_control="optional")
called("pamd a folder for a file", {"community.general.pamd": {"path": "@", "name": "", **MEANT}})
pam("a new control that is none", **LOCK, new_control="demanded")
pam("a new value that is none", **LOCK, new_control="[succes=ok default=ignore]")
pam("a new action that is none", **LOCK, new_control="[success=-1 default=fine]")
pam("a control that is none, elsewhere", rules(X, "auth needed pam_y.so a b"), **MEANT, state="absent")
pam("a comment that is not at the start", rules(X, "  # c"), **MEANT, new_control="optional")
pam("an include that is not at the start", rules(X, " @include c"), **MEANT, new_control="optional")
pam("a copy kept", **DENY, state="absent", backup=True)
pam("a copy kept of what is as it is", **DENY, new_control="requisite", backup=True)
called("pamd what a link leads to", {"community.general.pamd": {"name": "@/l", **MEANT, "new_control": "optional"}},
       {"f": rules(X), "l": Link("f")})
# Ansible's fails there with what Python says.
for title, given, args in (
        ("no rule at all", rules(X, "auth"), {}), ("a rule without its module", rules(X, "auth required"), {}),
        ("a rule that goes on", rules(X, "auth required pam_y.so \\", "  debug"), {}),
        ("a new value without an action", rules(X), {"new_control": "[success]"}),
        ("new brackets with nothing", rules(X), {"new_control": "[]"})):
    setting(title, "community.general.pamd", given, ["msg"], path="@", name="f", **MEANT, **{"new_control": "optional", **args})
# What Ansible's does not do, or does in another way.
hosted("pamd", """mkdir /root/pam; cd /root/pam; echo 'auth required x' >only; echo 'auth  [success = 1   default=ignore] x [b c] d' >brackets
printf 'auth required y\\n# of x\\n\\nauth required x o=a=b c=1 c=2 c=1\\n# the end\\n' >more
printf 'auth required x\\n# Updated by Ansible - 1\\nauth required y\\nauth required z\\n' >marked""", """
- community.general.pamd: path=/root/pam name=only type=auth control=required module_path=x state=absent
- community.general.pamd: {path: /root/pam, name: brackets, type: auth, control: "[success=1 default=ignore]", module_path: x,
                           module_arguments: "z y k=1 x b=2 a=3", state: args_present}
- community.general.pamd:
    {path: /root/pam, name: brackets, type: auth, control: "[success=1 default = ignore]", module_path: x, new_control: "[success=2  default=ignore]"}
- community.general.pamd: {path: /root/pam, name: more, type: auth, control: required, module_path: x, module_arguments: "o=c c=3", state: args_present}
- community.general.pamd: {path: /root/pam, name: more, type: auth, control: required, module_path: x, new_type: auth, new_control: optional,
                           new_module_path: b, state: before}
- community.general.pamd: {path: /root/pam, name: more, type: auth, control: required, module_path: x, new_type: auth, new_control: optional,
                           new_module_path: a, state: after}
- community.general.pamd: {path: /root/pam, name: marked, type: auth, control: required, module_path: x, state: absent}""",
       "cd /root/pam 2>/dev/null && for f in only brackets more marked; do echo $f; sed 's/ - .*//' $f; done",
       """only

# Updated by Ansible
brackets

# Updated by Ansible
auth       [success=2 default=ignore] x [b c] d z y x k=1 b=2 a=3
more
auth       required y
# Updated by Ansible
# of x

auth       optional b
auth       required x o=c c=1 c=2 c=3
auth       optional a
# the end
marked
auth       required y
# Updated by Ansible
auth       required z""")

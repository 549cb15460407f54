"""Rows for test_modules_collections.py; as in files_rows.py: title, task, what is there, what may differ."""
import subprocess

from files_rows import Dir, File, Link, Row

ROWS = []
A = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA ann_x"
B = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh bob at home"
C = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY"


def row(title, task, given=None, **options):
    ROWS.append(Row(title, given or {}, task, options))


def key(title, given=None, **args):
    row(f"authorized_key {title}", {"ansible.posix.authorized_key": {"user": "root", "path": "@/keys", "manage_dir": False, **args}},
        given)


key("new file", key=A)
key("appends", {"keys": A + "\n"}, key=B)
key("there", {"keys": f"{A}\n{B}\n"}, key=B)
key("there with blanks", {"keys": f"  {A}  \n"}, key=A)
key("another comment", {"keys": A + "\n"}, key=A.replace("ann_x", "eve_y"))
key("no comment", key=C)
key("comment option", {"keys": A + "\n"}, key=A, comment="a new one")
key("options", key=A, key_options='no-pty,from="10.0.0.1,10.0.0.2"')
key("options there in another order", {"keys": f'from="10.0.0.1,10.0.0.2",no-pty {A}\n'}, key=A,
    key_options='no-pty,from="10.0.0.1,10.0.0.2"')
key("options other", {"keys": f"no-pty {A}\n"}, key=A, key_options="no-x11-forwarding")
key("options go", {"keys": f"no-pty {A}\n"}, key=A)
key("several options of a name", {"keys": f'environment="A=1",environment="B=2" {A}\n'}, key=A,
    key_options='environment="B=2",environment="A=1"')
key("options of the key itself", key=f'command="echo hi, there" {A}')
key("several", {"keys": f"# mine\n{A}\n"}, key=f"{B}\n\n# other\n{C} c\n")
key("absent", {"keys": f"# mine\n{A}\n\n{B}\n"}, key=A, state="absent")
key("absent with other options", {"keys": f"no-pty {A}\n{B}\n"}, key=A, state="absent")
key("absent not there", {"keys": B + "\n"}, key=A, state="absent")
key("absent no file", key=A, state="absent")
key("exclusive", {"keys": f"# mine\n{A}\n{B}\n"}, key=C + " c", exclusive=True)
key("exclusive there", {"keys": f"{A}\n"}, key=A, exclusive=True)
key("exclusive several", {"keys": f"{B}\n{A}\n"}, key=f"{A}\n{B}", exclusive=True)
key("lines that are no keys", {"keys": f"# c\nnonsense here\n{A}\n"}, key=B)
key("twice the same", {"keys": f"{A}\n{A}\n"}, key=B)
key("not a key", key="hello there")
key("through a link", {"real": A + "\n", "keys": Link("real")}, key=B, follow=True)
key("in place of a link", {"real": File(A + "\n", 0o600), "keys": Link("real")}, key=B)
key("lines end as on Windows", {"keys": f"# mine\r\n{A}\r\n"}, key=B)
key("lines end as on Windows, there", {"keys": f"# mine\r\n{A}\r\n"}, key=A)
key("private file", {"keys": File(A + "\n", 0o644)}, key=B)
row("authorized_key manages the folder", {"ansible.posix.authorized_key": {"user": "root", "path": "@/ssh/keys", "key": A}})
row("authorized_key own folder", {"ansible.posix.authorized_key": {"user": "root", "path": "@/ssh/keys", "key": A}},
    {"ssh": Dir(0o755)})
row("authorized_key no such user", {"ansible.posix.authorized_key": {"user": "no-such-user", "path": "@/k", "key": A}},
    loose=["check"])

HA = "box.example.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA"
HB = "box.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh"
OTHER = "elsewhere,10.0.0.9 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDB"
HASHED = "|1|AQIDBAUGBwgJCgsMDQ4PEBESExQ=|921ZloRFva81Gv1tFwN3CAurgaI= ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA"


def host(title, given=None, loose=(), **args):
    row(f"known_hosts {title}", {"known_hosts": {"path": "@/k", **args}}, given, loose=list(loose))


host("new file", name="box.example.org", key=HA)
host("appends", {"k": OTHER + "\n"}, name="box.example.org", key=HA)
host("there", {"k": f"{OTHER}\n{HA}\n"}, name="box.example.org", key=HA)
host("there with a comment", {"k": HA + " root@box\n"}, name="box.example.org", key=HA)
host("upper case name", {"k": HA + "\n"}, name="BOX.example.org", key=HA)
host("another key of the type", {"k": f"{HA}\n{OTHER}\n"}, name="box.example.org", key=HA.replace("QDA", "QDZ"))
host("a second type", {"k": HA + "\n"}, name="box.example.org", key=HB)
host("in a list of names", {"k": OTHER + "\n"}, name="10.0.0.9", key=OTHER)
host("by a pattern", {"k": HA.replace("box", "*") + "\n"}, name="box.example.org", key=HA)
host("not by a negated pattern", {"k": HA.replace("box.example.org", "*,!box.example.org") + "\n"}, name="box.example.org", key=HA)
host("port", name="[box]:2222", key="[box]:2222 ssh-rsa AAAAB3NzaC1yc2E")
host("authority", {"k": "@cert-authority *.example.org ssh-rsa AAAAB3NzaC1yc2E\n"}, name="box.example.org",
     key="@cert-authority *.example.org ssh-rsa AAAAB3NzaC1yc2E")
host("authority beside a key", {"k": "@cert-authority *.example.org ssh-rsa AAAAB3NzaC1yc2E\n"}, name="box.example.org", key=HA)
host("absent with a key", {"k": f"{HA}\n{HB}\n{OTHER}\n"}, name="box.example.org", key=HA, state="absent")
host("absent with another type", {"k": f"{HA}\n{OTHER}\n"}, name="box.example.org", key=HB, state="absent")
host("absent all", {"k": f"{HA}\n{OTHER}\n{HB}\n"}, name="box.example.org", state="absent", loose=["tree"])
host("absent not there", {"k": OTHER + "\n"}, name="box.example.org", state="absent")
host("absent no file", name="box.example.org", state="absent")
host("no key", name="box.example.org")
host("key of another host", name="other.example.org", key=HA)
host("two names", name="a, b", key=HA)
host("through a link", {"real": File(OTHER + "\n", 0o600), "k": Link("real")}, name="box.example.org", key=HA)
host("through a link to nothing", {"k": Link("real")}, name="box.example.org", key=HA)
host("lines end as on Windows", {"k": OTHER + "\r\n"}, name="box.example.org", key=HA)
host("lines end as on Windows, there", {"k": f"{HA}\r\n"}, name="box.example.org", key=HA)
host("hashed there", {"k": HASHED + "\n"}, name="box.example.org", key=HA, hash_host=True)
host("hashed goes", {"k": f"{OTHER}\n{HASHED}\n"}, name="box.example.org", state="absent", loose=["tree"])
host("hashes", name="box.example.org", key=HA, hash_host=True, loose=["tree"])
host("hashed over plain", {"k": HA + "\n"}, name="box.example.org", key=HA, hash_host=True, loose=["tree"])
host("no folder", name="box.example.org", key=HA, path="@/no/k", loose=["*", "check"])


def htpasswd(title, given=None, loose=(), **args):
    row(f"htpasswd {title}", {"community.general.htpasswd": {"path": "@/p", "name": "ann", **args}}, given, loose=list(loose))


APR = "ann:$apr1$mdpTcWtT$f.Wbayrl59scmnIWtQvS./\n"  # secret
htpasswd("new file", password="secret", loose=["tree", "msg"])
htpasswd("new plain", password="secret", hash_scheme="plaintext")
htpasswd("new sha1", password="secret", hash_scheme="ldap_sha1")
htpasswd("there apr1", {"p": "bob:x\n" + APR}, password="secret")
htpasswd("there sha1", {"p": "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"}, password="secret")
htpasswd("there des", {"p": "ann:abNANd1rDfiNc\n"}, password="secret")
htpasswd("there sha512", {"p": "ann:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1\n"}, password="secret", hash_scheme="sha512_crypt")
htpasswd("other password", {"p": "# users\nann:old\nbob:x\n"}, password="secret", hash_scheme="plaintext")
htpasswd("appends", {"p": "bob:x\n"}, password="secret", hash_scheme="plaintext")
htpasswd("absent", {"p": "bob:x\n" + APR + "eve:y\n"}, state="absent")
htpasswd("absent not there", {"p": "bob:x\n"}, state="absent")
htpasswd("absent no file", state="absent")
htpasswd("not created", password="secret", create=False)
htpasswd("malformed", {"p": "# users\n\nbob:x\nno colon\n"}, password="secret", hash_scheme="plaintext", loose=["check"])
htpasswd("malformed, absent", {"p": "bob:x:y\n"}, state="absent")
htpasswd("with a mode", {"p": File("bob:x\n", 0o644)}, password="secret", hash_scheme="plaintext", mode="0600")
htpasswd("makes folders", path="@/a/b/p", password="secret", hash_scheme="plaintext")

TREE = {"d/a": "A\n", "d/sub/b": "B\n", "d/l": Link("a"), "d/empty": Dir()}
SIZES = ["size", "tree", "archived", "expanded_paths"]


def archive(title, given=None, loose=(), **args):
    row(f"archive {title}", {"community.general.archive": args}, given if given is not None else TREE,
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


def acl(title, given=None, loose=(), **args):
    row(f"acl {title}", {"ansible.posix.acl": {"path": "@/d", **args}}, given or {"d": Dir(), "d/f": "x"}, loose=list(loose))


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


def synchronize(title, given=None, loose=(), **args):
    tree = {"s/a": "A\n", "s/sub/b": File("B\n", 0o600), "s/l": Link("a")}
    row(f"synchronize {title}", {"ansible.posix.synchronize": {"src": "@/s/", "dest": "@/d", **args}},
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


def private_key(title, given=None, loose=(), made=True, **args):
    """made: the key is a new one, which no two programs make alike."""
    row(f"openssl_privatekey {title}", {"community.crypto.openssl_privatekey": {"path": "@/k", **args}}, given,
        loose=[*loose, *(["fingerprint", "tree", "privatekey"] if made else [])])


def openssl(*words, given=""):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=True).stdout


EC1 = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
EC8 = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
ED = openssl("genpkey", "-algorithm", "ed25519")
ED_LOCKED = openssl("pkey", "-aes256", "-passout", "pass:secret", given=ED)
P256 = {"type": "ECC", "curve": "secp256r1"}
private_key("new ECC", **P256)
private_key("new RSA", size=1024)
private_key("new Ed25519", type="Ed25519", return_content=True)
private_key("there", {"k": File(EC1, 0o600)}, made=False, **P256)
private_key("there, another mode", {"k": File(EC1, 0o644)}, made=False, **P256)
private_key("there, mode kept", {"k": File(EC1, 0o640)}, made=False, mode="0640", return_content=True, **P256)
private_key("another curve", {"k": File(EC1, 0o600)}, type="ECC", curve="secp384r1")
private_key("another type", {"k": File(ED, 0o600)}, **P256)
private_key("another type, only fail", {"k": File(ED, 0o600)}, regenerate="fail", **P256)
private_key("another type, never", {"k": File(ED, 0o600)}, made=False, regenerate="never", **P256)
private_key("another format does", {"k": File(EC8, 0o600)}, made=False, **P256)
private_key("another format", {"k": File(EC8, 0o600)}, format="auto", **P256)
private_key("another format, converted", {"k": File(EC8, 0o600)}, made=False, format="pkcs1", format_mismatch="convert", **P256)
private_key("to pkcs8", {"k": File(EC1, 0o600)}, made=False, format="pkcs8", format_mismatch="convert", **P256)
private_key("raw", {"k": File(ED, 0o600)}, loose=["tree"], made=False, type="Ed25519", format="raw", format_mismatch="convert")
private_key("locked there", {"k": File(ED_LOCKED, 0o600)}, made=False, type="Ed25519", passphrase="secret")
private_key("locked otherwise", {"k": File(ED_LOCKED, 0o600)}, type="Ed25519", passphrase="other")
private_key("locked, no passphrase", {"k": File(ED_LOCKED, 0o600)}, type="Ed25519", regenerate="partial_idempotence")
private_key("new locked", type="Ed25519", passphrase="secret")
private_key("broken", {"k": File("nonsense", 0o600)}, type="Ed25519")
private_key("backup", {"k": File(ED, 0o600)}, backup=True, loose=["backup_file"], **P256)
private_key("absent", {"k": File(ED, 0o600)}, made=False, state="absent")
private_key("absent not there", made=False, state="absent")
private_key("no folder", path="@/no/k", type="Ed25519", loose=["name"])


def expect(title, command, responses, given=None, loose=(), always=True, **args):
    row(f"expect {title}", {"expect": {"command": command, "responses": responses, **args}},
        {"ask": File("#!/bin/sh\nprintf 'name? '; read a; printf 'again? '; read b; echo \"[$a $b]\"\n", 0o755), **(given or {})},
        loose=["stdout_lines", "check", *loose], always=always)


# Of a program that closes its terminal and is not gone yet, as coreutils' are for a moment, Ansible's pexpect hangs up: a shell ends
# with its terminal.
TOUCH = "sh -c 'touch @/{}; exit 0'"
expect("answers", "@/ask", {"name": "ann", "again": "bob"})
expect("answers a pattern twice", "@/ask", {r"\?": ["one", "two"]})
expect("runs out of answers", "@/ask", {r"\?": ["one"]}, loose=["*"])
expect("echoes", "@/ask", {"name": "ann", "again": "bob"}, echo=True, loose=["stdout"])
expect("words", "sh -c 'echo \"a  b\"; exit 3'", {"x": "y"})
expect("no program", "/no/such/program", {"x": "y"}, loose=["*"])
expect("nothing", " ", {"x": "y"}, loose=["stdout"])
expect("folder", "sh -c 'pwd; exit 0'", {"x": "y"}, chdir="@")
expect("creates there", TOUCH.format("x"), {"x": "y"}, {"x": ""}, creates="@/x")
expect("creates", TOUCH.format("x"), {"nope": "y"}, creates="@/x", always=False)
expect("removes missing", TOUCH.format("y"), {"x": "y"}, removes="@/x")
expect("waits too long", "sleep 20", {"x": "y"}, timeout=1)
expect("timeout is no number", "true", {"x": "y"}, timeout="many")

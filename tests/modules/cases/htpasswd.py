"""Cases of htpasswd."""
from rows import File, called


def htpasswd(title, given=None, loose=(), **args):
    called(f"htpasswd {title}", {"community.general.htpasswd": {"path": "@/p", "name": "ann", **args}}, given, loose=list(loose))


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

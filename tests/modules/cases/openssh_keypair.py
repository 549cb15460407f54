"""Cases of openssh_keypair."""
import pathlib
import subprocess
import tempfile

from keys import ED_OTHER, RSA
from rows import Dir, File, Link, called


def pair(kind, *words, comment="old", phrase=""):
    """A private and a public key."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "k")
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *words, "-N", phrase, "-C", comment, "-f", path], check=True)
        return path.read_text(), pathlib.Path(f"{path}.pub").read_text()


ED, ED_PUB = pair("ed25519")
EC, EC_PUB = pair("ecdsa")
LOCKED, LOCKED_PUB = pair("ed25519", phrase="secret")
OTHER_PUB = pair("ed25519")[1]
THERE = {"k": File(ED, 0o600), "k.pub": ED_PUB}
SHUT = {"k": File(LOCKED, 0o600), "k.pub": LOCKED_PUB}
RANDOM = ["fingerprint", "public_key", "contents"]


def keypair(title, given=None, loose=(), always=False, **args):
    called(f"openssh_keypair {title}", {"community.crypto.openssh_keypair": {"path": "@/k", **args}}, given, loose=list(loose), always=always)


def ed(title, given=None, loose=(), always=False, **args):
    keypair(title, given, loose, always, type="ed25519", **args)


ed("new", loose=RANDOM)
ed("new with a comment", comment="me at work", size=4096, loose=RANDOM)
ed("new, by name of the program", backend="opensshbin", regenerate="never", loose=RANDOM)
ed("new with a mode", mode="0400", loose=RANDOM)
ed("new with a mode in letters", mode="u=r,go-r", loose=RANDOM)
ed("new beside another's public key", {"k.pub": File(OTHER_PUB, 0o600)}, loose=RANDOM)
keypair("new RSA", size=1024, loose=RANDOM)
keypair("new ECDSA", type="ecdsa", loose=RANDOM)
keypair("new ECDSA of a size", type="ecdsa", size=384, loose=RANDOM)
ed("there", THERE)
ed("there with its comment", THERE, comment="old", regenerate="fail")
ed("there, modes", THERE, mode="0600")
ed("there, a mode too open", THERE, mode="0644", always=True, loose=["check"])
ed("another comment", THERE, comment="new one", loose=["contents"])
ed("another comment, never", THERE, comment="new", regenerate="never", loose=["contents"])
ed("no comment", THERE, comment="")
ed("another comment, through a link", {"real": File(ED, 0o400), "k": Link("real"), "k.pub": ED_PUB}, comment="new", loose=["contents"])
keypair("another comment, of OpenSSL's form", {"k": File(RSA, 0o600)}, size=1024, comment="new", loose=["contents"])
ed("no public key", {"k": File(ED, 0o600)})
ed("no public key, a comment", {"k": File(ED, 0o400)}, comment="new", loose=["contents"])
ed("another's public key", {"k": File(ED, 0o600), "k.pub": File(OTHER_PUB, 0o600)})
ed("nonsense for a public key", {"k": File(ED, 0o600), "k.pub": "nonsense\n"}, regenerate="full_idempotence")
keypair("another type", THERE, type="ecdsa", loose=RANDOM)
keypair("another type, all", THERE, type="ecdsa", regenerate="full_idempotence", comment="new", loose=RANDOM)
keypair("another type, fail", THERE, type="ecdsa", regenerate="fail")
keypair("another type, never", THERE, type="ecdsa", regenerate="never")
keypair("another size", {"k": File(EC, 0o600), "k.pub": EC_PUB}, type="ecdsa", size=521, loose=RANDOM)
ed("always", THERE, regenerate="always", always=True, loose=RANDOM)
ed("forced over another's modes", {"k": File(ED, 0o640), "k.pub": File(ED_PUB, 0o600)}, force=True, regenerate="never", always=True, loose=RANDOM)
ed("forced over a link", {"real": File(ED, 0o600), "k": Link("real"), "k.pub": ED_PUB}, force=True, always=True, loose=RANDOM)
ed("open to others", {"k": File(ED, 0o644), "k.pub": ED_PUB})
ed("broken", {"k": File("nonsense", 0o600)})
ed("broken, never", {"k": File("nonsense", 0o600)}, regenerate="never")
ed("broken, all", {"k": File("nonsense", 0o600), "k.pub": OTHER_PUB}, regenerate="full_idempotence", loose=RANDOM)
ed("broken, forced", {"k": File("nonsense", 0o600)}, force=True, always=True, loose=RANDOM)
ed("of OpenSSL's form, which it does not read", {"k": File(ED_OTHER, 0o600)})
ed("locked", SHUT)
ed("locked, all", SHUT, regenerate="full_idempotence", size=1, comment="new")
keypair("locked, another type, all", SHUT, type="ecdsa", regenerate="full_idempotence", loose=RANDOM)
ed("locked, no public key, all", {"k": File(LOCKED, 0o600)}, regenerate="full_idempotence", loose=["check"])
keypair("RSA too short", size=512)
keypair("DSA of a size", type="dsa", size=2048)
keypair("ECDSA of no such size", type="ecdsa", size=300)
keypair("RSA too long", size=20000, loose=["cmd", "check"])
keypair("of the first protocol", type="rsa1", loose=["cmd", "check"])
ed("in another form", private_key_format="pkcs8")
ed("a folder", {"k": Dir()})
ed("no folder", path="@/no/k")
ed("goes", THERE, state="absent")
ed("goes, the public half", {"k.pub": ED_PUB}, state="absent")
ed("goes, locked, with a mode", {"k": File(LOCKED, 0o600)}, state="absent", mode="0600")
ed("goes and is not there", state="absent")

"""Cases of known_hosts."""
from rows import File, Link, called

HA = "box.example.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA"
HB = "box.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh"
OTHER = "elsewhere,10.0.0.9 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDB"
HASHED = "|1|AQIDBAUGBwgJCgsMDQ4PEBESExQ=|921ZloRFva81Gv1tFwN3CAurgaI= ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA"


def host(title, given=None, loose=(), **args):
    called(f"known_hosts {title}", {"known_hosts": {"path": "@/k", **args}}, given, loose=list(loose))


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

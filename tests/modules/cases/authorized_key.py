"""Cases of authorized_key."""
from rows import Dir, File, Link, called

A = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDA ann_x"
B = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh bob at home"
C = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY"


def key(title, given=None, **args):
    called(f"authorized_key {title}", {"ansible.posix.authorized_key": {"user": "root", "path": "@/keys", "manage_dir": False, **args}},
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
called("authorized_key manages the folder", {"ansible.posix.authorized_key": {"user": "root", "path": "@/ssh/keys", "key": A}})
called("authorized_key own folder", {"ansible.posix.authorized_key": {"user": "root", "path": "@/ssh/keys", "key": A}},
    {"ssh": Dir(0o755)})
called("authorized_key no such user", {"ansible.posix.authorized_key": {"user": "no-such-user", "path": "@/k", "key": A}},
    loose=["check"])

"""Cases of replace."""
from given import SSHD
from rows import played

played("replace", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no"}}, {"f": SSHD})
played("replace none", {"replace": {"path": "@/f", "regexp": "zz", "replace": "no"}}, {"f": SSHD})
played("replace to same", {"replace": {"path": "@/f", "regexp": "yes", "replace": "yes"}}, {"f": SSHD})
played("replace remove", {"replace": {"path": "@/f", "regexp": "^#.*\\n"}}, {"f": SSHD})
played("replace groups", {"replace": {"path": "@/f", "regexp": "^(\\w+) (yes)$", "replace": "\\2 \\1"}}, {"f": SSHD})
played("replace after", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no", "after": "UsePAM"}}, {"f": SSHD})
played("replace before", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no", "before": "UsePAM"}}, {"f": SSHD})
played("replace between", {"replace": {"path": "@/f", "regexp": "\\d+", "replace": "N", "after": "b", "before": "d"}}, {"f": "a1\nb2\nc3\nd4\n"}, always=False)
played("replace after none", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no", "after": "zz"}}, {"f": SSHD})
played("replace no file", {"replace": {"path": "@/f", "regexp": "a", "replace": "b"}})
played("replace bad group", {"replace": {"path": "@/f", "regexp": "yes", "replace": "\\7"}}, {"f": SSHD}, loose=["msg", "rc"])
played("replace mode", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no", "mode": "0600"}}, {"f": SSHD})
played("replace backup", {"replace": {"path": "@/f", "regexp": "yes", "replace": "no", "backup": True}}, {"f": SSHD})
played("replace anchors", {"replace": {"path": "@/f", "regexp": "^", "replace": "> "}}, {"f": "a\nb\n"}, always=True)
played("replace unicode", {"replace": {"path": "@/f", "regexp": "\\bé\\w", "replace": "E"}}, {"f": "x éa y\n"})

"""Cases of snap."""
from given import SNAPS
from rows import tooled


def snap(title, have=None, loose=(), always=False, **args):
    """have: {name: {...}}; every row has names of its own, for there is one snapd."""
    for name, more in (have or {}).items():
        SNAPS[name] = {"channel": "latest/stable", "enabled": True, "options": {}, **more}
    tooled(f"snap {title}", {"community.general.snap": args}, loose=["output", "vars", *loose], always=always)


snap("new", name=["a1"])
snap("there", {"b1": {}}, name="b1")
snap("several new", name=["c1", "c2"])
snap("several new from stable", name=["c3", "c4"], channel="stable")
snap("some new", {"d1": {}}, name=["d1", "d2"])
snap("channel", name=["e1"], channel="edge")
snap("another channel", {"f1": {}}, name=["f1"], channel="latest/beta")
snap("the channel in short", {"g1": {"channel": "latest/edge"}}, name=["g1"], channel="edge")
snap("another channel and a new one", {"h1": {}}, name=["h1", "h2"], channel="latest/edge")
snap("classic", name=["classic-i"], classic=True)
snap("classic without saying so", name=["classicj"], loose=["check"])
snap("a file", name=["@/k1_1_amd64.snap"], dangerous=True, always=True)
snap("absent", {"l1": {}}, name=["l1", "l2"], state="absent")
snap("absent not there", name=["m1"], state="absent")
snap("disabled", {"n1": {}, "n2": {"enabled": False}}, name=["n1", "n2"], state="disabled")
snap("enabled", {"o1": {"enabled": False}}, name=["o1"], state="enabled")
snap("enabled already", {"p1": {}}, name=["p1"], state="enabled")
snap("enabled not there", name=["q1"], state="enabled", loose=["check"])
snap("disabled not there", name=["r1"], state="disabled")
snap("unknown", name=["no-s1"])
snap("several unknown", name=["no-t1", "t2", "no-t3"])
snap("options", {"u1": {"options": {"a": 1, "deep": {"b": 2}}}}, name=["u1"], options=["a=1", "deep.b=3", "c = x y"])
snap("options there", {"v1": {"options": {"a": "1", "deep": {"b": 2, "c": True}}}}, name=["v1"],
     options=["a=1", "deep.b=2", "deep.c=True"])
snap("options of two", {"w1": {}, "w2": {}}, name=["w1", "w2"], options=["w2:a=1", "b=2"])
snap("options of another", {"x1": {}}, name=["x1"], options=["other:a=1"])
snap("options not one", {"y1": {}}, name=["y1"], options=["nothing"])
snap("options of a snap without", {"fixedz": {}}, name=["fixedz"], options=["a=1"], loose=["check"])

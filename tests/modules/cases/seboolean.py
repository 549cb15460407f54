"""Cases of seboolean."""
from disks import STORE
from rows import machined

BOOLEAN = "ssh_sysadm_login"
UNKEPT = f"cd {STORE}; mkdir -p /root/store; cp -n policy.* /root/store; cp /root/store/policy.* .; rm -f booleans.local; cd /; "


def seboolean(title, given="", loose=(), **args):
    machined(title, "ansible.posix.seboolean", {"name": BOOLEAN, **args}, f"{UNKEPT} setsebool {BOOLEAN}=0; {given}",
        f"getsebool {BOOLEAN}; cat {STORE}/booleans.local", loose)


seboolean("on", state=True)
seboolean("on already", f"setsebool {BOOLEAN}=1", state=True)
seboolean("off", f"setsebool {BOOLEAN}=1", state=False)
seboolean("nobody's", name="no_such_boolean", state=True)
seboolean("on at every boot", state=True, persistent=True)
seboolean("on at every boot, off now", state=True, persistent=True)
seboolean("off at every boot", state=False, persistent=True)
seboolean("on at every boot, kept so", f"setsebool -P {BOOLEAN}=1", state=True, persistent=True)
seboolean("on at every boot, kept so and off now", f"setsebool -P {BOOLEAN}=1; setsebool {BOOLEAN}=0", state=True, persistent=True)
seboolean("nobody's at every boot", name="no_such_boolean", state=True, persistent=True, loose=["msg"])

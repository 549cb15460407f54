"""Stand-ins for LVM's commands, nmcli and semanage, by the name they are called with. They keep a world in HF_FRONT/world.json and note
what changes it in HF_FRONT/log, so that two programs that ask for the same things can be compared."""
import json
import os
import re
import sys

folder, name, words = os.environ["HF_FRONT"], os.path.basename(sys.argv[0]), sys.argv[1:]
world = json.load(open(f"{folder}/world.json"))
groups, devices, labels, connections = (world[k] for k in ("groups", "devices", "labels", "connections"))
plain = [w for w in words if not w.startswith("-")]


def option(*names):
    for i, w in enumerate(words):
        if w in names:
            return words[i + 1]
    return None


def size_of(group):
    return 100 * sum(d == group for d in devices.values())


def free_of(group):
    return size_of(group) - sum(v["size"] for v in groups[group]["volumes"].values())


def megabytes(text, group=None):
    m = re.fullmatch(r"\+?(\d+)(b|m|g|%VG|%FREE|%PVS)?", text, re.I)
    unit = (m[2] or "m").lower()
    if unit[0] == "%":
        n = int(m[1]) * (free_of(group) if unit == "%free" else size_of(group)) / 100
    else:
        n = int(m[1]) * {"b": 1 / (1 << 20), "m": 1, "g": 1024}[unit]
    return int(-(-n // 4) * 4)


def attr(v):
    return v.get("kind", "-") + "wi-" + ("a" if v["active"] else "-") + "-----"


def look():
    unit = {"m": 1, "g": 1 / 1024, "b": 1 << 20}[option("--units") or "m"]
    if name == "lvm":
        print("  LVM version:     2.03.16(2) (2022-05-18)")
    elif "--help" in words:
        print("  [ --setautoactivation y|n ]")
    elif name == "vgs" and (option("-o") or "").startswith("lv_attr"):
        group = groups[words[-1]]
        for v in group["volumes"].values() or [None]:
            print(f"  {attr(v) if v else ''};{'enabled' if group['auto'] else ''}")
    elif name == "vgs" and "free" in option("-o"):
        if words[-1] not in groups:
            sys.exit(5)
        print(f"  {words[-1]};{size_of(words[-1]) * unit:.2f};{free_of(words[-1]) * unit:.2f};{4 * unit:.2f}")
    elif name == "vgs":
        for g, group in groups.items():
            print(f"  {g};{sum(d == g for d in devices.values())};{len(group['volumes'])}")
    elif name == "pvs":
        for d, g in devices.items():
            print(f"  {d};{g}")
    elif name == "pvdisplay":
        grown = world["grown"].get(words[0], 100 << 20)
        print(f"  {world['large'].get(words[0], grown)};{grown - (1 << 20)};{1 << 20};{4 << 20}")
    elif name == "lvs" and option("-o") == "size":
        g, v = words[-1].split("/")
        print(f"  {groups[g]['volumes'][v]['size'] * unit:.0f}")
    elif name == "lvs":
        for v, it in groups[words[-1]]["volumes"].items():
            print(f"  {v};{it['size'] * unit:.2f};{attr(it)}")
    elif name == "semanage" and "-l" in words:
        for (target, kind), label in ((k.split("|"), v) for k, v in labels.items()):
            print(f"{target} = {label}" if kind == "=" else f"{target:<50} {kind:<18} {label} ")
    else:
        return False
    return True


def devices_change():
    if name == "pvcreate":
        devices[words[-1]] = ""
    elif name == "pvremove":
        devices.pop(words[-1])
    elif name == "pvresize":
        world["grown"][words[-1]] = world["large"].pop(words[-1])
    for d in plain[1:] if name in ("vgextend", "vgreduce") else []:
        devices[d] = plain[0] if name == "vgextend" else ""


def groups_change():
    if name == "vgcreate":
        at = next(i for i, w in enumerate(plain) if w.startswith("vg-"))
        groups[plain[at]] = {"auto": option("--setautoactivation") != "n", "volumes": {}}
        devices.update({d: plain[at] for d in plain[at + 1:]})
    elif name == "vgremove":
        groups.pop(words[-1])
        devices.update({d: "" for d, g in devices.items() if g == words[-1]})
    elif name == "vgchange" and "--setautoactivation" in words:
        groups[words[-1]]["auto"] = words[1] == "y"
    elif name == "vgchange" and "--activate" in words:
        for v in groups[words[-1]]["volumes"].values():
            v["active"] = words[1] == "y"


def volumes_change():
    path = next((w for w in words if re.fullmatch(r"vg-\d+-/\w+", w)), None)
    g, v = path.split("/") if path else (None, None)
    size = option("-L", "-l", "-V")
    if name == "lvcreate":
        pool = option("-T")
        group = g or next(w for w in plain if w.startswith("vg-"))
        made = option("-n") or v
        groups[group]["volumes"][made] = {"size": megabytes(size, group) if size else 0, "active": True,
                                          "kind": "-" if not pool else "V" if option("-n") else "t"}
        return
    it = groups[g]["volumes"]
    if name == "lvremove":
        it.pop(v)
    elif name == "lvchange":
        it[v]["active"] = "-ay" in words
    elif name in ("lvextend", "lvreduce"):
        n = megabytes(size.lstrip("+-"), g)
        it[v]["size"] = n if size[0] not in "+-" else it[v]["size"] + (n if size[0] == "+" else -n)


def labels_change():
    kinds = {"a": "all files", "b": "block device", "c": "character device", "d": "directory", "f": "regular file",
             "l": "symbolic link", "p": "named pipe", "s": "socket"}
    target = [w for w in words[2:] if w.startswith("/")][-1]
    if "-d" in words:
        labels.pop(f"{target}|{kinds[option('-f')]}" if option("-f") else f"{target}|=")
    elif option("-e"):
        labels[f"{target}|="] = option("-e")
    else:
        labels[f"{target}|{kinds[option('-f')]}"] = f"{option('-s')}:object_r:{option('-t')}:{option('-r')}"


BONDING = ("mode", "miimon", "downdelay", "updelay", "primary", "arp-interval", "arp-ip-target")
# What NetworkManager shows of every connection that has such settings.
USUAL = {"connection.interface-name": "--", "connection.autoconnect": "yes", "connection.zone": "--", "connection.master": "--",
         "connection.slave-type": "--", "802-3-ethernet.mtu": "auto", "802-3-ethernet.cloned-mac-address": "--", **{
             f"ipv{v}.{k}": value for v in "46" for k, value in {
                 "method": "auto", "dns": "--", "dns-search": "--", "dns-options": "--", "addresses": "--", "gateway": "--",
                 "routes": "--", "route-metric": "-1", "ignore-auto-routes": "no", "ignore-auto-dns": "no"}.items()},
         "ipv4.routing-rules": "--", "ipv4.dhcp-client-id": "--", "ipv4.never-default": "no", "ipv4.may-fail": "yes",
         "ipv6.ip6-privacy": "-1 (unknown)", "ipv6.addr-gen-mode": "stable-privacy"}
PRIVACY = {"disabled": "0 (disabled)", "prefer-public-addr": "1 (enabled, prefer public IP)",
           "prefer-temp-addr": "2 (enabled, prefer temporary IP)", "unknown": "-1 (unknown)"}


def route(text):
    ip, *rest = text.split()
    parts = [f"ip = {ip}"]
    for word, label in zip([w for w in rest if "=" not in w], ("nh", "mt")):
        parts.append(f"{label} = {word}")
    return "{ " + ", ".join(parts + [w for w in rest if "=" in w]) + " }"


def settings_put(it, pairs):
    for key, value in zip(pairs[::2], pairs[1::2]):
        if key == "+bond.options":
            key, _, value = value.partition("=")
        if key in BONDING or key == "xmit_hash_policy":
            it.setdefault("bond", {})[key.replace("-", "_")] = value
        elif key == "ipv6.ip6-privacy":
            it[key] = {v.split()[0]: v for v in PRIVACY.values()}.get(value) or PRIVACY[value]
        elif key.endswith(".routes"):
            it[key] = "; ".join(route(r) for r in value.split(",")) if value else "--"
        elif key.endswith("mac-address"):
            it[key] = value.upper() or "--"
        else:
            it[key] = value.replace(",", ", ") if key.endswith("addresses") and value else value or USUAL.get(key) or "--"
        if key.endswith(".mtu") and it[key] == "0":
            it[key] = "auto"
        if it.get(key) == USUAL.get(key, "--"):
            it.pop(key, None)
    if "bond" in it:
        it["bond"] = {k: v for k, v in sorted(it["bond"].items()) if v}


def show(con):
    it = connections[con]
    rows = {"connection.id": con, **{k: v for k, v in USUAL.items() if it["type"] != "dummy" or k[0] != "8"}, **it}
    rows.pop("up")
    rows["connection.type"] = {"ethernet": "802-3-ethernet"}.get(rows.pop("type"), it["type"])
    bond = rows.pop("bond", None)
    if bond:
        rows["bond.options"] = ",".join(f"{k}={v}" for k, v in bond.items())
    for key, value in rows.items():
        print(f"{key + ':':<40}{value}")


def nmcli_look():
    """What shows, and is no change."""
    if "--terse" in words:
        print("\n".join(connections))
    elif "show" in words:
        show(words[-1])
    return "show" in words


def nmcli_change():
    verb, con = words[1], words[2] if len(words) > 2 else None
    if verb == "add":
        connections[words[5]] = {"type": words[3], "up": False}
        settings_put(connections[words[5]], words[6:])
    elif verb == "modify":
        settings_put(connections[con], words[3:])
    elif verb == "del":
        connections.pop(con)
    elif verb in ("up", "down"):
        if verb == "down" and not connections[con]["up"]:
            sys.exit(f"Error: '{con}' is not an active connection.")
        connections[con]["up"] = verb == "up"


if not (nmcli_look() if name == "nmcli" else look()):
    with open(f"{folder}/log", "a") as log:
        log.write(json.dumps([name, *words]) + "\n")
    if name == "nmcli":
        nmcli_change()
    elif name == "semanage":
        labels_change()
    elif name.startswith("lv"):
        volumes_change()
    elif name in ("vgcreate", "vgremove", "vgchange"):
        groups_change()
    else:
        devices_change()
    json.dump(world, open(f"{folder}/world.json", "w"))

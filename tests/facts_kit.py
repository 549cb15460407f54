"""Facts of two programs side by side: which ones roles use (read from the shared measurements), what both gathered, what
differs, and what may."""
import re

from places import SHARED

# The whole of what roles take from a host, by both programs; prepare.sh, beside it, first makes the host worth asking.
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - command: sh {{ playbook_dir }}/prepare.sh
    - setup:
    - package_facts: {manager: apt}  # Ansible asks rpm first where its Python library is, on Debian too
    - service_facts:
    - getent: {database: passwd}
    - getent: {database: group}
    - getent: {database: shadow}
    - debug:
        msg: "{{ {'facts': ansible_facts, 'names': {NAMES}} | to_json }}"
"""
OWN_NAMES = re.compile(r"packages$|services$|getent_")  # given to tasks without ansible_ before them
NEVER = "(no such fact)"

# Values of the two programs' own moments: how far apart they may be.
SECONDS, SHARE, SHOWN = 900, 0.1, 3
MOVING = [
    (r"date_time\.epoch", lambda a, b: abs(int(a) - int(b)) < SECONDS),
    (r"date_time\.iso8601_basic_short", lambda a, b: all(re.fullmatch(r"\d{8}T\d{6}", v) for v in (a, b))),
    (r"uptime_seconds", lambda a, b: abs(a - b) < SECONDS),
    (r"mounts\[.*\]\.(size|block|inode)_(available|used)", lambda a, b: abs(a - b) <= SHARE * max(a, b)),
]
# What differs and stays so: leaves → reason. docs/limits.md says the same.
FROM_LISTS = r"packages\..*\.(origin|category)"  # where apt has fetched its lists
DIFFERENT = {
    FROM_LISTS: "which archive a Debian package came from, and the section it has there, stand in apt's lists, "
                                        "tens of megabytes that are not read: origin is '', category the package's own",
    r"\w+\.(features|timestamping|hw_timestamp_filters|phc_index)\b.*": "what ethtool prints of an interface where it is installed is not asked",
}


def _top_level(text):
    """Split at the commas that stand in no parentheses."""
    return [p.strip() for p in re.split(r",(?![^(]*\))", text)]


def _paths(item):
    """The fact, or its parts, that one item of the list names: `env 82/12 (HOME, PATH)`, `a.b/.c 10/6`, `x_one/two 1/1`."""
    m = re.fullmatch(r"([\w./]+?)(?: \((\w+_facts)\))?(?: \d+/\d+)?(?: \((.*)\))?\.?", item, re.S)
    if not m:
        raise ValueError(f"not understood in the list of facts: {item!r}")
    first, *others = m[1].split("/")
    names = [first]
    for other in others:
        names.append(first.rsplit(".", 1)[0] + other if other[0] == "." else first.rsplit("_", 1)[0] + "_" + other)
    if m[3] and re.fullmatch(r"\w+(, \w+)*", m[3]):
        return [f"{n}.{part}" for n in names for part in m[3].split(", ")]
    return names


def used():
    """The facts that measured roles use, dotted; none without the measurements."""
    if not SHARED.is_dir():
        return []
    text = (SHARED / "corpus-usage.md").read_text()
    found = re.search(r"^## 4\. .*?^Facts[^\n:]*:(.*?)\n\n", text, re.M | re.S)
    items = _top_level(" ".join(found[1].split()))
    return sorted({path for item in items for path in _paths(re.sub(r"^\([^)]*\): ", "", item))})


def play():
    """The playbook; its names are also asked for as tasks write them without ansible_facts."""
    tops = sorted({k.split(".")[0] for k in used()})
    names = {t: t if OWN_NAMES.match(t) else f"ansible_{t}" for t in tops}
    # Undefined names are told of, not stumbled over.
    row = ", ".join(f"'{t}': ({n} | default('{NEVER}'))" for t, n in names.items())
    return PLAY.replace("{NAMES}", "{" + row + "}")


def at(facts, path):
    """A fact by its dotted name. Local facts alone keep their prefix in ansible_facts."""
    path = re.sub(r"^local\b", "ansible_local", path)
    for part in path.split("."):
        if not isinstance(facts, dict) or part not in facts:
            return NEVER
        facts = facts[part]
    return facts


def leaves(value, path):
    """Every scalar below a value: {path: scalar}. Entries of lists of dicts go by their mount, or by their place."""
    if isinstance(value, dict) and value:
        rows = [leaves(v, f"{path}.{k}") for k, v in value.items()]
    elif isinstance(value, list) and value and all(isinstance(v, dict) and "mount" in v for v in value):
        rows = [leaves(v, f"{path}[{v['mount']}]") for v in value]
    elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        rows = [leaves(v, f"{path}[{i}]") for i, v in enumerate(value)]
    else:
        return {path: value}
    return {k: v for row in rows for k, v in row.items()}


def same(path, theirs, ours):
    if type(theirs) is not type(ours):
        return False
    if theirs == ours:
        return True
    if path in ("interfaces", "virtualization_tech_guest"):  # sets, in no order
        return sorted(theirs) == sorted(ours)
    return any(re.fullmatch(pattern, path) and near(theirs, ours) for pattern, near in MOVING)


def differences(theirs, ours, path):
    """{leaf that differs: (theirs, ours)} below one fact."""
    want, got = leaves(at(theirs, path), path), leaves(at(ours, path), path)
    return {p: (want.get(p, NEVER), got.get(p, NEVER)) for p in sorted(set(want) | set(got))
            if p not in want or p not in got or not same(p, want[p], got[p])}


def compare(theirs, ours):
    """{key that roles use: its differences}; empty where it is equal."""
    return {key: differences(theirs, ours, key) for key in used()}


def reason(leaf):
    return next((why for pattern, why in DIFFERENT.items() if re.fullmatch(pattern, leaf)), None)


def stale(theirs, found, expected):
    """Expected rows of DIFFERENT that nothing differs by any more, although Ansible has something to say there."""
    differing = [leaf for rows in found.values() for leaf in rows]
    said = {leaf: value for key in found for leaf, value in leaves(at(theirs, key), key).items()}
    return [p for p in DIFFERENT if p in expected and not any(re.fullmatch(p, leaf) for leaf in differing) and
            any(re.fullmatch(p, leaf) and value for leaf, value in said.items())]


def told(where, theirs, found):
    """Prints how many keys are equal, and what differs with its reason; returns the share."""
    equal = [k for k, d in found.items() if not d]
    print(f"{where}: {len(equal)} of {len(found)} keys equal, {100 * len(equal) / len(found):.1f} %")
    print("neither has: " + ", ".join(k for k in equal if at(theirs, k) == NEVER))
    for key, rows in found.items():
        for leaf in list(rows)[:SHOWN]:
            want, got = rows[leaf]
            print(f"  {leaf}: ansible {str(want)[:200]!r}, holdfast {str(got)[:200]!r}: {reason(leaf) or 'NO REASON'}")
        if len(rows) > SHOWN:
            print(f"  {key}: {len(rows)} values in all")
    return len(equal) / len(found)


def verdict(where, theirs, ours, lists):
    """What must hold of the two programs' facts of one root. lists: apt has its lists there."""
    found = compare(theirs, ours)
    assert told(where, theirs, found) >= 0.98
    assert [leaf for rows in found.values() for leaf in rows if reason(leaf) is None] == []
    assert stale(theirs, found, [p for p in DIFFERENT if p != FROM_LISTS or lists]) == []

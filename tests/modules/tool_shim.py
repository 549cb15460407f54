"""npm, gem, snap and the tools of Apache for tests: each keeps what it has installed in a JSON file and speaks as the tool itself does, so that
Ansible's modules and ours can be asked the same in front of the same tool.   tool_shim.py TOOL STATE-FILE ARGUMENT..."""
import json
import os
import pathlib
import sys

NEWEST = {"one": "1.2.0", "two": "2.0.1", "hello": "2.10", "core": "16"}


def options(words, with_value):
    """The options of a command line as a dict, and the words that are none."""
    found, rest = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word.startswith("-") and word != "--":
            found[word] = words.pop(0) if word in with_value else True
        else:
            rest.append(word)
    return found, rest


def fail(text, code=1):
    sys.stderr.write(text + "\n")
    sys.exit(code)


class Npm:
    def __init__(self, words, state):
        self.given, self.words = options(words, {"--registry"})
        self.everywhere = "--global" in self.given
        self.here = state / "global" if self.everywhere else pathlib.Path(".")

    def wanted(self):
        """What the project names: name → version or *."""
        try:
            return json.loads((self.here / "package.json").read_text()).get("dependencies", {})
        except FileNotFoundError:
            return {}

    def there(self):
        found = {}
        for path in sorted(self.here.glob("node_modules/*/package.json")):
            found[str(path.parent.relative_to(self.here / "node_modules"))] = json.loads(path.read_text())["version"]
        return found

    def put(self, name, version):
        if name not in NEWEST:
            fail(f"npm error code E404\nnpm error 404 Not Found - GET /{name}")
        folder = self.here / "node_modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))

    def save(self, dependencies):
        self.here.mkdir(parents=True, exist_ok=True)
        (self.here / "package.json").write_text(json.dumps({"dependencies": dependencies}, indent=2))

    def list(self):
        wanted, there = self.wanted(), self.there()
        rows = {name: {"version": version} for name, version in there.items()}
        for name, version in wanted.items():
            if name not in there:
                rows[name] = {"required": version, "missing": True}
            elif version not in ("*", there[name]):
                rows[name]["invalid"] = True
        print(json.dumps({"name": "here", **({"dependencies": rows} if rows else {})}))
        if any(len(r) > 1 for r in rows.values()):
            fail("npm error code ELSPROBLEMS")

    def install(self):
        wanted = self.wanted()
        for word in self.words[1:]:
            name, at, version = word.rpartition("@") if "@" in word[1:] else (word, "", "")
            self.put(name, version if at else NEWEST.get(name))
            wanted[name] = version if at else "*"
        for name, version in wanted.items():
            if len(self.words) == 1 or name not in self.there():
                self.put(name, NEWEST[name] if version == "*" else version)
        if len(self.words) > 1:
            self.save(wanted)
        print(f"added {len(wanted)} packages")

    ci = install

    def update(self):
        for name in self.there():
            self.put(name, NEWEST[name])

    def outdated(self):
        for name, version in self.there().items():
            if version != NEWEST[name]:
                print(f"{name} {version} {NEWEST[name]}")

    def uninstall(self):
        import shutil
        wanted = self.wanted()
        for name in self.words[1:]:
            shutil.rmtree(self.here / "node_modules" / name, ignore_errors=True)
            wanted.pop(name, None)
        self.save(wanted)


def gem(words, state):
    given, rest = options(words, {"--version", "--source", "--install-dir", "--bindir", "-n"} if len(words) > 1 else set())
    if "--version" in given and not rest:
        return print("3.3.15")
    path = pathlib.Path(given.get("--install-dir") or os.environ.get("GEM_HOME") or state / "gems") / "gems.json"
    have = json.loads(path.read_text()) if path.exists() else {}
    verb, names = rest[0], rest[1:]
    if verb == "query":
        name = given["-n"].strip("^$")
        if "--remote" in given:
            print(f"\n*** REMOTE GEMS ***\n\n{name} ({NEWEST[name]})" if name in NEWEST else "\n*** REMOTE GEMS ***\n")
        elif have.get(name):
            print(f"{name} (default: {', '.join(have[name])})")
        return None
    if verb == "install":
        name = names[0]
        if name.endswith(".gem"):
            name, _, version = pathlib.Path(name).stem.rpartition("-")
        else:
            version = given.get("--version", NEWEST.get(name))
        if name not in NEWEST:
            fail(f"ERROR:  Could not find a valid gem '{name}' (>= 0) in any repository", 2)
        have.setdefault(name, []).insert(0, version)
    if verb == "uninstall":
        have[names[0]] = [v for v in have.get(names[0], []) if given.get("--version") not in (None, v)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in have.items() if v}))
    return None


def snap(words, state):
    given, rest = options(words, {"--channel"})
    path = state / "snaps.json"
    have = json.loads(path.read_text())
    verb, names = rest[0], rest[1:]
    if verb == "list":
        if names and names[0] not in have:
            fail("error: no matching snaps installed")
        print("Name Version Rev Tracking Publisher Notes")
        for name, s in have.items():
            if not names or name in names:
                print(f"{name}  {NEWEST.get(name, '1')}  12  {s['channel']}  canonical**  {'-' if s['enabled'] else 'disabled'}")
    elif verb == "info":
        unknown = [n for n in names if n.startswith("no-")]
        if unknown:
            (sys.stderr if len(names) == 1 else sys.stdout).write("".join(f"warning: no snap found for {n}\n" for n in unknown))
            sys.exit(1)
        print("\n---\n".join(f"name:      {pathlib.Path(n).stem.split('_')[0]}\nsummary:   a thing" for n in names))
    elif verb == "get":
        if not have.get(names[0], {}).get("options"):
            fail(f'error: snap "{names[0]}" has no configuration')
        print(json.dumps(have[names[0]]["options"]))
    elif verb == "set":
        if names[0].startswith("fixed"):
            fail(f'error: cannot perform the following tasks:\nsnap "{names[0]}" has no "configure" hook')
        for word in names[1:]:
            at = have[names[0]]["options"]
            key, _, value = word.partition("=")
            *way, last = key.split(".")
            for part in way:
                at = at.setdefault(part, {})
            at[last] = int(value) if value.isdigit() else value
    elif verb == "unset":
        have[names[0]]["options"].pop(names[1], None)
    elif verb == "install":
        for n in names:
            if n.startswith("classic") and "--classic" not in given:
                fail(f'error: This revision of snap "{n}" was published using classic confinement and thus may perform')
            have[pathlib.Path(n).stem.split("_")[0]] = {"channel": given.get("--channel", "latest/stable"), "enabled": True, "options": {}}
    elif verb == "refresh":
        for n in names:
            have[n]["channel"] = given.get("--channel", "latest/stable")
    elif verb in ("enable", "disable"):
        for n in names:
            if n not in have:
                fail(f'error: snap "{n}" is not installed', 10)
            have[n]["enabled"] = verb == "enable"
    elif verb == "remove":
        for n in names:
            have.pop(n, None)
    if verb in ("set", "unset", "install", "refresh", "enable", "disable", "remove"):
        path.write_text(json.dumps(have))


def apache(tool, words, state):
    """a2enmod, a2dismod and apache2ctl over one list of modules; without an MPM the server refuses its configuration."""
    path = state / "apache.json"
    have, name = json.loads(path.read_text()), words[-1]
    if tool == "apache2ctl" and name == "-V":
        print("Server MPM:     event\n  threaded:     yes (fixed thread count)")
    elif tool == "apache2ctl":
        if not any(n.startswith("mpm_") for n in have):
            fail("AH00534: apache2: Configuration error: No MPM loaded.\nAction '-M' failed.")
        print("Loaded Modules:\n core_module (static)\n" + "\n".join(f" {n.split('.')[0]}_module (shared)" for n in have))
    elif name.startswith("no-"):
        fail(f"ERROR: Module {name} does not exist!")
    elif tool == "a2enmod":
        path.write_text(json.dumps(sorted({*have, name})))
        print(f"Enabling module {name}.")
    elif name.startswith("needed") and words[0] != "-f":
        fail("ERROR: The following modules depend on it", 1)
    else:
        path.write_text(json.dumps([n for n in have if n != name]))
        print(f"Module {name} disabled.")


tool, state, words = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
if tool == "npm":
    program = Npm(words, state)
    getattr(program, program.words[0])()
elif tool in ("a2enmod", "a2dismod", "apache2ctl"):
    apache(tool, words, state)
else:
    {"gem": gem, "snap": snap}[tool](words, state)

"""Random calls of every filter and test of ansible-core, from a seed: names and arguments come from the plugins that are
installed, so that nothing is forgotten; the values lean towards what goes wrong in a second implementation (other types,
empty things, numbers in text, keywords in place of positions)."""
import inspect
import random

VARS = {
    "n": 5, "z": 0, "neg": -3, "big": 2 ** 70, "f": 1.5, "g": -0.25, "s": "text", "S": "Hello World", "e": "", "t": True, "no": False,
    "nil": None, "l": [3, 1, 2], "ls": ["b", "A", "c"], "lm": [1, "1", 1.0, True, None], "ll": [[1, 2], [3, [4, 5]]], "el": [],
    "lf": [1.5, 2, 0.1], "d": {"k": "v", "n": 1}, "ed": {}, "dn": {"a": {"b": [1, {"c": 2}]}, "l": [1, 2]},
    "ld": [{"name": "bob", "age": 30, "tags": ["x"]}, {"name": "Ann", "age": 25, "tags": []}, {"name": "cyd", "age": 30}],
    "kv": [{"key": "a", "value": 1}, {"key": "b", "value": [2]}], "num": "0644", "nums": "42", "flt": "3.7", "sp": "  x y ",
    "multi": "a\n b\n\nc\n", "uni": "é ☃ \U0001f600 ß", "quo": "it's \"q\"", "odd": "a: b # c", "dt": "2020-01-02 03:04:05",
    "path": "/a/b.c/d.tar.gz", "url": "http://u:p@Host:81/p/q?x=1&y=2#f", "js": "{\"a\": [1, 2]}", "ym": "a: 1\nb: [x, y]\n",
    "ver": "1.2.3", "ver2": "1.10.0rc1", "b64": "dGV4dA==", "size": "10 MB", "html": "<a href='x'>&amp;</a>", "win": "C:\\a\\b.txt",
    "tmpl": "{{ n }}", "lst": "[1, 2]", "tr": "yes", "lt": "a,b;c", "ip": "192.168.1.7/24",
}
POOL = [name for name in VARS if name != "big"] + [
    "'a'", "'x'", "'-'", "','", "0", "1", "2", "3", "-1", "10", "1.5", "true", "false", "none", "[]", "{}", "[1]", "['a', 'b']",
    "{'a': 1}", "(1, 2)", "''", "'%s'", "'k'", "'name'", "missing", "'\\\\w+'", "'(t)(e)'", "'a.b'"]
# Arguments that make sense, by the name of the parameter.
ARGUMENTS = {
    "pattern": ["'(\\\\w)(\\\\w)'", "'x*'", "'^a'", "'[a-e]'", "'(?P<n>t.)'", "'\\\\s+'", "'.'", "s", "''"],
    "regex": ["'(\\\\w)(\\\\w)'", "'x*'", "'[a-z]+'", "'\\\\d'", "'(?i)T'"], "value": ["'a'", "'\\\\w+'", "'(.)'", "n", "''"],
    "replacement": ["'-'", "'<\\\\1>'", "'\\\\g<0>'", "''", "'\\\\2\\\\1'"], "repeat": ["0", "1", "2"], "width": ["5", "10", "79", "0", "-1"],
    "linecount": ["1", "2", "3"], "slices": ["1", "2", "3"], "count": ["0", "1", "2", "-1"],
    "attribute": ["'name'", "'age'", "'tags'", "0", "'0'", "'a.b'", "'nope'", "'age,name'"], "level": ["0", "1", "2", "-1"],
    "levels": ["0", "1", "2", "-1", "none"], "unit": ["'K'", "'M'", "'G'", "'b'", "'KB'", "'x'"], "default_unit": ["'K'", "'M'", "'MB'", "'q'"],
    "hashtype": ["'md5'", "'sha1'", "'sha256'", "'nope'"], "style": ["'plain'", "'c'", "'erlang'", "'xml'", "'cblock'"],
    "list_merge": ["'replace'", "'keep'", "'append'", "'prepend'", "'append_rp'", "'prepend_rp'", "'bad'"], "second": ["0", "1600000000", "1.5e9"],
    "format": ["'%Y-%m-%d %H:%M:%S'", "'%Y'"], "key": ["'name'", "'age'", "'k'", "0", "'nope'", "1"], "key_name": ["'key'", "'name'", "'k'"],
    "value_name": ["'value'", "'age'"], "subelements": ["'tags'", "['tags']", "'name'", "'nope'"],
    "version": ["'1.2'", "'1.2.3'", "'2.0'", "'1.10.0'", "'1.2.3-rc.1'", "''", "'a'"], "operator": ["'>'", "'<='", "'eq'", "'!='", "'ge'", "'lt'", "'~'"],
    "version_type": ["'loose'", "'strict'", "'semver'", "'pep440'", "'x'"], "strict": ["true", "false"], "match_type": ["'search'", "'match'", "'fullmatch'"],
    "query": ["'host'", "'path'", "'port'", "'query'", "'hostname'", "'nope'"], "start": ["0", "1", "'/a'"], "x": ["2", "10", "n", "0"],
    "base": ["2", "3", "10", "0"], "precision": ["0", "1", "2", "-1"], "method": ["'common'", "'ceil'", "'floor'", "'x'"], "length": ["3", "5", "10", "0"],
    "by": ["'key'", "'value'", "'x'"], "case_sensitive": ["true", "false"], "old": ["'t'", "'l'", "''", "'a'"], "new": ["'X'", "''"],
    "encoding": ["'utf-8'", "'latin-1'", "'ascii'"], "indent": ["0", "2", "4", "8", "none"], "ensure_ascii": ["true", "false"],
    "sort_keys": ["true", "false"], "separators": ["(',', ':')"], "skip_missing": ["true", "false"], "recursive": ["true", "false"],
    "ignorecase": ["true", "false"], "multiline": ["true", "false"], "reverse": ["true", "false"], "fillvalue": ["'-'", "0", "none"],
    "default": ["'-'", "none", "0"], "isbits": ["true", "false"], "other": ["'a'", "5", "[1]", "l"],
}
KEYWORDS = {"combine": ["recursive", "list_merge"], "subelements": ["skip_missing"], "zip_longest": ["fillvalue"], "product": ["repeat"],
            "map": ["attribute", "default"], "to_json": ["indent", "sort_keys", "ensure_ascii", "separators"],
            "to_nice_json": ["indent", "sort_keys"], "to_yaml": ["indent", "sort_keys", "width"], "to_nice_yaml": ["indent", "sort_keys", "width"],
            "regex_search": ["ignorecase", "multiline"]}
INPUTS = {
    "dict2items": ["d", "dn", "ed"], "items2dict": ["kv", "ld", "el"], "combine": ["d", "dn", "ed"], "b64decode": ["b64"], "from_json": ["js", "lst", "nums"],
    "from_yaml": ["ym", "js", "odd", "multi", "tr", "num"], "from_yaml_all": ["ym", "'a\\n---\\nb'"], "urlsplit": ["url", "s", "path"],
    "human_to_bytes": ["size", "nums", "'1.5G'", "'2KB'", "'10b'"], "human_readable": ["n", "big", "f", "num", "1048576"], "to_datetime": ["dt", "s"],
    "extract": ["'k'", "0", "'a'", "n"], "subelements": ["ld", "dn", "d"], "rekey_on_member": ["ld", "dn", "d"], "groupby": ["ld"],
    "strftime": ["'%Y-%m-%d'", "'%H %M %S'"], "splitext": ["path", "s"], "relpath": ["path", "'/a'"], "version": ["ver", "ver2", "'1.0'", "'2.0-1'"],
    "win_basename": ["win", "path"], "win_dirname": ["win", "path"], "win_splitdrive": ["win", "path"], "log": ["n", "f", "10"], "root": ["n", "9", "f"],
    "pow": ["n", "f", "big"], "xmlattr": ["d", "ed", "dn"], "sum": ["l", "lf", "ld"], "urlencode": ["d", "s", "url", "uni"],
    "commonpath": ["['/a/b', '/a/c']", "['a', '/b']", "ls"], "path_join": ["['a', '/b']", "ls", "s"], "product": ["l", "ls"], "permutations": ["l", "ls"],
    "combinations": ["l", "ls", "s"], "flatten": ["ll", "lm", "l"], "unique": ["lm", "ls", "l", "s"], "map": ["ld", "ls", "l", "ll"], "selectattr": ["ld"],
    "rejectattr": ["ld"], "select": ["l", "ls", "lm"], "reject": ["l", "ls", "lm"], "dictsort": ["d", "dn"], "sort": ["ls", "l", "ld"],
    "regex_search": ["S", "s", "multi"], "regex_replace": ["S", "s", "multi", "uni"], "regex_findall": ["S", "s", "multi"], "split": ["S", "lt", "sp"],
}
RESULTS = ["{'changed': true}", "{'failed': true}", "{'skipped': true}", "{'rc': 1}", "{'results': [{'changed': true}]}", "{'results': []}",
           "{'finished': 1}", "{'started': 0}", "{'unreachable': true}", "d"]
RESULT_TESTS = {"changed", "change", "failed", "failure", "skipped", "skip", "success", "succeeded", "successful", "started", "finished",
                "reachable", "unreachable"}
TEST_NAMES = ["'defined'", "'none'", "'string'", "'odd'", "'match'", "'search'", "'in'", "'eq'", "'gt'", "'contains'", "'truthy'", "'sameas'", "'nope'"]
FILTER_NAMES = ["'upper'", "'length'", "'regex_replace'", "'default'", "'to_json'", "'bool'", "'first'", "'nope'", "'combine'", "'basename'", "'b64encode'"]
# Chance, salts, files and clocks; parameters that only Python can fill (hooks of json); types that holdfast checks earlier
# than Python does (urlize, tojson, int).
LEFT_OUT = {"random", "shuffle", "lipsum", "vault", "unvault", "password_hash", "realpath", "from_json", "urlize", "tojson", "fileglob", "to_uuid", "strftime",
            "relpath", "comment"}
TESTS_LEFT_OUT = {"skipped", "skip", "failed", "failure", "exists", "file", "is_file", "directory", "is_dir", "same_file", "is_same_file"}
GROWING = {"permutations", "combinations", "product"}  # of a long text they would fill the memory
SETS = {"union", "intersect", "difference", "symmetric_difference"}


def plugins():
    """({filter name: function}, {test name: function}) of Jinja2 and the ansible-core that is installed."""
    from ansible.plugins.loader import filter_loader, test_loader
    from jinja2.filters import FILTERS
    from jinja2.tests import TESTS
    filters, tests = dict(FILTERS), dict(TESTS)
    filters.update({p.ansible_name.split(".")[-1]: p.j2_function for p in filter_loader.all()})
    tests.update({p.ansible_name.split(".")[-1]: p.j2_function for p in test_loader.all()})
    return filters, {name: f for name, f in tests.items() if name.isidentifier()}


def parameters(function):
    """Those a template can give, or None where Python does not say."""
    from jinja2.utils import _PassArg
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    return found[2 if _PassArg.from_obj(function) is not None else 1:]


class Calls:
    def __init__(self, seed, filters, tests):
        self.random, self.filters, self.tests = random.Random(seed), filters, tests
        self.filter_names = sorted(set(filters) - LEFT_OUT)
        self.test_names = sorted(set(tests) - TESTS_LEFT_OUT)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def argument(self, name):
        return self.random.choice(ARGUMENTS[name] if name in ARGUMENTS and self.chance(85) else POOL)

    def arguments(self, name, function):
        found, given, keyword = parameters(function), [], False
        if found is None:
            return self.random.choice(["", "(l)", "('a')"])
        for p in found:
            if p.kind == p.VAR_POSITIONAL:
                given += [] if keyword else [self.argument(p.name) for _ in range(self.random.choice([0, 0, 1, 1, 2]))]
            elif p.kind == p.VAR_KEYWORD:
                more = [f"{k}={self.argument(k)}" for k in KEYWORDS.get(name, []) if self.chance(35)]
                given, keyword = given + more, keyword or bool(more)
            elif p.default is not p.empty and self.chance(55):
                keyword = True
            elif p.default is p.empty and self.chance(4):
                continue
            else:
                keyword = keyword or p.kind == p.KEYWORD_ONLY or self.chance(20)
                given.append(f"{p.name}={self.argument(p.name)}" if keyword else self.argument(p.name))
        return "(" + ", ".join(given) + ")" if given else ""

    def source(self, name):
        return self.random.choice(INPUTS[name] if name in GROWING or (name in INPUTS and self.chance(80)) else POOL + ["big"])

    def filter(self):
        name = self.random.choice(self.filter_names)
        pick, some = self.random.choice, [self.random.choice(POOL) for _ in range(self.random.choice([0, 0, 1]))]
        if name in ("select", "reject"):
            call = "(" + ", ".join([pick(TEST_NAMES)] + some) + ")"
        elif name in ("selectattr", "rejectattr"):
            call = "(" + ", ".join([self.argument("attribute"), pick(TEST_NAMES)] + some) + ")"
        elif name == "map" and self.chance(70):
            call = "(" + ", ".join([pick(FILTER_NAMES)] + some) + ")"
        else:
            call = self.arguments(name, self.filters[name])
        return f"{self.source(name)} | {name}{call}"

    def test(self):
        name = self.random.choice(self.test_names)
        source = self.random.choice(RESULTS) if name in RESULT_TESTS and self.chance(70) else self.source(name)
        return f"{source} is {name}{self.arguments(name, self.tests[name])}"

    def template(self):
        text = self.filter() if self.chance(75) else self.test()
        return self.random.choice(["{{ %s }}", "{{ [%s] }}", "{{ [%s] }}", "a{{ %s }}b", "{{ (%s) | type_debug }}", "{{ [%s] | to_json }}"]) % text

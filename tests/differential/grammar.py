"""Random Jinja2 templates and their variables, from a grammar and a seed: the same seed, the same cases.

The grammar leans towards what goes wrong in a second implementation: mixed types, precedence, whitespace control, loops
in loops, undefined names, filters on unexpected input. It never writes what Python itself answers with an address or in
hash order (generators printed, sets).
"""
import random

VARIABLES = {
    "i": 7, "n": -3, "z": 0, "big": 2 ** 70, "f": 2.5, "g": -0.1, "t": True, "no": False, "nothing": None,
    "s": "Hello World", "e": "", "u": "naïve Straße ✓", "d10": "10", "html": "<a href='x'>&</a>", "lines": "one\ntwo\n\nthree",
    "l": [3, 1, 2], "names": ["bob", "Alice", "carol", "alice"], "mixed": [1, "1", 1.0, True, None], "empty": [],
    "nested": [[1, 2], [3, [4, 5]]], "d": {"a": 1, "b": "two", "c": [1, 2]}, "ed": {},
    "users": [{"name": "bob", "age": 30, "tags": ["x"]}, {"name": "Ann", "age": 25, "tags": []},
              {"name": "cyd", "age": 30, "tags": ["y", "x"]}],
}
NAMES = list(VARIABLES) + ["missing"]
NUMBERS = ["0", "1", "2", "3", "10", "255", "1_000", "0x1F", "0b101", "1.5", "0.1", "1e3", "2.50", "12345678901234567890"]
STRINGS = ["''", "'a'", "'abc'", '"x y"', "'%s'", "'1'", "'10'", "'3.9'", "'A-b_c'", "'é✓'", "'\\n'", "'it\\'s'", '"q\\"q"']
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~"]
COMPARE = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "iterable",
         "even", "odd", "divisibleby 2", "true", "false", "lower", "upper", "sameas none", "eq 1", "gt 2", "in [1, 2]",
         "callable", "filter", "equalto 'a'", "ne(1)"]
# Only of what can be sliced: whether the slice of a literal number is an error depends on what Jinja2 folds while compiling.
SLICED = ["l", "names", "s", "u", "nested", "e", "empty", "users", "'abc'", "(1, 2, 3)"]
SLICES = ["[1:]", "[:2]", "[::-1]", "[::2]", "[-2:]", "[1:2]", "[5:]", "[i:]", "[:n]"]
# filter and argument text; # stands for an expression
FILTERS = ["abs", "upper", "lower", "capitalize", "title", "trim", "length", "string", "int", "int(5)", "float", "float(1.5)",
           "default('x')", "default('x', true)", "d(#)", "first", "last", "list", "join", "join('-')", "join(', ', attribute='name')",
           "sort", "sort(reverse=true)", "sort(attribute='age')", "unique | list", "reverse | list", "min", "max", "sum",
           "sum(start=10)", "round", "round(1)", "round(2, 'floor')", "round(0, 'ceil')", "replace('a', 'o')", "replace('o', 'O', 1)",
           "escape", "e", "forceescape", "safe", "striptags", "wordcount", "wordwrap(5)", "center(12)", "indent(2)", "indent(2, true)",
           "truncate(5)", "truncate(7, true, '..')", "urlencode", "xmlattr", "tojson", "tojson(indent=2)", "pprint", "filesizeformat",
           "filesizeformat(true)", "format(1)", "batch(2) | list", "batch(2, '-') | list", "slice(2) | list", "slice(3, 'x') | list",
           "select | list", "reject('none') | list", "select('string') | list", "reject('odd') | list", "map('upper') | list",
           "map(attribute='name') | list", "map(attribute='zip', default='-') | list", "selectattr('age', 'gt', 26) | list",
           "rejectattr('tags') | map(attribute='name') | list", "groupby('age') | list", "dictsort", "dictsort(by='value')", "items | list",
           "attr('upper')", "random is defined", "map('int') | list", "map('string') | join('|')", "length is divisibleby 2",
           "sort(case_sensitive=true)", "unique(case_sensitive=true) | list", "unique(attribute='age') | list", "max(attribute='age')", "center(width=9)", "indent(width=3, blank=true)", "truncate(length=6, end='~', leeway=0)",
           "round(precision=1, method='ceil')", "join(d='/')", "sort(attribute='name', case_sensitive=true) | map(attribute='name') | list",
           "groupby('tags', default=0) | list", "urlize", "wordwrap(width=4, break_long_words=false)", "batch(linecount=2, fill_with=0) | list",
           "dictsort(reverse=true)", "sum(attribute='age')", "unique(attribute='name') | map(attribute='age') | list", "replace(old='l', new='1', count=1)",
           "default(value=1, boolean=true)", "float(default=2.5)", "int(default=-1, base=16)", "min(attribute='name')"]
METHODS = [".upper()", ".lower()", ".split()", ".split('o')", ".split(',', 1)", ".strip('H')", ".replace('l', 'L')", ".startswith('H')",
           ".endswith('d')", ".find('o')", ".count('l')", ".title()", ".zfill(5)", ".isdigit()", ".join(['a', 'b'])", ".format(1, a=2)",
           ".splitlines()", ".rjust(14, '*')", ".partition(' ')", ".keys() | list", ".values() | list", ".items() | list", ".get('a')",
           ".get('q', 9)", ".a", ".b", "['a']", ".missing", "[0]", "[-1]", "[10]", ".index(1)",
           ".copy()", ".swapcase()", ".encode()", ".casefold()", ".expandtabs()", ".rsplit(' ', 1)", ".removeprefix('He')"]


class Grammar:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.locals = []

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    # --- expressions ----------------------------------------------------------------------------------------------
    def atom(self, depth):
        kind = self.random.randrange(12)
        if kind < 5:
            return self.pick(NAMES + self.locals * 3)
        if kind < 7:
            return self.pick(NUMBERS)
        if kind < 9:
            return self.pick(STRINGS)
        if kind == 9:
            return self.pick(["true", "false", "none", "True", "None"])
        if depth <= 0:
            return self.pick(["[]", "{}", "()", "[1, 'a']", "{'k': 1}", "(1,)", "(range(4) | list)"])
        items = [self.expression(depth - 1) for _ in range(self.random.randrange(4))]
        if kind == 10:
            return "[" + ", ".join(items) + "]"
        return "{" + ", ".join(f"'{k}': {v}" for k, v in zip("abc", items)) + "}"

    def expression(self, depth):
        if depth <= 0:
            return self.atom(0)
        kind = self.random.randrange(20)
        if kind < 4:
            return self.atom(depth)
        if kind < 7:
            operator = self.pick(BINARY)  # powers of powers would keep both sides busy for years
            right = self.pick(["0", "2", "3", "0.5", "-1", "i", "s"]) if operator == "**" else self.expression(depth - 1)
            return f"{self.expression(depth - 1)} {operator} {right}"
        if kind < 9:
            chain = f"{self.expression(depth - 1)} {self.pick(COMPARE)} {self.expression(depth - 1)}"
            return chain + (f" {self.pick(COMPARE)} {self.atom(0)}" if self.chance(15) else "")
        if kind < 11:
            return f"{self.expression(depth - 1)} {self.pick(['and', 'or'])} {self.expression(depth - 1)}"
        if kind == 11:
            return f"{self.pick(['not ', '-', '+'])}{self.expression(depth - 1)}"
        if kind == 12:
            other = f" else {self.expression(depth - 1)}" if self.chance(80) else ""
            return f"({self.expression(depth - 1)} if {self.expression(depth - 1)}{other})"
        if kind < 16:
            return f"{self.operand(depth)} | {self.pick(FILTERS).replace('#', self.atom(0))}"
        if kind == 16:
            return f"{self.operand(depth)} is {self.pick(['', '', 'not '])}{self.pick(TESTS)}"
        if kind < 19:
            if self.chance(15):
                return self.pick(SLICED) + self.pick(SLICES)
            return f"{self.operand(depth)}{self.pick(METHODS)}"
        return f"({self.expression(depth - 1)})"

    def operand(self, depth):
        return self.atom(0) if self.chance(60) else f"({self.expression(depth - 1)})"

    # --- statements -----------------------------------------------------------------------------------------------
    def text(self):
        return self.pick(["", " ", "\n", "a", " b ", "x\n", "  y\n", "\n\n", "\t", "é"])

    def tag(self, inside):
        left, right = self.pick(["", "", "", "-", "+"]), self.pick(["", "", "", "-", "+"])
        return "{%" + left + " " + inside + " " + right + "%}"

    def output(self, depth):
        left, right = self.pick(["", "", "", "-"]), self.pick(["", "", "", "-"])
        return "{{" + left + " " + self.expression(depth) + " " + right + "}}"

    def with_local(self, names, depth):
        self.locals += names
        body = self.body(depth)
        del self.locals[len(self.locals) - len(names):]
        return body

    def loop(self, depth):
        source = self.pick(["l", "names", "users", "range(3)", "d", "nested", "empty", "'ab'", "d.items()", "mixed"])
        names = ["k", "v"] if source == "d.items()" or (source == "nested" and self.chance(50)) else ["x"]
        condition = self.pick(["", "", " if " + self.expression(1)]) if len(names) == 1 else ""
        head = self.tag(f"for {', '.join(names)} in {source}{condition}")
        extra = self.pick(["", "{{ loop.index }}", "{{ loop.last }}", "{{ loop.cycle('a', 'b') }}", "{{ loop.revindex0 }}",
                           "{{ loop.changed(loop.index // 2) }}", "{{ loop.previtem is defined }}", "{{ loop.length }}"])
        other = self.tag("else") + "none" if self.chance(30) else ""
        return head + extra + self.with_local(names, depth - 1) + other + self.tag("endfor")

    def statement(self, depth):
        kind = self.random.randrange(12)
        if kind >= 9:
            return self.rarer(depth)
        if kind < 2:
            middle = self.tag("elif " + self.expression(1)) + self.text() if self.chance(30) else ""
            other = self.tag("else") + self.body(depth - 1) if self.chance(50) else ""
            return self.tag("if " + self.expression(2)) + self.body(depth - 1) + middle + other + self.tag("endif")
        if kind < 5:
            return self.loop(depth)
        if kind == 5:
            name = self.pick(["a1", "a2"])
            setting = self.tag(f"set {name} = {self.expression(2)}")
            self.locals.append(name)
            return setting
        if kind == 6:
            return self.tag(f"with w = {self.expression(1)}") + self.with_local(["w"], depth - 1) + self.tag("endwith")
        if kind == 7:
            name = self.pick(["m1", "m2"])
            body = self.with_local(["p", "q"], depth - 1)
            call = "{{ " + f"{name}({self.atom(0)}, q={self.atom(0)})" + " }}"
            return self.tag(f"macro {name}(p, q=2)") + body + self.tag("endmacro") + call
        block = self.pick(["{# note #}", "{#- note -#}", "{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {% y %} {%- endraw -%}"])
        if self.chance(50):
            return block
        return self.tag("filter " + self.pick(["upper", "trim", "title", "indent(2)"])) + self.body(depth - 1) + self.tag("endfilter")

    def rarer(self, depth):
        """Calls with a body, namespaces, captured text, loops that call themselves, macros with any arguments."""
        kind = self.random.randrange(6)
        if kind == 0:
            macro = self.tag("macro c1(a='d')") + "<{{ a }}|{{ caller(" + self.pick(["", "1", "a"]) + ") }}>" + self.tag("endmacro")
            head = self.pick(["call c1()", "call c1(2)", "call(v) c1()", "call(v=7) c1(a=l)"])
            return macro + self.tag(head) + self.with_local(["v"] if "(v" in head else [], depth - 1) + self.tag("endcall")
        if kind == 1:
            inside = self.tag(f"set ns.a = {self.pick(['ns.a + 1', 'loop.index', 'ns.b'])}")
            return (self.tag(f"set ns = namespace(a={self.atom(0)}, b=2)") + self.tag("for x in l") + inside + self.tag("endfor") +
                    "{{ ns.a }}{{ ns.c is defined }}")
        if kind == 2:
            name, how = self.pick(["a1", "a2"]), self.pick(["", "", " | upper", " | trim", " | replace('a', 'b')", " | indent(1, first=true)"])
            captured = self.tag(f"set {name}{how}") + self.body(depth - 1) + self.tag("endset")
            self.locals.append(name)
            return captured + "{{ " + name + " | length }}"
        if kind == 3:
            return (self.tag("for x in nested recursive") + "{{ loop.depth }}{{ loop.depth0 }}:" +
                    self.pick(["{{ x if x is number else loop(x) }}", "{{ loop(x) if x is iterable else x }}", "{{ x }}"]) +
                    self.pick(["", ",", "{{ loop.first }}"]) + self.tag("endfor"))
        if kind == 4:
            call = self.pick(["v1(1, 2, z=3)", "v1()", "v1(*l)", "v1(**d)", "v1(1, y=[2])", "v1(x=1)", "v1(*'ab', **{'q': 1})"])
            return self.tag("macro v1(x)") + "{{ x }}{{ varargs }}{{ kwargs }}{{ v1.name }}{{ v1.arguments }}" + self.tag("endmacro") + "{{ " + call + " }}"
        return self.tag("for a, b in " + self.pick(["d.items()", "d | dictsort", "l | batch(2)", "users | groupby('age')", "[(1, 2), (3, 4)]"])) + \
            "{{ a }}={{ b }};{{ loop.revindex }}{{ loop.nextitem is defined }}" + self.tag("endfor")

    def body(self, depth):
        pieces = []
        for _ in range(self.random.randrange(1, 4)):
            pieces.append(self.text())
            pieces.append(self.output(2) if depth <= 0 or self.chance(60) else self.statement(depth))
        return "".join(pieces) + self.text()

    # --- templates that use each other ----------------------------------------------------------------------------
    def part(self, name):
        """Source of a template that another one includes, imports or extends."""
        if name == "part":
            return self.body(1)
        if name == "macros":
            return (self.tag("macro field(a, b='-')") + "[{{ a }}:{{ b }}:{{ i is defined }}]" + self.tag("endmacro") + self.text() +
                    self.tag(f"set exported = {self.atom(0)}") + self.tag("set _hidden = 1") + "{{ s }}" + self.text())
        if name == "middle":
            return (self.tag("extends 'base'") + self.tag("block title") + "m{{ super() }}" + self.tag("endblock") +
                    (self.tag("block extra") + "more" + self.tag("endblock") if self.chance(50) else ""))
        return ("<" + self.tag("block title") + "base {{ i }}" + self.tag("endblock") + ">" + self.text() + self.tag(self.pick(["block body scoped", "block body"])) +
                self.output(1) + self.tag("block extra") + "e" + self.tag("endblock") + self.tag("endblock") +
                self.pick(["", "{{ self.title() }}", "{% for x in l %}{% block row scoped %}{{ x }}{% endblock %}{% endfor %}",
                           "{% for x in l %}{% block row %}{{ x is defined }}{% endblock %}{% endfor %}"]))

    def include(self):
        what = self.pick(["'part'", "'nope'", "['nope', 'part']", "'par' ~ 't'", "missing", "'macros'", "[]", "('nope', 'also')"])
        how = self.pick(["", "", " ignore missing", " ignore missing with context", " without context", " with context"])
        return self.tag(f"include {what}{how}")

    def imports(self):
        return self.pick([
            self.tag("import 'macros' as m" + self.pick(["", " with context", " without context"])) + "{{ m.field(i) }}{{ m.exported }}{{ m._hidden is defined }}{{ m.nope }}",
            self.tag("from 'macros' import field" + self.pick(["", " as f2", ", exported", ", nope", " with context"])) + self.pick(["{{ field(1, b=2) }}", "{{ f2(s) }}", "{{ exported }}{{ nope is defined }}"]),
            self.tag("import 'nope' as n"), self.tag("from 'macros' import _hidden") + "{{ _hidden }}", self.tag("import 'part' as p") + "{{ p }}"])

    def extending(self):
        blocks = []
        for name in ("title", "body", "extra", "row"):
            if self.chance(55):
                inside = self.pick(["{{ super() }}", "x", "{{ super.super() }}", "{{ self.title() }}", "{{ x }}", "{{ a1 }}", self.include(), self.body(0)])
                blocks.append(self.tag(self.pick([f"block {name}", f"block {name}", f"block {name} scoped", f"block {name} required"])) + inside +
                              self.tag(self.pick(["endblock", f"endblock {name}"])))
        before = self.pick(["", "", "text", self.tag("set a1 = 5"), self.tag("macro field(a)") + "{{ a }}" + self.tag("endmacro")])
        parent = self.pick(["'base'", "'base'", "'middle'", "'middle'", "'nope'", "'ba' ~ 'se'", "'base' if t else 'nope'"])
        return before + self.tag(f"extends {parent}") + self.text() + "".join(blocks) + self.pick(["", "after", self.tag("set a1 = 6")])

    def family(self):
        """(template, {name: source})"""
        sources = {name: self.part(name) for name in ("part", "macros", "middle", "base")}
        kind = self.random.randrange(3)
        main = self.extending() if kind == 0 else self.text() + self.pick([self.include, self.imports])() + self.body(1)
        if kind == 2:
            main = self.tag("for x in l") + self.include() + "{{ loop.index }}" + self.tag("endfor") + self.imports()
        return main, sources

    def broken(self):
        """Text with one mistake on a line that is not the first."""
        wrong = self.pick(["{{ 1 + }}", "{{ [1, }}", "{% if %}x{% endif %}", "{% for %}{% endfor %}", "{% nope %}", "{{ a b }}", "{{ 'x }}", "{% endif %}", "{{ x | nope }}",
                           "{{ x is nope }}", "{% set %}", "{% if t %}", "{{ (1 }}", "{{ 007 }}", "{% block a %}{% endblock b %}", "{% macro %}{% endmacro %}", "{{ 1..x }}",
                           "{% set 1 = 2 %}", "{# open", "{% raw %}", "{{ f(a=1, 2) }}", "{{ 1 $ 2 }}", "{% else %}", "{% include %}", "{% from 'x' %}", "{{ {1: } }}",
                           "{{ 1 // z }}", "{{ missing.x }}", "{{ s + 1 }}", "{{ nothing() }}", "{{ d.a.b.c }}", "{{ l | sum('x') }}", "{% for a, b in l %}{% endfor %}",
                           "{% include 'nope' %}", "{{ s | int(base='x') }}", "{{ i < s }}", "{{ mixed | sort }}", "{{ range(3, z, 0) | list }}"])
        lines = [self.pick(["", "a", "{{ i }}", "{# two\nlines #}", "{% if t %}y{% endif %}", "{{\n s }}", "é✓\U0001f600", "{%- set q = 1 %}", "{% raw %}\n{{{% endraw %}", "\r"])
                 for _ in range(self.random.randrange(6))]
        return "\n".join(lines) + "\n" * (len(lines) > 0) + self.pick(["", "  ", "{{ s }} "]) + wrong + self.pick(["", "\nend", "\n{{ i }}\n"])

    def odd(self):
        """Characters that are more than letters; trees; the options that move lines about."""
        odd = self.pick(["'e\u0301'", "'\u1e9e'", "'\ufb01n'", "'\u0130i'", "'\U0001f600'", "'a\u00a0b'", "'\u2028x'", "'\u05d0'", "'\u0661'", "'\u00bd'", "'\u01c4'", "'\ud55c'", "'ǅ'"])
        how = self.pick(["upper", "lower", "title", "capitalize", "length", "reverse", "list", "urlencode", "tojson", "wordcount", "truncate(2)", "center(9)", "trim",
                         "int(-1)", "replace('i', 'x')", "escape", "string", "first", "join('.')", "indent(3, true)", "pprint", "sort | list", "wordwrap(1)", "float(0.5)"])
        call = self.pick([".isdigit()", ".isnumeric()", ".isalpha()", ".isupper()", ".istitle()", ".isspace()", ".isidentifier()", ".casefold()", ".swapcase()", ".upper()",
                          ".encode()", ".split()", ".zfill(4)", ".isprintable()", ".isdecimal()", ".isalnum()", ".title()", ".capitalize()", ".center(5, '☃')"])
        shown = self.pick(["{{ %s | %s }}" % (odd, how), "{{ %s%s }}" % (odd, call), "{{ [%s, {%s: 1}] }}" % (odd, odd), "{{ %s ~ %s < u }}" % (odd, odd)])
        tree = self.tag("for x in nested recursive") + self.pick(["{{ loop(x) if x is iterable else x }}", "{{ loop.depth }}{{ loop(x) if x is sequence and x | length > 1 else x }}",
                                                                 "{% if x is iterable %}({{ loop(x) }}){% else %}{{ loop.index }}{% endif %}"]) + self.tag("else") + "none" + self.tag("endfor")
        return self.pick([shown, shown + self.text() + tree, tree])

    def relined(self):
        """(template, options): other delimiters, newlines and trimming."""
        options = {name: True for name in ("trim_blocks", "lstrip_blocks", "keep_trailing_newline") if self.chance(50)}
        if self.chance(40):
            options["newline_sequence"] = self.pick(["\r\n", "\r", "\n"])
        template = "".join(self.text() + self.pick(["\n", "\n\n", "\r\n", "  ", ""]) + self.body(1) for _ in range(2))
        if self.chance(30):
            options.update(block_start_string="<%", block_end_string="%>", variable_start_string="${", variable_end_string="}", comment_start_string="<#", comment_end_string="#>")
            for old, new in (("{%", "<%"), ("%}", "%>"), ("{{", "${"), ("}}", "}"), ("{#", "<#"), ("#}", "#>")):
                template = template.replace(old, new)
        return template, options

    def more(self):
        """(template, options, {name: source}, whether jinja2's line is wanted): what case() does not write."""
        self.locals = []
        kind = self.random.randrange(8)
        if kind < 3:
            return (*self.family_options(), False)
        if kind < 5:
            return self.broken(), {}, {"part": "p"}, True
        if kind == 5:
            return (*self.relined(), {}, False)
        return self.odd(), {}, {}, False

    def family_options(self):
        options = {name: True for name in ("trim_blocks", "lstrip_blocks", "keep_trailing_newline") if self.chance(20)}
        if self.chance(30):
            options["undefined"] = self.pick(["strict", "chainable"])
        template, sources = self.family()
        return template, options, sources

    def case(self):
        """(template, options)"""
        self.locals = []
        options = {name: True for name in ("trim_blocks", "lstrip_blocks", "keep_trailing_newline") if self.chance(20)}
        if self.chance(60):
            return "{{ " + self.expression(3) + " }}", options
        return self.body(2), options

"""What is undefined, wherever a playbook may put it: behind a filter, among arguments, inside lists, as a key. Ansible's own Templar
and holdfast give the same value, or both refuse."""
import json
import warnings

import pytest

from test_ansible_values import ask, same

VARS = {"d": {"k1": "v1"}, "omit": "OMIT"}
EXPRESSIONS = [  # u is nowhere defined
    "d.get('k', u) | default('x')",
    "d.get('k', u) is defined",
    "[u, 1] | select('defined') | list",
    "[u, 1] | reject('undefined') | list",
    "[u] | length",
    "{'x': u}.x is defined",
    "{'x': u}.x | default('y')",
    "{'x': u} | length",
    "[u] | first | default('z')",
    "[u, 2] | last",
    "(u, 1) | list | length",
    "[u, 1][0] is defined",
    "[u, 1][1]",
    "dict(a=u) | length",
    "dict(a=u).a | default('q')",
    "[1, u] | map('default', 'n') | list",
    "[1, 2] | map('default', u) | list",
    "1 | default(u)",
    "u2 | default(u) | default('w')",
    "u2 | default(u)",
    "'a' | mandatory(u)",
    "['a'] | join(u)",
    "[1] | random(seed=u)",
    "[[1],[2,3]] | zip_longest(fillvalue=u) | list",
    "[1] | zip([2]) | map('default', u) | list",
    "d | combine(u)",
    "[1] | union(u)",
    "'abc' | regex_replace('a', u)",
    "'abc' | replace('x', u)",
    "u == 1",
    "u is none",
    "u is sameas none",
    "u in [1]",
    "1 in u",
    "not u",
    "u and 1",
    "true or u",
    "false and u",
    "u or 1",
    "range(u)",
    "'%s' | format(u)",
    "'%s' % u",
    "u ~ 'a'",
    "u | string",
    "u | bool",
    "u | int",
    "u | list",
    "u | length",
    "u | to_json",
    "[u] | to_json",
    "{'a': u} | to_json",
    "u | type_debug",
    "u.a is defined",
    "u.a.b | default('c')",
    "u['a'] | default('c')",
    "(u | default({})).a | default('c')",
    "d.x.y is defined",
    "d.x.y | default('c')",
    "d['x']['y'] | default('c')",
    "d.x.y.z | default('c')",
    "a if u is defined else 'no'",
    "u if u is defined else 'no'",
    "u if false else 'no'",
    "'yes' if true else u",
    "'yes' if u else 'no'",
    "[1, 2] | map(attribute='x') | list",
    "[d] | map(attribute='x') | list",
    "[d] | map(attribute='x') | select('defined') | list",
    "[d] | map(attribute='x', default=u) | list",
    "[d] | map(attribute='x', default='q') | list",
    "[d] | selectattr('x', 'defined') | list",
    "[d] | selectattr('x') | list",
    "[d] | rejectattr('x', 'undefined') | list",
    "[d] | selectattr('x', 'equalto', 1) | list",
    "[d] | selectattr('k1', 'equalto', u) | list",
    "[d] | groupby('x') | list",
    "[d] | sum(attribute='x')",
    "[d] | sort(attribute='x')",
    "[d] | unique(attribute='x')",
    "[d] | max(attribute='x')",
    "[1] | sum(start=u)",
    "[1, u] | sum",
    "[u] | sort",
    "[u] | unique | list",
    "[u] | reverse | list | length",
    "[u] | batch(2) | list | length",
    "[u] + [1] | length",
    "([u] + [1]) | select('defined') | list",
    "d | dict2items | map(attribute='nokey') | list",
    "d | ternary(u, 1) | default('t')",
    "[] | ternary(u, 1)",
    "none | ternary(1, 2, u) | default('nn')",
    "u | ternary(1, 2)",
    "lookup('vars', 'u', default='vv')",
    "lookup('dict', u)",
    "query('items', u)",
    "lookup('env', u)",
    "u | default(omit)",
    "'x' is match(u)",
    "'x' is in u",
    "'x' in [u, 'x']",
    "u is match('x')",
    "u is mapping",
    "u is string",
    "u is iterable",
    "u is sequence",
    "u is number",
    "u is callable",
    "u is defined and u.x",
    "namespace(a=u).a is defined",
    "cycler(u).next() | default('c')",
    "[1,2,3][u]",
    "[1,2,3][:u]",
    "d[u] | default('k')",
    "d[u] is defined",
    "'a,b'.split(u)",
    "'a'.join([u])",
    "'a'.upper(u)",
    "[3,4].index(u)",
    "d.get(u, 'z')",
    "d.update({'z': u})",
    "[].append(u)",
    "'{}'.format(u)",
    "u | hash('md5')",
    "'a' | hash(u)",
    "u | from_yaml",
    "u | basename",
    "u | quote",
    "u | b64encode",
    "u | urlsplit('host')",
    "u | ipaddr",
    "u | difference([1])",
    "[1] | difference(u)",
    "u | items2dict",
    "u | dict2items",
    "u | subelements('x')",
    "[d] | subelements('x', skip_missing=u)",
    "[d] | items2dict(key_name='k1', value_name='x')",
    "u | to_nice_yaml",
    "[u, 1] | to_yaml",
    "u | trim",
    "u | upper",
    "u | first",
    "[u][0] | upper",
    "u | random",
    "u | min",
    "u | batch(1) | list",
    "u | map('upper') | list",
    "u | select | list",
    "u | selectattr('a') | list",
    "u | join(',')",
    "[u, 'b'] | join(',')",
    "['a', u | default('')] | join(',')",
    "['a', u | default(omit)] | length",
    "u | replace('a', 'b')",
    "u | splitext",
    "u | realpath",
    "u | comment",
    "u | mandatory",
    "u | dictsort",
    "u | items | list",
    "u | urlencode",
    "u | tojson",
    "u | xmlattr",
    "{'a': u} | xmlattr",
    "u | attr('x') | default('c')",
    "d | attr('x') | default('c')",
    "u | extract([1])",
    "0 | extract([u]) | default('c')",
    "'nope' | extract(d) | default('c')",
    "'nope' | extract(d)",
    "5 | extract([1])",
]


@pytest.fixture(scope="module")
def theirs():
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    def answer(text):
        try:
            value = Templar(loader=DataLoader(), variables=VARS).template("{{ %s }}" % text)
        except Exception:
            return None
        # An undefined result raises where it is used.
        return None if "Undefined" in type(value).__name__ else ("value", json.loads(json.dumps(value, default=str)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [answer(text) for text in EXPRESSIONS]


@pytest.fixture(scope="module")
def ours(holdfast):
    return ask(holdfast, [{"id": i, "engine": "ansible", "template": "{{ %s }}" % text, "vars": VARS} for i, text in enumerate(EXPRESSIONS)])


@pytest.mark.parametrize("i", range(len(EXPRESSIONS)), ids=EXPRESSIONS)
def test_same_as_ansible(i, theirs, ours):
    want, got = theirs[i], ours[i]
    if want is None:
        assert "error" in got, got
    else:
        assert "error" not in got and same(got["result"], want[1]), (want, got)

"""Random calls of the filters and tests of ansible.utils, ansible.netcommon and community.general that holdfast has: from a seed,
with arguments that make sense mostly, and such that do not."""
import random

VARS = {
    "n": 5, "pairs": [["a", 2], ["b", 4]], "s": "text", "e": "", "nil": None, "t": True, "d": {"k": "v", "n": 1}, "ed": {}, "l": [3, 1, 2], "el": [], "f": 1.5,
    "dn": {"a": {"b": [1, {"c": 2}]}, "l": [1, 2], "x-y": {"1": None}},
    "ld": [{"name": "bob", "age": 30}, {"name": "Ann", "age": 25}, {"name": "cyd", "age": 30, "tags": ["x"]}],
    "le": [{"name": "bob", "size": 1}, {"name": "dan", "size": 2, "tags": ["y"]}],
    "tree": {"name": "r", "n": 0, "l": [{"name": "x", "age": 0, "tags": ["a", ""]}, 0, "", [], {"b": {"name": None}}], "deep": {"a": {"n": 1, "name": "y"}, "e": [1, {"c": 3}]}},
    "host": {"routes": [{"to": "10.0.0.0/8", "metric": 5}, {"to": "::/0", "metric": 1}], "up": True, "load": [0.5, 1, -2]},
}
ODD = ["none", "true", "''", "'nope'", "5", "[]", "{}", "1.5", "-1", "missing", "['a', 1]"]
ADDRESSES = ["'192.168.1.7/24'", "'10.0.0.0/8'", "'10.0.0.1'", "'192.168.0.255/24'", "'2001:db8::1/64'", "'fe80::1'", "'::1'", "'::ffff:1.2.3.4'",
             "'172.16.5.4/255.255.0.0'", "'8.8.8.8'", "'0.0.0.0/0'", "'169.254.1.1'", "'224.0.0.1'", "'127.0.0.1/8'", "'192.168.1.0/31'",
             "'192.168.1.1/32'", "'fd00::/8'", "'256.1.1.1'", "'192.168.32.0/24'", "'10.2.3.4/16'", "'192.168.1.0/30'", "'2001:db8::/127'",
             "['10.0.0.1', 'nope', '::1']", "['192.168.1.0/24', '10.0.0.5/8', '2001:db8::/32', 'x']", "167772161", "'10.0.0.0/33'"]
NETWORKS = ["'192.168.0.0/16'", "'10.0.0.0/8'", "'10.0.0.0/30'", "'2001:db8::/32'", "'192.168.1.0/24'", "'0.0.0.0/0'", "'172.16.0.0/255.240.0.0'"]
QUERIES = ["''", "'address'", "'network'", "'netmask'", "'prefix'", "'broadcast'", "'host'", "'net'", "'size'", "'version'", "'host/prefix'", "'cidr'",
           "'subnet'", "'gateway'", "'gw'", "'network/prefix'", "'network_netmask'", "'address/prefix'", "'ip/prefix'", "'ip_netmask'", "'range_usable'",
           "'next_usable'", "'previous_usable'", "'last_usable'", "'first_usable'", "'size_usable'", "'wildcard'", "'hostmask'", "'public'",
           "'private'", "'loopback'", "'multicast'", "'unicast'", "'link-local'", "'6to4'", "'bool'", "'int'", "'revdns'", "'type'", "'hostnet'",
           "'router'", "'network_id'", "'network_wildcard'", "'ipv4'", "'ipv6'", "'wrap'", "'peer'", "'10.0.0.0/8'", "'192.168.0.0/16'", "0", "1",
           "-1", "5", "256", "'1'", "'-2'"]
MACS = ["'00:11:22:33:44:55'", "'0011.2233.4455'", "'001122334455'", "'00-11-22-33-44-55'", "'nope'", "'AA:bb:CC:dd:EE:ff'", "'aabb:ccdd:eeff'",
        "73588229205", "'525400abcdef'"]
SHAPES = ["''", "'bare'", "'bool'", "'int'", "'cisco'", "'eui48'", "'linux'", "'pgsql'", "'postgresql'", "'psql'", "'unix'", "'win'", "'x'"]
ADDRESS_TESTS = ["ip", "ip_address", "ipv4", "ipv4_address", "ipv4_hostmask", "ipv4_netmask", "ipv6", "ipv6_address", "ipv6_ipv4_mapped",
                 "ipv6_sixtofour", "ipv6_teredo", "loopback", "multicast", "private", "public", "reserved", "unspecified"]
JMESPATHS = ["'routes[].to'", "'routes[?metric > `1`].to'", "'routes[0]'", "'routes[*].{t: to, m: metric}'", "'length(routes)'", "'up'", "'load[::-1]'",
             "'max(load)'", "'sort_by(routes, &metric)[].to'", "'routes[-1].to | @'", "'keys(@)'", "'nope.x'", "'routes[?contains(to, `10`)]'", "'[up, load]'",
             "'join(`,`, routes[].to)'", "'sum(load)'", "'routes[?'", "'abs(load[2])'", "'not_null(nope, up)'", "'type(load)'", "'to_string(load)'",
             "'@'", "'routes | [0].to'", "'routes[].metric | [1:]'", "'merge(`{\"a\": 1}`, @).a'", "'map(&to, routes)'", "'values(routes[0])'"]
XML = ["'<r><a>1</a><a>2</a><b x=\"1\">t</b></r>'", "'<r/>'", "'<r> <a/>txt<!-- c --><![CDATA[x<y]]></r>'", "'<a><b>'", "'<?xml version=\"1.0\"?><a>é &amp; b</a>'",
       "'<n:a xmlns:n=\"u\" y=\"2\"><n:b/></n:a>'", "''", "'x'", "'<a>  </a>'", "'<a>x<b/>y</a>'", "'<!DOCTYPE a><a/>'", "'<!DOCTYPE a [<!ENTITY e \"v\">]><a>&e;</a>'"]
KEYS = ["['name']", "['a', 'n']", "'name,age'", "['b', 'na', '.*e']", "['e$', 'e']", "target=['n']", "['l']", "['c', 'tags']"]
KEYS_HOW = ["", ", matching_parameter='starts_with'", ", matching_parameter='ends_with'", ", matching_parameter='regex'", ", matching_parameter='equality'"]
RENAMES = ["[{'before': 'name', 'after': 'x'}]", "[{'before': 'a', 'after': 'n'}, {'before': 'n', 'after': 'b'}]", "[{'before': 'e', 'after': 'k'}]",
           "[{'before': 'n', 'after': 'n'}]", "[{'before': 'tags', 'after': 'a'}]", "[{'after': 'a'}]", "[{'before': 'a'}]"]
TIMES = ["'1d 2h'", "'3600s'", "'1h 30m 5s'", "'2w'", "'1y'", "'500ms'", "'1.5h'", "'-1h'", "'1 hour'", "''", "'x'", "90", "'30m'", "'1mo'", "'1h1h'"]
UNITS = ["milliseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "years"]


class Calls:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.makers = [self.ipaddr] * 6 + [self.addresses] * 6 + [self.networks] * 5 + [self.macs] * 2 + [self.tests] * 4 + [self.utils] * 4 + [self.general] * 6

    def value(self, sensible):
        return self.pick(ODD) if self.random.randrange(100) < 7 else self.pick(sensible)

    def ipaddr(self):
        name = self.pick(["ansible.utils.ipaddr"] * 4 + ["ansible.utils.ipv4", "ansible.utils.ipv6", "ansible.netcommon.ipaddr", "ansible.utils.ipwrap"])
        version = self.pick(["", "", "", ", version=4", ", version=6"]) if name.endswith("ipaddr") else ""
        return f"{self.value(ADDRESSES)} | {name}({self.value(QUERIES)}{version})"

    def addresses(self):
        a = self.value(ADDRESSES)
        return self.pick([
            f"{a} | ansible.utils.ipsubnet({self.pick(['', '20', '26, 0', '26, -1', '16, 2', '24, 300', '64', '64, 1', '8, 0', '32'])})",
            f"{a} | ansible.utils.ipsubnet({self.value(NETWORKS)}{self.pick(['', ', 3', ', 0'])})",
            f"{a} | ansible.utils.ipmath({self.value(['1', '-1', '5', '256', '-300', '0'])})",
            f"{a} | ansible.utils.nthhost({self.value(['', '1', '0', '-1', '5', '300'])})",
            f"{a} | ansible.utils.{self.pick(['next_nth_usable', 'previous_nth_usable'])}({self.value(['1', '2', '0', '-1', '300'])})",
            f"{a} | ansible.utils.cidr_merge({self.pick(['', repr('merge'), repr('span'), repr('x')])})",
            f"{a} | ansible.utils.ip4_hex({self.pick(['', repr(':'), repr('-')])})",
            f"{a} | ansible.utils.slaac({self.value(MACS)})", f"{a} | ansible.utils.usable_range"])

    def networks(self):
        a, b = self.value(NETWORKS), self.value(ADDRESSES)
        return self.pick([f"{a} | ansible.utils.network_in_network({b})", f"{a} | ansible.utils.network_in_usable({b})",
                          f"[{b}, {self.value(ADDRESSES)}] | ansible.utils.reduce_on_network({a})", f"{b} is ansible.utils.in_network({a})",
                          f"{b} is ansible.utils.subnet_of({a})", f"{a} is ansible.utils.supernet_of({b})",
                          f"{b} is ansible.utils.in_any_network([{a}, {self.value(NETWORKS)}])", f"{b} is ansible.utils.in_one_network([{a}, {self.value(NETWORKS)}])"])

    def macs(self):
        m = self.value(MACS)
        return self.pick([f"{m} | ansible.utils.{self.pick(['hwaddr', 'macaddr'])}({self.value(SHAPES)})", f"{m} is ansible.utils.mac"])

    def tests(self):
        return f"{self.value(ADDRESSES)} is ansible.utils.{self.pick(ADDRESS_TESTS)}"

    def utils(self):
        return self.pick([
            f"{self.value(['ld', 'l'])} | ansible.utils.index_of('eq', {self.value(['1', '30', repr('bob')])}{self.pick(['', ', ' + repr('name'), ', ' + repr('age')])})",
            f"{self.value(['ld', 'l'])} | ansible.utils.index_of({self.pick([repr('gt'), repr('lt'), repr('in'), repr('match')])}, {self.value(['1', '30'])}, wantlist=true)",
            f"{self.value(['dn', 'ld', 'd'])} | ansible.utils.to_paths{self.pick(['', '(prepend=' + repr('p') + ')', '(wantlist=true)'])}",
            f"dn | ansible.utils.get_path({self.value([repr('a.b[1].c'), repr('l[0]'), repr('a'), repr('q.r')])})",
            *[f"{self.value(['tree', 'tree.l', 'ld', 'd', 'dn'])} | ansible.utils.{w}_keys({self.value(KEYS)}{self.pick(KEYS_HOW)})" for w in ("keep", "remove")],
            f"{self.value(['tree', 'ld', 'd', 'dn'])} | ansible.utils.replace_keys({self.value(RENAMES)}{self.pick(KEYS_HOW)})",
            f"{self.value(XML)} | ansible.utils.from_xml", f"[{self.value(XML)} | ansible.utils.from_xml('xmltodict')]",
            "{'r': {'a': [1, 2], 'b': {'@x': '1', '#text': 't'}}} | ansible.utils.to_xml"])

    def general(self):
        g = "community.general."
        return self.pick([
            f"{self.value(['host', 'dn', 'ld'])} | {g}json_query({self.value(JMESPATHS)})", f"host | {g}json_query({self.pick(JMESPATHS)})",
            f"{self.value(['pairs', 'd.items()', 'l'])} | {g}dict", f"{self.value(['s', '1'])} | {g}dict_kv({self.value([repr('k')])})",
            f"[1, none] | {g}version_sort", f"['2.0', '1.10.1', '1.9'] | {g}version_sort",
            f"{self.value(TIMES)} | {g}to_{self.pick(UNITS)}", f"{self.value(TIMES)} | {g}to_time_unit({self.value([repr(u) for u in UNITS])})",
            f"{self.value(['el', repr('aab'), '[s, s, e]', 'd'])} | {g}counter",
            f"{self.value(['ld', 'le'])} | {g}groupby_as_dict({self.value([repr('name'), repr('age')])})", f"{self.value(['s', repr('é')])} | {g}crc32",
            f"{self.pick(['[ld, le]', '[le, ld]'])} | {g}lists_mergeby('name'{self.pick(['', ', recursive=true', ', list_merge=' + repr('append')])})",
            f"ld | {g}lists_mergeby(le, {self.value([repr('name')])})",
            f"{self.pick([repr(x) for x in ['a,b', '1', '']])} | {g}from_csv(fieldnames=['x', 'y'])",
            f"'ä ﬁ Å ① 각' | {g}unicode_normalize({self.value([repr(f) for f in ('NFC', 'NFD', 'NFKC', 'NFKD')])})", f"{self.value(['s'])} | {g}unicode_normalize"])

    def template(self):
        text = self.pick(self.makers)()
        return self.pick(["{{ %s }}", "{{ [%s] }}", "{{ [%s] }}", "a{{ %s }}b", "{{ [%s] | to_json }}"]) % text

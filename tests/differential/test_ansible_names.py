"""Every filter, test and lookup of the installed ansible-core is known, and every one that measured roles use is known or
refused for a reason that stands here; what vault, config and url answer is what Ansible answers."""
import base64
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import warnings

import pytest

from places import SHARED
from test_ansible_values import ENV, ask

# Python plugins of a role's or a product's own: holdfast runs no Python.
OWN = {"prometheus_node_exporter_targets", "sensu.sensu_go.package_name", "sensu.sensu_go.backends", "to_ood_regex", "select_repos",
       "mahendrapaipuri.ansible_jupyterhub_hpc.merge_prometheus_config", "to_rpm_repos", "to_rpm_pubs", "to_rpm_distros", "filter_user_params", "warn"}
REFUSED = {"community.crypto.x509_certificate_info": "certificates are not taken apart", "community.general.dig": "no resolver of DNS records is linked",
           "exists": "a test, written as a filter by mistake"}
SETTINGS_APART = {"CONNECTION_FACTS_MODULES", "_INTERPRETER_PYTHON_DISTRO_MAP",  # mappings about other machines
                  "DEFAULT_LOCAL_TMP"}  # Ansible makes a folder and names that
PROBES = {"filter": "{{ false and ('x' | %s) }}", "test": "{{ false and ('x' is %s) }}", "lookup": "{{ lookup('%s') }}"}
UNKNOWN = re.compile(r"No (filter|test) named|lookup plugin \(\S+ not found")


def unknown(holdfast, names):
    """Those of [(kind, name)] that holdfast says it has never heard of."""
    rows = [{"id": f"{kind} {name}", "engine": "ansible", "template": PROBES[kind] % name, "vars": {}} for kind, name in names]
    return {id for id, answer in ask(holdfast, rows).items() if UNKNOWN.search(str(answer))}


def core():
    from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [("filter", p.ansible_name) for p in filter_loader.all()] + [("test", p.ansible_name) for p in test_loader.all()]
        found += [("lookup", "ansible.builtin." + p.__module__.split(".")[-1]) for p in lookup_loader.all(class_only=True)]
    return [(kind, name) for kind, name in found if name.split(".")[-1].isidentifier()]


def test_all_of_ansible_core_is_known(holdfast):
    names = core()
    assert len({n for k, n in names if k == "lookup"}) >= 25 and len(names) > 200
    both = names + [(kind, name.split(".")[-1]) for kind, name in names]
    assert not unknown(holdfast, both)


def measured():
    """Names of the tables in the measurements: filters, tests and lookups that roles use."""
    text = (SHARED / "corpus-usage.md").read_text(encoding="utf-8")
    found = []
    for kind, head in (("filter", "#### Filters"), ("test", "#### Tests"), ("lookup", "#### Lookups")):
        table = text[text.index(head):].split("\n#", 1)[0]
        found += [(kind, name) for name in re.findall(r"^\| `([\w.]+)` \|", table, re.M)]
    return found


@pytest.mark.shared
def test_all_that_roles_use_is_known(holdfast):
    names = measured()
    assert len(names) > 150
    missing = {name.split(" ", 1)[1] for name in unknown(holdfast, names)}
    assert missing - OWN - set(REFUSED) == set()


# --- vault ----------------------------------------------------------------------------------------------------------
VAULT = ["s | vault('a', salt='0123')", "s | vault('a', '0123', 'mine')", "'' | vault('a', salt='x')", "'é☃' | vault('pé', salt='sält')",
         "s | vault('a', salt='x', vault_id='')", "s | vault('a', salt='x', vault_id='default')", "s | vault('', salt='x')",
         "s | vault('a', salt='x', vaultid='old')", "s | vault('a', salt='x', vault_id='new', vaultid='old')", "s | vault('a', salt=7)",
         "s | vault('a', salt='')", "5 | vault('a', salt='x')", "s | vault(5, salt='x')", "s | vault", "l | vault('a')", "none | vault('a')",
         "missing | vault('a')", "s | vault(missing)", "s | vault('a', salt='x') | vault('b', salt='y')",
         "s | vault('a', salt='x', wrap_object=true)", "'yes' if (s | vault('a', salt='x', wrap_object=true)) is vault_encrypted else 'no'",
         "(s | vault('a', salt='x')) is vault_encrypted", "s | vault('a', salt='x', wrap_object=true) | length",
         "s | vault('a') | unvault('a')", "s | vault('a', vault_id='z') | unvault('a', 'other')", "s | vault('a') | unvault('b')",
         "s | unvault('a')", "5 | unvault('a')", "s | vault('a') | unvault(5)", "missing | unvault('a')", "s | vault('a') | length", "long | vault('a', salt='q')",
         "long | vault('a') | unvault('a') == long", "(s | vault('a')) == (s | vault('a'))", "'$ANSIBLE_VAULT;1.1;AES256\\n00' | unvault('a')",
         "s | vault('a') | unvault('a', vault_id='b', vaultid='c')"]


def test_vault_and_unvault(holdfast):
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.utils.display import Display
    vars = {"s": "text {{ no }}".replace("{{ no }}", "é"), "l": [1], "long": "0123456789abcdef" * 300}
    wrong = []
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": "{{ %s }}" % text, "vars": vars} for i, text in enumerate(VAULT)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Display, "display", lambda *_, **__: None)
        patch.setattr(Display, "deprecated", lambda *_, **__: None)
        templar = Templar(loader=DataLoader(), variables=vars)
        for i, text in enumerate(VAULT):
            try:
                want = templar.template("{{ %s }}" % text)
            except Exception as e:
                want = e
            got = answers[i]
            if ("error" in got) if isinstance(want, Exception) else (type(want)(got.get("result")) == want and "result" in got):
                continue
            wrong.append(f"{text}: ansible {want!r}, holdfast {got}")
    assert not wrong, "\n".join(wrong)


# --- config ---------------------------------------------------------------------------------------------------------
ASK_CONFIG = """import json
from ansible import constants as C
print(json.dumps({k: getattr(C, k) for k in C.config.get_configuration_definitions()}))"""
CONFIG_FILE = """[defaults]
roles_path = roles:~/more
forks = 17 ; as many as there are
host_key_checking = no
retry_files_enabled = true
retry_files_save_path = retry
collections_path = colls
callbacks_enabled = a, b
inventory_ignore_extensions = .x,.y
[colors]
ok = 'bright blue'
[persistent_connection]
command_timeout: 5
"""
CONFIGS = {"defaults": ({}, None), "a file": ({}, CONFIG_FILE),
           "variables": ({"ANSIBLE_FORKS": "3", "ANSIBLE_ROLES_PATH": "/r:q", "ANSIBLE_HOME": "/h", "ANSIBLE_COLOR_OK": "red", "NO_COLOR": "1"}, CONFIG_FILE)}


@pytest.mark.parametrize("title", CONFIGS)
def test_config_answers_settings(holdfast, tmp_path, title):
    variables, text = CONFIGS[title]
    if text is not None:
        (tmp_path / "ansible.cfg").write_text(text)
    env = {**ENV, **variables, "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", ASK_CONFIG], env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    want = {k: v for k, v in json.loads(told).items() if k not in SETTINGS_APART}
    done = subprocess.run([holdfast, "eval", "--json", "[" + ", ".join(f"query('config', '{k}')" for k in want) + "]"], env=env, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    got = {k: v[0] for k, v in zip(want, json.loads(done.stdout))}
    assert {k: (v, got[k]) for k, v in want.items() if got[k] != v or type(got[k]) is not type(v)} == {}


CONFIG_ERRORS = {"lookup('config', 'NOPE')": "Unable to find setting NOPE", "lookup('config', 5)": "Invalid setting identifier",
                 "lookup('config', 'x', on_missing='y')": "on_missing", "lookup('config', 'x', plugin_type='y')": "Both plugin_type and plugin_name",
                 "lookup('config', 'port', plugin_type='connection', plugin_name='ssh')": "no Python plugins"}


@pytest.mark.parametrize("text", CONFIG_ERRORS)
def test_config_refuses(holdfast, text):
    assert CONFIG_ERRORS[text] in ask(holdfast, [{"id": 1, "engine": "ansible", "template": "{{ %s }}" % text, "vars": {}}])[1]["message"]


# --- url ------------------------------------------------------------------------------------------------------------
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/lines")
            self.end_headers()
            return
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"bob:pw").decode()
        status = 401 if self.path == "/secret" and not known else 404 if self.path == "/nope" else 200
        body = {"/lines": "one\ntwo\r\nthré\n\nfive", "/empty": "", "/secret": "opened"}.get(
            self.path, f"{self.headers.get('X-Mine')} {self.headers.get('User-Agent')} {self.headers.get('Cache-Control')}").encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


URLS = ["query('url', at + '/lines')", "lookup('url', at + '/lines')", "query('url', at + '/lines', split_lines=false)", "query('url', at + '/empty')",
        "query('url', at + '/lines', at + '/echo')", "query('url', at + '/echo', headers={'X-Mine': 'yes'})", "query('url', at + '/echo', http_agent='me', force=true)",
        "query('url', at + '/moved')", "query('url', at + '/moved', follow_redirects='none')", "query('url', at + '/nope')", "query('url', at + '/secret')",
        "query('url', at + '/secret', username='bob', password='pw')", "query('url', at + '/secret', username='bob', password='pw', force_basic_auth=true)",
        "query('url', at + '/nope', errors='ignore')", "query('url', at + '/lines', timeout='x')", "query('url', 'http://127.0.0.1:9/')"]


def test_url(holdfast):
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.utils.display import Display
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    vars = {"at": f"http://127.0.0.1:{server.server_address[1]}", "ansible_lookup_url_agent": "of a variable"}
    try:
        answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": "{{ %s }}" % text, "vars": vars} for i, text in enumerate(URLS)])
        wrong = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Display, "display", lambda *_, **__: None)
            templar = Templar(loader=DataLoader(), variables=vars)
            for i, text in enumerate(URLS):
                try:
                    want = templar.template("{{ %s }}" % text)
                except Exception as e:
                    want = e
                if ("error" in answers[i]) if isinstance(want, Exception) else answers[i].get("result") == want:
                    continue
                wrong.append(f"{text}: ansible {want!r}, holdfast {answers[i]}")
    finally:
        server.shutdown()
    assert not wrong, "\n".join(wrong)

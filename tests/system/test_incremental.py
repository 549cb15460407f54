"""A release of 500 tasks of which one has changed: that one is run, what depends on it and the handlers it notifies, and nothing else,
commands included; what that costs, beside the run of everything."""
import json
import os
import pathlib

from agent import AgentHost

TASKS = 500
CHAIN = ["changed", "by its result", "by its fact", "only when it changed", "command by its result", "told"]


def playbook(target, word):
    files = "".join(f'    - {{ name: file {n}, copy: {{ content: "{n}\\n", dest: {target}/f{n} }} }}\n' for n in range(TASKS - 110 - len(CHAIN) + 1))
    commands = "".join(f"    - {{ name: command {n}, shell: echo {n} >> {target}/ran }}\n" for n in range(100))
    asked = "".join(f"    - {{ name: asked {n}, command: echo {n}, register: r{n} }}\n" for n in range(10))
    return f"""
- hosts: all
  gather_facts: false
  tasks:
{files}{asked}    - name: changed
      copy: {{ content: "{word}\\n", dest: {target}/changed }}
      register: it
      notify: told
    - name: by its result
      copy: {{ content: "{{{{ it.checksum }}}}\\n", dest: {target}/by-result }}
    - set_fact: {{ sum: "{{{{ it.checksum }}}}" }}
    - name: by its fact
      template: {{ src: t.j2, dest: {target}/by-fact }}
    - name: only when it changed
      shell: echo {word} >> {target}/when
      when: it is changed
    - name: command by its result
      shell: echo {{{{ it.checksum }}}} >> {target}/command
    - name: of others' results
      copy: {{ content: "{{{{ r1.stdout }}}}\\n", dest: {target}/others }}
{commands}  handlers:
    - name: told
      shell: echo told >> {target}/told
"""


def spent(pid):
    """CPU seconds of an agent, with those of its children that ended."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")


def test_one_changed_task_of_500(tmp_path, holdfast, holdfastd):
    (tmp_path / "reports").mkdir()
    host = AgentHost(tmp_path, holdfast, holdfastd, poll="1h", log_level="info", run_reports=f"file://{tmp_path}/reports")
    costs = {}

    def installed(name, *words):
        before, runs = spent(host.process.pid), len(host.ask("history")["runs"])
        host.run("run", *words)
        host.wait(lambda s: s.get("installed", {}).get("name") == name and s["state"] == "ok" and len(host.ask("history")["runs"]) > runs and
                  s["last_run"]["status"] == "ok", f"{name} is installed")
        host.wait(lambda s: s["aws"]["reports"]["waiting"] == 0)
        costs[f"{name} {' '.join(words)}".strip()] = spent(host.process.pid) - before
        report = max((tmp_path / "reports").rglob("*.json"), key=lambda p: json.loads(p.read_text())["run"])
        return json.loads(report.read_text())

    def release(name, word):
        host.promote(host.push(name, {"site.yml": playbook(host.target, word), "templates/t.j2": "{{ sum }}\n"}))

    with host:
        release("one", "first")
        first = installed("one")
        assert len([line for line in first["lines"] if line["k"] == "settled"]) >= TASKS - 2
        release("two", "second")
        second = installed("two")
        assert [line["title"] for line in second["lines"] if line["k"] == "settled"] == CHAIN
        assert (second["changed"], second["failed"]) == (len(CHAIN), 0) and second["recalled"] >= TASKS - len(CHAIN) - 2
        assert len((host.target / "ran").read_text().splitlines()) == 100, "no other command was run again"
        assert (host.target / "when").read_text() == "first\nsecond\n" and len((host.target / "command").read_text().splitlines()) == 2
        assert (host.target / "told").read_text() == "told\ntold\n"
        installed("two", "--full")
        assert len((host.target / "ran").read_text().splitlines()) == 200, "a full run runs everything"
    print("CPU seconds: " + ", ".join(f"{what} {s:.2f}" for what, s in costs.items()))
    assert costs["two"] < costs["two --full"] / 2, costs

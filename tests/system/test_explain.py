"""holdfast explain: where a resource comes from, with its variables, what is watched, and who changed it last."""
import pytest

from agent import AgentHost

FILES = {
    "site.yml": "- hosts: all\n  vars: { colour: blue }\n  roles: [web]\n",
    "group_vars/all.yml": "port: 80\nhidden: a-deep-secret\n",
    "roles/web/defaults/main.yml": "user: nobody\n",
    "roles/web/tasks/main.yml": "- name: page\n  template: { src: page.j2, dest: '{{ where }}/page', mode: '0644' }\n"
                                "  vars: { holdfast_policy: report }\n"
                                "- name: plain\n  copy: { content: text, dest: '{{ where }}/plain' }\n"
                                "- name: set up\n  script: set_up.sh {{ where }}/made\n  args: { creates: '{{ where }}/made' }\n",
    "roles/web/files/set_up.sh": "#!/bin/sh\necho made >$1\n",
    "roles/web/templates/page.j2": "{{ colour }} {{ port }} {{ user }} {{ inventory_hostname }} {{ hidden }}\n",
}


@pytest.fixture
def host(tmp_path, holdfast, holdfastd):
    host = AgentHost(tmp_path, holdfast, holdfastd)
    files = dict(FILES)
    files["group_vars/all.yml"] += f"where: {host.target}\n"
    host.promote(host.push("one", files))
    with host:
        host.installed("one")
        yield host


def where(resource):
    """{variable: file below the release, with its line}"""
    return {name: place and place.split("/releases/", 1)[1].split("/", 1)[1] for name, place in resource["variables"].items()}


@pytest.mark.parametrize("by", ["title", "path", "id"])
def test_a_resource_is_found_and_explained(host, by):
    names = {"title": "web : page", "path": f"{host.target}/page"}
    names["id"] = host.ask("explain", names["title"])[0]["id"]
    [page] = host.ask("explain", names[by])
    assert (page["title"], page["module"], page["policy"], page["state"]) == ("web : page", "template", "report", "ok")
    assert page["file"].endswith("roles/web/tasks/main.yml") and page["line"] == 1
    assert {"kind": "path", "name": f"{host.target}/page"} in page["watches"]
    assert page["run"] == 1 and page["release"] and page["checked"] > 0 and page["changed"] > 0
    told = where(page)
    assert told.pop("inventory_hostname") is None, "nobody wrote it"
    assert told == {"colour": "site.yml:2", "port": "group_vars/all.yml:1", "user": "roles/web/defaults/main.yml:1",
                    "hidden": "group_vars/all.yml:2", "where": "group_vars/all.yml:3"}


def test_the_last_change_and_its_author_are_told(host):
    (host.target / "page").write_text("by hand\n")
    host.wait(lambda s: s["drifted"] == 1)
    host.until(lambda: host.ask("explain", "web : page")[0]["action"] == "reported", "it is told")
    [page] = host.ask("explain", "web : page")
    assert (page["state"], page["action"]) == ("drifted", "reported") and page["drifted"] > 0
    (host.target / "plain").write_text("by hand\n")
    host.until(lambda: (host.target / "plain").read_text() == "text", "it is put right")
    host.until(lambda: host.ask("explain", "web : plain")[0]["changed_by"] == "correction", "who did it")


def test_a_script_runs_again_when_what_it_creates_is_gone(host):
    [script] = host.ask("explain", "web : set up")
    assert script["watches"] == [{"kind": "path", "name": f"{host.target}/made"}]
    (host.target / "made").unlink()
    host.until(lambda: (host.target / "made").exists() and (host.target / "made").read_text() == "made\n", "it is made again")


def test_people_read_the_same(host):
    text = host.run("explain", "web : page").stdout
    for line in ("module   template", "variable colour, ", "site.yml:2", "variable inventory_hostname, a fact or a result", "watched  path "):
        assert line in text
    assert "a-deep-secret" not in text


def test_what_nobody_manages_is_said(host):
    done = host.run("explain", "/nowhere", check=False)
    assert done.returncode != 0 and "/nowhere" in done.stderr

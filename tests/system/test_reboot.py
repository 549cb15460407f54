"""A release that reboots its host: the run goes on behind the task, and is one run with one report."""
import time

from scene import Scene

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: before
      shell: echo before >> /srv/order; cat /proc/sys/kernel/random/boot_id
      register: early
      notify: told
    - name: start again
      reboot: { msg: "a new kernel" }
    - name: after
      shell: echo "after {{ early.stdout }}" >> /srv/order
    - name: until the test has seen this boot
      wait_for: { path: /srv/seen }
    - name: start a second time
      reboot: { pre_reboot_delay: 1 }
    - name: at last
      copy: { content: "{{ early.stdout }}\\n", dest: /srv/last }
  handlers:
    - name: told
      shell: echo handled >> /srv/order
"""


def test_a_run_goes_on_after_each_reboot():
    with Scene() as scene:
        scene.start_agent()
        scene.run("systemctl enable holdfastd")
        folder = scene.folder / "release"
        folder.mkdir()
        (folder / "site.yml").write_text(PLAYBOOK)
        first_boot = scene.run("cat /proc/sys/kernel/random/boot_id").out.strip()
        scene.promote(scene.push(folder, "reboots"))
        scene.host.rebooted()
        scene.host.run("touch /srv/seen", check=True)
        scene.host.rebooted()
        report = scene.reader.wait(lambda m: m.topic.endswith("/run"), seconds=240)
        assert (report.body["status"], report.body["failed"]) == ("ok", 0), report.text
        assert scene.run("cat /srv/order").out.splitlines() == ["before", f"after {first_boot}", "handled"]
        assert scene.run("cat /srv/last").out.strip() == first_boot
        assert scene.run("cat /proc/sys/kernel/random/boot_id").out.strip() != first_boot
        time.sleep(3)
        assert sum(1 for m in scene.reader.messages if m.topic.endswith("/run")) == 1, "one run has one report"

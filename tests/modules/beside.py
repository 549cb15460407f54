"""Rows of modules that change a running host, as steps for Ansible's own modules and for holdfast: in check mode, applied and applied
again, with a look at what is left after each. What both said is compared (test_live.py)."""

# Ansible's bookkeeping and what each engine words for itself; differences have rows of their own (test_diffs.py).
VOLATILE = {"invocation", "diff", "warnings", "deprecations", "exception", "failed", "changed", "_ansible_no_log", "traceback", "stdout_lines",
            "stderr_lines"}
STEPS = ("check", "checked", "first", "left", "second", "kept")


def steps(rows, of_module, of_shell):
    """Every row's steps, one after the other."""
    for r in rows:
        yield of_shell(r.given or "true")
        for check in (True, False, False):
            yield of_module(r, check)
            yield of_shell(r.probe)


def by_row(rows, results):
    """What the steps said, a dict a row; of a probe its text."""
    out = []
    for i in range(len(rows)):
        row = results[i * 7 + 1:i * 7 + 7]
        out.append({step: got if step in STEPS[::2] else got["stdout"].strip() for step, got in zip(STEPS, row)})
    return out


def ansible_plan(rows):
    """What run_modules.py is to run."""

    def module(r, check):
        where = "ansible_collections.{}.{}.plugins.modules.{}" if r.module.count(".") == 2 else "ansible.modules.{}"
        return [where.format(*r.module.split(".")), {**r.args, "_ansible_check_mode": check, "_ansible_diff": True}, "/root"]

    return list(steps(rows, module, lambda text: ["shell", text, "/root"]))


def holdfast_play(rows, out):
    """A play that does the same and leaves all results in the file `out`."""
    tasks = []

    def add(task, **more):
        tasks.append({**task, "register": f"r_{len(tasks)}", **more})

    list(steps(rows, lambda r, check: add({r.module: r.args}, check_mode=check, ignore_errors=True),
               lambda text: add({"shell": f"( {text}\n) 2>&1"}, failed_when=False)))
    dump = "{{ [" + ", ".join(f"r_{i}" for i in range(len(tasks))) + "] | to_json }}"
    tasks.append({"copy": {"content": dump, "dest": out}})
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]


def status(result):
    return "failed" if result.get("failed") else "changed" if result.get("changed") else "ok"


def ordered(key, value):
    """Sets of Ansible's have no order, nor has what dnf finds."""
    return sorted(value, key=str) if key in ("sources_added", "sources_removed", "results") else value


def comparable(row, step, result, other):
    if step in STEPS[1::2]:
        return result
    if step in row.loose:
        return None
    drop = VOLATILE | row.loose
    if other.get("failed"):
        drop |= set(result) ^ set(other)
    return [status(result), {k: ordered(k, v) for k, v in result.items() if k not in drop}]


def same(row, want, got):
    """Both as they are to be compared: of Ansible, of holdfast."""
    pairs = {s: [comparable(row, s, a[s], b[s]) for a, b in ((want, got), (got, want))] for s in STEPS}
    return {s: p[0] for s, p in pairs.items()}, {s: p[1] for s, p in pairs.items()}

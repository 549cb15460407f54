"""Cases of template."""
from rows import Dir, File, played

played("template", {"template": {"src": "t.j2", "dest": "@/f", "mode": "0600"}}, sources={"templates/t.j2": "{{ 1 + 1 }}\nx\n"})
played("template same", {"template": {"src": "t.j2", "dest": "@/f"}}, {"f": "2\nx\n"}, sources={"templates/t.j2": "{{ 1 + 1 }}\nx\n"})
played("template to dir", {"template": {"src": "t.j2", "dest": "@/d/"}}, {"d": Dir()}, sources={"templates/t.j2": "{{ 1 + 1 }}\nx\n"})
played("template no newline", {"template": {"src": "n.j2", "dest": "@/f"}}, sources={"templates/n.j2": "{% if true %}\na\n{% endif %}"})
played("template crlf", {"template": {"src": "t.j2", "dest": "@/f", "newline_sequence": "\\r\\n"}}, sources={"templates/t.j2": "{{ 1 + 1 }}\nx\n"})
played("template lstrip", {"template": {"src": "l.j2", "dest": "@/f", "lstrip_blocks": True}},
    sources={"templates/l.j2": "a\n   {% if true %}\nb\n   {% endif %}\n"})
played("template delimiters", {"template": {"src": "d.j2", "dest": "@/f", "variable_start_string": "[[", "variable_end_string": "]]"}},
    sources={"templates/d.j2": "[[ 3 ]] {{ 3 }}\n"})
played("template missing", {"template": {"src": "none.j2", "dest": "@/f"}}, loose=["msg"])
played("template undefined", {"template": {"src": "u.j2", "dest": "@/f"}}, sources={"templates/u.j2": "{{ nope }}\n"}, loose=["msg"])
played("template backup", {"template": {"src": "t.j2", "dest": "@/f", "backup": True}}, {"f": "old\n"}, sources={"templates/t.j2": "{{ 1 + 1 }}\nx\n"})
played("template preserve", {"template": {"src": "m.j2", "dest": "@/f", "mode": "preserve"}}, sources={"templates/m.j2": File("x\n", 0o755)})

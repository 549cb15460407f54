"""Cases of shell."""
from rows import played

played("command signal", {"shell": "kill -9 $$"})
played("shell pipe", {"shell": "echo b a | tr ' ' '\\n' | sort > @/out; cat @/out"}, always=True)
played("shell lines", {"shell": "printf 'a\\fb\\vc\\r\\nd'"}, always=True)
played("shell executable", {"shell": {"cmd": "echo ${BASH_VERSION:+bash}", "executable": "/bin/bash"}}, always=True)
played("shell creates", {"shell": {"cmd": "echo x > @/x", "creates": "@/x"}})
played("shell chdir", {"shell": {"cmd": "echo $PWD > here", "chdir": "@"}}, always=True)
played("shell stdin", {"shell": {"cmd": "wc -c", "stdin": "abc"}}, always=True)
played("shell stderr", {"shell": "echo oops >&2; exit 1"})
played("shell args free form", {"shell": "echo $0 && cd @ creates=@/x"}, {"x": ""})

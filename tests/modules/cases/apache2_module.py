"""Cases of apache2_module."""
from rows import tooled


def apache(title, loose=(), **args):
    tooled(f"apache2_module {title}", {"community.general.apache2_module": args}, loose=[*loose, "warnings"])


apache("new", name="rewrite")
apache("there", name="auth_basic")
apache("of PHP, there", name="php8.2")
apache("absent not there", name="ssl", state="absent")
apache("another name in the list", name="dump_io", identifier="dump_io_module")
apache("a name that is not in the list", name="shib2", loose=["check"])
apache("unknown", name="no-such", loose=["check"])
apache("threads and cgi", name="cgi")
apache("goes and is needed", name="needed", state="absent", loose=["check"])
apache("goes by force", name="needed_too", state="absent", force=True)
apache("the MPM goes", name="mpm_event", state="absent", ignore_configcheck=True)
apache("without an MPM", name="no-mpm", loose=["check", "msg"])
apache("another MPM", name="mpm_prefork", ignore_configcheck=True)

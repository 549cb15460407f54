"""Cases of apt_repository."""
from given import NO_SOURCES, SOURCES
from rows import hosted, live

hosted("apt_repository adds a file", "",
       "- apt_repository: repo='deb [trusted=yes]   file:/srv/other ./' filename=extra update_cache=no",
       "cat /etc/apt/sources.list.d/extra.list 2>/dev/null", "deb [trusted=yes] file:/srv/other ./")
hosted("apt_repository names the file itself", "",
       "- apt_repository: repo='deb [trusted=yes] copy:/srv/archive/ ./' update_cache=no",
       "cat /etc/apt/sources.list.d/*.list 2>/dev/null", "deb [trusted=yes] copy:/srv/archive/ ./")


def source(title, repo, given="", **args):
    live(title, "apt_repository", {"repo": repo, "update_cache": False, **args}, NO_SOURCES + given, SOURCES)


LINE = "deb http://e.org/debian stable main"
LIST = "/etc/apt/sources.list.d/e_org_debian.list"
source("new", LINE)
source("blanks and a comment", "  deb   [arch=amd64  trusted=yes]  http://u:p@e.org:80/debian/  stable\tmain # words")
source("named", LINE, filename="mine")
source("named by a path", LINE, filename="/etc/apt/sources.list.d/mine")
source("a mode", LINE, mode="0600")
source("a mode in letters", LINE, mode="u=rw,g=,o=r")
source("to others with a mode", LINE, f"echo 'deb http://x y z' >{LIST}", mode="0600")
source("there", LINE, f"echo '{LINE}' >{LIST}")
source("there with other blanks", LINE, f"echo 'deb   http://e.org/debian  stable main' >{LIST}")
source("there and off", LINE, f"printf '#{LINE}\\n# {LINE} # why\\n# words\\n\\n' >{LIST}")
source("to others", LINE, f"printf 'deb http://e.org/other x y # c\\n# words\\nnonsense   here\\n' >{LIST}")
source("source code", "deb-src file:/srv/archive ./")
source("goes", LINE, f"printf '{LINE}\\ndeb http://x y z\\n' >{LIST}", state="absent")
source("goes with its file", LINE, f"echo '{LINE}' >{LIST}", state="absent")
source("goes and is off", LINE, f"echo '# {LINE}' >{LIST}", state="absent")
source("goes and is not there", LINE, state="absent")
source("goes from two files", LINE, f"echo '{LINE}' >{LIST}; echo '{LINE} # c' >/etc/apt/sources.list.d/z.list", state="absent")
source("nonsense", "nonsense http://e.org")
source("off", "# " + LINE)
source("nothing", "")
source("with its lists", "deb [trusted=yes] copy:/srv/archive ./", update_cache=True)
source("with lists that are not there", "deb [trusted=yes] copy:/srv/nowhere ./", update_cache=True, update_cache_retries=1,
       update_cache_retry_max_delay=1)

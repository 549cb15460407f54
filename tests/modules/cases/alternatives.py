"""Cases of alternatives."""
from rows import hosted, live

hosted("alternatives", "", "- community.general.alternatives: name=pick link=/usr/bin/pick path=/bin/true",
       "readlink /etc/alternatives/pick; readlink /usr/bin/pick", "/bin/true\n/etc/alternatives/pick")


PICK = "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/true 50; "
BOTH = PICK + "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/false 40; "
CALM = "update-alternatives --quiet --remove-all hf_pick 2>/dev/null; rm -f /usr/bin/hf_pick /usr/bin/hf-help; "


def alternative(title, given, **args):
    live(title, "community.general.alternatives", {"name": "hf_pick", **args}, CALM + given,
        "update-alternatives --query hf_pick; readlink /usr/bin/hf_pick; readlink /usr/bin/hf-help")


SUB = [{"name": "hf-help", "path": "/bin/cat", "link": "/usr/bin/hf-help"}]
SLAVED = "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/true 50 --slave /usr/bin/hf-help hf-help /bin/cat; "
alternative("new", "", path="/bin/true", link="/usr/bin/hf_pick")
alternative("new with a priority", "", path="/bin/true", link="/usr/bin/hf_pick", priority=7, state="present")
alternative("new without a link", "", path="/bin/true")
alternative("of no program", "", path="/bin/no-such", link="/usr/bin/hf_pick")
alternative("there and chosen by its priority", BOTH, path="/bin/true")
alternative("another", BOTH, path="/bin/false")
alternative("another that is new", PICK, path="/bin/false", priority=9)
alternative("another priority", BOTH, path="/bin/false", priority=90, state="present")
alternative("there", BOTH, path="/bin/false", state="present")
alternative("back to its own choice", BOTH + "update-alternatives --quiet --set hf_pick /bin/false", path="/bin/true", state="auto")
alternative("chooses itself already", BOTH, path="/bin/true", state="auto")
alternative("chooses itself with one that is new", PICK, path="/bin/false", state="auto")
alternative("goes", BOTH, path="/bin/false", state="absent")
alternative("goes and is not there", "", path="/bin/false", state="absent")
alternative("another link", PICK, path="/bin/true", link="/usr/bin/hf-other")
alternative("with a helper", "", path="/bin/true", link="/usr/bin/hf_pick", subcommands=SUB)
alternative("with a helper that is there", SLAVED, path="/bin/true", subcommands=SUB)
alternative("with another helper", SLAVED, path="/bin/true", subcommands=[{**SUB[0], "path": "/bin/ls"}])
alternative("without its helper", SLAVED, path="/bin/true", subcommands=[])
alternative("helper not spoken of", SLAVED, path="/bin/true", priority=60)

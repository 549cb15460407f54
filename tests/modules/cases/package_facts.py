"""Cases of package_facts."""
from rows import live


def package_facts(title, given="", long=False, **args):
    live(title, "package_facts", args, f"rpm -U --replacepkgs --nodeps --nodigest /srv/rpms/hf-tool-x-1.0.rpm; {given}", "true", long=long)


package_facts("of rpm", manager="rpm")
package_facts("of apt", manager="apt")
package_facts("of both", manager=["apt", "rpm"], strategy="all", long=True)
package_facts("of the first of both", manager=["rpm", "apt"], long=True)
package_facts("of the first of both, the other way", manager=["apt", "rpm"], long=True)
package_facts("of what is not there", manager="pacman")

"""Cases of pam_limits."""
from given import setting
from rows import hosted


def limit(title, given=None, **args):
    setting(title, "community.general.pam_limits", given, dest="@/f", **args)


# A comment behind a limit is not in it: Ansible's writes it after the next new line too, and a blank line with it.
LIMITS = "# limits\n@users hard nproc 20\nann soft nofile 1024\n\nann - core 0\n"
limit("new", LIMITS, domain="eve", limit_type="soft", limit_item="nofile", value="64000")
limit("new, with a comment", LIMITS, domain="eve", limit_type="-", limit_item="memlock", value="unlimited", comment="for training")
limit("there with a comment", "ann soft nofile 1024 # hers\n", domain="ann", limit_type="soft", limit_item="nofile", value="1024")
limit("there", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="1024")
limit("another value", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="2048")
limit("a lower value where the higher counts", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="512", use_max=True)
limit("a higher value where the lower counts", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="4096", use_min=True)
limit("no number", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="many")
limit("of priority", LIMITS, domain="ann", limit_type="-", limit_item="priority", value="-21")
limit("a file that is wrong", "ann soft nofile lots\n", domain="bob", limit_type="soft", limit_item="nofile", value="1")
limit("a copy kept", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="2048", backup=True)
limit("a copy of no file", None, domain="ann", limit_type="soft", limit_item="nofile", value="2048", backup=True)
limit("no file", None, domain="ann", limit_type="soft", limit_item="nofile", value="1")
hosted("pam_limits", "", "- community.general.pam_limits: domain=* limit_type=soft limit_item=nofile value=65536",
       "grep nofile /etc/security/limits.conf | grep -v '^#'", "*\tsoft\tnofile\t65536")

"""Cases of locale_gen."""
from rows import hosted, live

hosted("locale_gen", "", "- community.general.locale_gen: name=de_CH.UTF-8", "locale -a | grep -c de_CH", "1")

# Locales of the Latin alphabet alone, which take a tenth of what others do to be made. Ansible's module says in check mode that
# nothing would change, whatever would; holdfast says what would.
GEN, ARCHIVE = "/etc/locale.gen", "/usr/lib/locale/locale-archive"
PLAIN = f"[ -e /root/locale.gen ] || cp {GEN} /root; cp /root/locale.gen {GEN}; rm -f {ARCHIVE}; "


def compiled(*names):
    """There, and asked for: kept from the first time on."""
    kept = f"/root/archive-{'-'.join(names)}"
    on = "; ".join(f"sed -i 's/^# {name} /{name} /' {GEN}" for name in names)
    return f"{on}; [ -e {kept} ] || {{ locale-gen >/dev/null; cp {ARCHIVE} {kept}; }}; cp {kept} {ARCHIVE}; "


def locale_gen(title, given="", long=False, loose=("check", ), **args):
    live(title, "community.general.locale_gen", args, PLAIN + given, f"locale -a; grep '^[^#]\\|de_DE \\|gv_GB ' {GEN}; stat -c %a {GEN}", loose, long)


locale_gen("new", name="de_DE")
locale_gen("there", compiled("de_DE"), name="de_DE")
locale_gen("goes", compiled("de_DE"), name="de_DE", state="absent")
locale_gen("goes and is not there", name="de_DE", state="absent", long=True)
locale_gen("two, one there", compiled("de_DE"), name=["de_DE", "gv_GB"])
locale_gen("two go, one there", compiled("de_DE"), name=["de_DE", "gv_GB"], state="absent")
locale_gen("two go", compiled("de_DE", "gv_GB"), name=["de_DE", "gv_GB"], state="absent", long=True)
locale_gen("nobody's", name=["xx_XX", "de_DE", "yy_YY.UTF-8"])
locale_gen("on and not made", f"sed -i 's/^# de_DE /de_DE /' {GEN}; ", name="de_DE", long=True)
locale_gen("made and off", compiled("de_DE") + f"cp /root/locale.gen {GEN}; ", name="de_DE", long=True)
locale_gen("made and off goes", compiled("de_DE") + f"cp /root/locale.gen {GEN}; ", name="de_DE", state="absent", long=True)
locale_gen("always there", name="C.UTF-8", long=True)
locale_gen("always there goes", name="C.UTF-8", state="absent", long=True)
locale_gen("always there, in other letters", name="C.utf8", long=True)
locale_gen("other blanks", f"sed -i 's/^# de_DE /  #de_DE /; s/^# gv_GB /#   gv_GB /' {GEN}; ", name=["gv_GB"], long=True)
locale_gen("two signs", f"sed -i 's/^# de_DE /## de_DE /' {GEN}; ", name=["de_DE"], long=True)
locale_gen("no name", name="", long=True)
locale_gen("no names", name=[], long=True)
locale_gen("without its list", f"rm {GEN}; ", name="de_DE", long=True)
locale_gen("a bad line", f"sed -i 's/^# de_DE .*/# de_DE no-such-map/' {GEN}; ", name="de_DE", long=True)

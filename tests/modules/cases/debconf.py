"""Cases of debconf."""
from rows import hosted, live

hosted("debconf", "", "- debconf: name=tzdata question=tzdata/Zones/Europe vtype=select value=Rome",
       "debconf-show tzdata | grep -c 'Europe: Rome'", "1")

# debconf's own programs take a tenth of a second each: the database comes back as files.
PRISTINE = ("[ -d /root/debconf ] || { printf 'tzdata tzdata/Zones/Europe select Berlin\\n' | debconf-set-selections; "
            "cp -a /var/cache/debconf /root; }; cp -a /root/debconf/. /var/cache/debconf/; ")


def question(title, given="", long=False, **args):
    live(title, "debconf", args, PRISTINE + given,
        "cd /var/cache/debconf; grep -A5 '^Name: hf-asked/\\|^Name: tzdata/Zones/Europe' config.dat", long=long)


ANY = "printf 'hf-asked hf-asked/%s %s %s\\n' | debconf-set-selections; "
question("says what there is", name="hf-asked", given=ANY % ("a", "string", "one") + ANY % ("b", "boolean", "true"))
question("of a package nobody knows", name="hf-no-such-package")
question("new answer", name="hf-asked", question="hf-asked/a", vtype="string", value="some words")
question("another answer", name="tzdata", question="tzdata/Zones/Europe", vtype="select", value="Rome")
question("the answer", name="tzdata", question="tzdata/Zones/Europe", vtype="select", value="Berlin")
question("unseen", name="hf-asked", question="hf-asked/a", vtype="string", value="x", unseen=True)
question("yes or no", name="hf-asked", question="hf-asked/b", vtype="boolean", value="True", given=ANY % ("b", "boolean", "false"))
question("yes or no, there", name="hf-asked", question="hf-asked/b", vtype="boolean", value=True, given=ANY % ("b", "boolean", "true"))
question("several", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b", "a"])
question("several, there", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b", "a"], given=ANY % ("m", "multiselect", "a, b"))
question("several, one less", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b"], given=ANY % ("m", "multiselect", "a, b"))
question("several as a text", name="hf-asked", question="hf-asked/m", vtype="multiselect", value="a, b", given=ANY % ("m", "multiselect", "a, b"))
question("without a value", name="hf-asked", question="hf-asked/a", vtype="string")

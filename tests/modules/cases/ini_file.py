"""Cases of ini_file."""
from rows import CALLED, Row


def ini(title, given=None, loose=(), always=False, **args):
    CALLED.append(Row(f"ini_file {title}", {"i": given} if given is not None else {},
                    {"community.general.ini_file": {"path": "@/i", **args}}, {"loose": list(loose), "always": always}))


INI = "top = 1\n# c\n[a]\nx = 1\n;y = 2\n\n[b]\nx=1\nx = 2\n\n# end\n[a]\nz = 9\n"
PEERS = "[Peer]\nIps = 10.0.0.1\nKey = one\n\n[Peer]\nIps = 10.0.0.2\nIps = 10.0.0.3\n;Old = 1\n"
ini("new file", section="a", option="b", value="c")
ini("no file", section="a", option="b", value="c", create=False)
ini("no value", INI, section="a", option="b")
ini("only a section", INI, section="new")
ini("only a section, allowed", INI, section="new", allow_no_value=True)
ini("lines end as on Windows", "[a]\r\nx = 1\r\n", section="a", option="y", value="2")
ini("lines end as on Windows, there", "[a]\r\nx = 1\r\n", section="a", option="x", value="1")
ini("a mark of its encoding", "\ufeff[a]\nx = 1\n", section="a", option="y", value="2")
ini("a comment that is not at the start", "[a]\n #x=1\n", section="a", option="x", value="2")
ini("a commented one beside it", "[a]\nx=1\n;x=2\n#x=3\n", section="a", option="x", value="1", no_extra_spaces=True)
ini("an option that looks like a comment", "[a]\n#x=1\n##x=2\n", section="a", option="#x", value="3")
ini("new with a backup", section="a", option="b", value="c", backup=True)
ini("there", INI, section="a", option="x", value="1")
ini("another value", INI, section="a", option="x", value="3")
ini("a commented one", INI, section="a", option="y", value="3")
ini("a commented one stays", INI, section="a", option="y", value="3", modify_inactive_option=False)
ini("of the first of two sections", INI, section="a", option="z", value="7")
ini("before any section", INI, option="top", value="2")
ini("new before any section", INI, option="new", value="2")
ini("one for two", INI, section="b", option="x", value="5")
ini("one besides two", INI, section="b", option="x", value="5", exclusive=False)
ini("several", INI, section="b", option="x", values=["1", "7", "1", "8"])
ini("several besides", INI, section="b", option="x", values=["2", "7"], exclusive=False)
ini("without spaces", INI, section="a", option="x", value="4", no_extra_spaces=True)
ini("only spaces differ", INI, section="b", option="x", values=["1", "2"], ignore_spaces=True)
ini("spaces count", INI, section="b", option="x", values=["1", "2"])
ini("without a value", INI, section="a", option="bare", allow_no_value=True)
ini("without a value any more", INI, section="a", option="x", allow_no_value=True)
ini("without a value there", "[a]\nbare\n", section="a", option="bare", allow_no_value=True)
ini("new section", INI, section="n", option="x", value="1")
ini("new section alone", INI, section="n", allow_no_value=True)
ini("a header with blanks", "[ a ]\nx = 1\n", section="a", option="x", value="2")
ini("a header that begins so", "[ab]\nx = 1\n", section="a", option="x", value="2")
ini("no newline at the end", "[a]\nx = 1", section="a", option="x", value="1")
ini("goes", INI, section="b", option="x", state="absent")
ini("one value goes", INI, section="b", option="x", value="2", state="absent", exclusive=False)
ini("section goes", INI, section="b", state="absent")
ini("goes, not there", INI, section="n", option="x", state="absent")
ini("goes of no file", section="n", option="x", state="absent")
ini("backup and mode", INI, section="a", option="x", value="3", backup=True, mode="0600", loose=["backup_file"])
ini("the section with a value", PEERS, section="Peer", section_has_values=[{"option": "Ips", "value": "10.0.0.2"}], option="Key", value="two")
ini("the section with values", PEERS, section="Peer", section_has_values=[{"option": "Ips", "values": ["9", "10.0.0.3"]}, {"option": "Old"}],
    option="Key", value="two")
ini("the section with any value", PEERS, section="Peer", section_has_values=[{"option": "Key"}], option="Key", value="three")
ini("no section with the value", PEERS, section="Peer", option="Key", value="n", always=True,  # Old is not written
   
    section_has_values=[{"option": "Ips", "values": ["1", "2"]}, {"option": "Key", "value": "m"}, {"option": "Old"}])
ini("no section with the value, besides", PEERS, section="Peer", section_has_values=[{"option": "Ips", "value": "5"}], option="Ips",
    value="6", exclusive=False)
ini("no section with the value, bare", PEERS, section="Peer", section_has_values=[{"option": "Bare"}], option="Ips", value="6",
    allow_no_value=True)
ini("the section with a value goes", PEERS, section="Peer", section_has_values=[{"option": "Ips", "value": "10.0.0.2"}], state="absent")
ini("no section with the value goes", PEERS, section="Peer", section_has_values=[{"option": "Ips", "value": "7"}], state="absent")
ini("a condition of both", PEERS, section="Peer", section_has_values=[{"option": "Ips", "value": "7", "values": ["8"]}], state="absent")
ini("a condition of no option", PEERS, section="Peer", section_has_values=[{"value": "7"}], state="absent")

"""Cases of xml."""
from rows import File, Link, called

BEERS = """<?xml version='1.0' encoding='UTF-8'?>
<business type="bar">
  <name>Tasty Beverage Co.</name>
  <beers>
    <beer>Rochefort 10</beer>
    <beer>St. Bernardus Abbot 12</beer>
    <beer>Schlitz</beer>
  </beers>
  <!-- one to ten -->
  <rating subjective="true">10</rating>
  <website>
    <mobilefriendly/>
    <address>http://tastybeverageco.com</address>
  </website>
</business>"""
SPACES = """<?xml version='1.0' encoding='UTF-8'?>
<business xmlns="http://test.business" xmlns:attr="http://test.attribute" type="bar">
  <rating xmlns="http://test.rating" attr:subjective="true" attr:n="1">10</rating>
  <beers><attr:beer>x</attr:beer></beers>
</business>"""
HEADED = """<?xml version="1.0"?>
<?style a="b"?>
<!DOCTYPE business SYSTEM "b.dtd" [
<!ENTITY name "Tasty">
]>
<!-- first --><business><name>&name; &lt;Co&gt; \u00e9</name><raw><![CDATA[a < b]]></raw></business>
<!-- last -->"""
NS = {"b": "http://test.business", "r": "http://test.rating", "attr": "http://test.attribute"}


# What the task asks for is to be done every time, or (Ansible's too) cannot be asked for twice.
AGAIN = {"delete one", "ensure text", "ensure attribute value", "set children of several", "add children",
         "add children with attributes", "add children as XML", "insert before", "insert behind", "insert behind the middle",
         "namespace element, attribute of it"}


def xml(title, text=BEERS, loose=(), **args):
    source = {} if "xmlstring" in args else {"path": "@/x.xml"}
    called(f"xml {title}", {"community.general.xml": {**source, **args}}, {"x.xml": text}, loose=list(loose), always=title in AGAIN)


xml("value", xpath="/business/rating", value="11")
xml("value there", xpath="/business/rating", value="10")
xml("value of several", xpath="//beer", value="Water")
xml("value empty", xpath="/business/rating", value="")
xml("value of a new element", xpath="/business/owner/name", value="Ann & Bob <both>")
xml("value over children", xpath="/business/website", value="text")
xml("value that is a number", xpath="/business/rating", value=11, loose=["msg"])
xml("attribute", xpath="/business/rating", attribute="subjective", value="false")
xml("attribute there", xpath="/business/rating", attribute="subjective", value="true")
xml("attribute new", xpath="/business/rating", attribute="by", value="us \"and\" them")
xml("attribute that is the target", xpath="/business/rating/~AT~subjective", value="false", loose=["msg"])
xml("delete attribute", xpath="/business/rating/~AT~subjective", state="absent", pretty_print=False, value=None)
xml("delete elements", xpath="//beer", state="absent", count=False, add_children=[])
xml("delete one", xpath="/business/beers/beer[2]", ensure="absent", add_children=[])
xml("delete by text", xpath="//beer[text()='Schlitz']", state="absent", add_children=[])
xml("delete what is not there", xpath="//wine", state="absent", add_children=[])
xml("delete the root", xpath="/business", state="absent", add_children=[], loose=["msg"])
xml("delete a text", xpath="//beer/text()", state="absent", add_children=[], loose=["msg"])
xml("delete all of a name inside itself", "<a><a><a/></a></a>", xpath="//a", state="absent", add_children=[], loose=["msg"])
xml("ensure element", xpath="/business/owner", add_children=[])
xml("ensure several levels", xpath="/business/a/b/c", add_children=[])
xml("ensure text", xpath="/business/owner/text()='Ann'", add_children=[])
xml("ensure text again", BEERS.replace("<website>", "<owner>Ann</owner><website>"), xpath="/business/owner/text()='Ann'",
    add_children=[], loose=["msg"])
xml("ensure attribute", xpath="/business/rating/~AT~by", add_children=[])
xml("ensure attribute value", xpath="/business/rating/~AT~by='me'", add_children=[])
xml("ensure with conditions", xpath="/business/website[mobile and ~AT~lang='en' and address/text()='x']", add_children=[])
xml("ensure by attribute", xpath="/business/beers/beer[~AT~kind='ale']", add_children=[])
xml("ensure what cannot be made", xpath="/business/beer[last()]/*", add_children=[], loose=["msg"])
xml("ensure there", xpath="/business/beers/beer[2]", add_children=[])
xml("set children", xpath="/business/beers", set_children=[{"beer": "Stout"}, {"beer": "Ale"}])
xml("set children there", xpath="/business/beers",
    set_children=[{"beer": "Rochefort 10"}, {"beer": "St. Bernardus Abbot 12"}, {"beer": "Schlitz"}])
xml("set children of several", xpath="//website | //beers", set_children=["one", {"two": "2"}])
xml("set children, none", xpath="/business/beers", set_children=[])
xml("set children over a comment", xpath="/business", set_children=[{"x": "y"}])
xml("add children", xpath="/business/beers", add_children=[{"beer": "Old Motor Oil"}, "empty", {"none": None}])
xml("add children with attributes", xpath="/business/website",
    add_children=[{"page": {"lang": "en", "n": "1", "_": [{"title": "Hi"}, {"b": {"c": "d"}}]}}])
xml("add children to nothing", xpath="/business/nope", add_children=[{"beer": "x"}])
xml("add children as XML", xpath="/business/beers", input_type="xml", add_children=["<beer a='1'>x<y/>z</beer>", "<w/>"])
xml("add children as bad XML", xpath="/business/beers", input_type="xml", add_children=["<beer>"], loose=["msg"])
xml("add children of a number", xpath="/business/beers", add_children=[{"beer": 3}], loose=["msg"])
xml("add children of two names", xpath="/business/beers", add_children=[{"a": "1", "b": "2"}])
xml("add children of a bad name", xpath="/business/beers", add_children=["a b"], loose=["msg"])
xml("add children that are no list", xpath="/business/beers", add_children=[{"a": {"_": "x"}}], loose=["msg"])
xml("insert before", xpath="/business/beers/beer[2]", insertbefore=True, add_children=[{"beer": "One"}, {"beer": "Two"}])
xml("insert behind", xpath="/business/beers/beer", insertafter=True, add_children=[{"beer": "One"}, {"beer": "Two"}])
xml("insert behind the middle", xpath="/business/name", insertafter=True, add_children=["owner"])
xml("insert beside the root", xpath="/business", insertafter=True, add_children=["owner"], loose=["msg"])
xml("count", xpath="/business/beers/beer", count=True)
xml("count none", xpath="/business/wine", count=True)
xml("print match", xpath="//beer", print_match=True)
xml("print no match", xpath="//wine", print_match=True)
xml("print attributes", xpath="//~AT~type", print_match=True, loose=["msg"])
xml("content text", xpath="//beer", content="text")
xml("content text of an empty element", xpath="/business/website/*", content="text")
xml("content attributes", xpath="//*[~AT~type or ~AT~subjective]", content="attribute")
xml("content of nothing", xpath="//wine", content="text")
xml("pretty", "<a><b>x</b><c><d/></c></a>", pretty_print=True)
xml("pretty there", BEERS + "\n", pretty_print=True)
xml("pretty and value", "<a><b>x</b><c><d/></c></a>", xpath="/a/b", value="y", pretty_print=True)
xml("mixed text", "<a>one<b/>two<c/>three</a>", xpath="/a/b", state="absent", add_children=[])
xml("mixed text, element set", "<a>one<b/>two<c/>three</a>", xpath="/a", value="1")
xml("head and foot", HEADED, xpath="/business/name", value="x")
xml("head and foot kept", HEADED, xpath="/business/new", value="\u00e9")
xml("head and foot, pretty", HEADED, xpath="/business/new", value="y", pretty_print=True)
xml("without cdata", HEADED, xpath="/business/new", value="y", strip_cdata_tags=True)
xml("without cdata, nothing else", HEADED, xpath="/business", count=True, strip_cdata_tags=True)
xml("namespace value", SPACES, xpath="/b:business/r:rating", namespaces=NS, value="11")
xml("namespace attribute", SPACES, xpath="/b:business/r:rating", namespaces=NS, attribute="attr:subjective", value="no")
xml("namespace attribute new", SPACES, xpath="/b:business/b:beers", namespaces=NS, attribute="r:x", value="no")
xml("namespace delete", SPACES, xpath="//r:rating/~AT~attr:n", namespaces=NS, state="absent", add_children=[])
xml("namespace element new", SPACES, xpath="/b:business/b:beers/b:beer", namespaces=NS, value="y")
xml("namespace element, attribute of it", SPACES, xpath="/b:business/b:beers/attr:beer/~AT~attr:x='1'", namespaces=NS, add_children=[])
xml("namespace children", SPACES, xpath="/b:business/b:beers", namespaces=NS, set_children=[{"beer": "plain"}])
xml("namespace children as XML", SPACES, xpath="/b:business/b:beers", namespaces=NS, input_type="xml",
    set_children=['<beer xmlns="http://test.business" xmlns:q="http://test.attribute" q:a="1"><q:in/></beer>'])
xml("namespace unknown", SPACES, xpath="/b:business/r:rating", value="11", loose=["msg"])
xml("namespace new", SPACES, xpath="/b:business/n:x", namespaces={**NS, "n": "urn:new"}, value="11")
xml("namespace content", SPACES, xpath="//r:rating", namespaces=NS, content="attribute")
xml("bad expression", xpath="/business[", value="x", loose=["msg"])
xml("expression that is a number", xpath="count(//beer)", value="x", loose=["msg"])
xml("bad document", "<a><b></a>", xpath="/a", value="x", loose=["msg"])
xml("no document", path="@/no.xml", xpath="/a", value="x")
xml("file from elsewhere", '<!DOCTYPE a [<!ENTITY e SYSTEM "x.xml">]><a>&e;</a>', xpath="/a/b", value="x", loose=["*", "tree"])
xml("backup", xpath="/business/rating", value="11", backup=True)
xml("mode kept", File("<a/>", 0o600), xpath="/a", value="x")
xml("other encoding", '<?xml version="1.0" encoding="ISO-8859-1"?><a>x</a>', xpath="/a", value="\u00e9")
called("xml through a link", {"community.general.xml": {"path": "@/l", "xpath": "/a", "value": "x"}}, {"x.xml": "<a/>", "l": Link("x.xml")})
for title, more in (("value", {"xpath": "/a", "value": "x"}), ("nothing new", {"xpath": "/a/b", "value": "1"}),
                    ("count", {"xpath": "/a/b", "count": True}), ("pretty", {"pretty_print": True})):
    called(f"xml text, {title}", {"community.general.xml": {"xmlstring": "<a><b>1</b></a>", **more}}, always=True)

"""Cases of get_url."""
from rows import Dir, File, Link, played

GLOOSE = ["src", "elapsed", "response"]
played("get_url", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f"}}, loose=GLOOSE)
played("get_url over link", {"get_url": {"url": "~HTTP~/hello", "dest": "@/l"}}, {"t": File("old\n", 0o640), "l": Link("t")}, loose=GLOOSE)
played("get_url mode", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f", "mode": "0600"}}, loose=GLOOSE)
played("get_url to dir", {"get_url": {"url": "~HTTP~/hello", "dest": "@/d"}}, {"d": Dir()}, loose=GLOOSE)
played("get_url other there", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f", "backup": True}}, {"f": "old"}, loose=GLOOSE)
played("get_url same there", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f"}}, {"f": "hello\n"}, loose=GLOOSE)
played("get_url not modified", {"get_url": {"url": "~HTTP~/dated", "dest": "@/f"}}, {"f": "mine"}, loose=GLOOSE)
played("get_url checksum", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f", "checksum": "sha1:f572d396fae9206628714fb2ce00f72e94f2258f"}}, loose=GLOOSE)
played("get_url checksum there", {"get_url": {"url": "~HTTP~/nothing-here", "dest": "@/f", "checksum": "sha1:f572d396fae9206628714fb2ce00f72e94f2258f"}}, {"f": "hello\n"}, loose=GLOOSE)
played("get_url checksum list", {"get_url": {"url": "~HTTP~/hello", "dest": "@/f", "checksum": "sha1:~HTTP~/sums"}}, loose=GLOOSE)
played("get_url checksum no file in list", {"get_url": {"url": "~HTTP~/dated", "dest": "@/f", "checksum": "sha1:~HTTP~/sums"}}, loose=GLOOSE)
played("get_url 404", {"get_url": {"url": "~HTTP~/nothing-here", "dest": "@/f"}}, loose=GLOOSE)
played("get_url no dir", {"get_url": {"url": "~HTTP~/hello", "dest": "@/no/f"}}, loose=GLOOSE)
played("get_url redirect", {"get_url": {"url": "~HTTP~/moved", "dest": "@/d"}}, {"d": Dir()}, loose=GLOOSE)
played("get_url named by server", {"get_url": {"url": "~HTTP~/attached", "dest": "@/d"}}, {"d": Dir()}, loose=GLOOSE)
played("get_url file", {"get_url": {"url": "file://@/s", "dest": "@/f"}}, {"s": "S\n"}, loose=GLOOSE + ["msg", "status_code"])
played("get_url headers", {"get_url": {"url": "~HTTP~/echo", "dest": "@/f", "headers": {"X-One": "1"}}}, loose=GLOOSE)
played("get_url headers for the first server only", {"get_url": {"url": "~HTTP~/moved-echo", "dest": "@/f", "headers": {"X-One": "1", "X-Two": "2"}, "unredirected_headers": ["x-one"]}}, loose=GLOOSE)
played("get_url headers for the first server only, not sent elsewhere", {"get_url": {"url": "~HTTP~/echo", "dest": "@/f", "headers": {"X-One": "1", "X-Two": "2"}, "unredirected_headers": ["x-one"]}}, loose=GLOOSE)
played("get_url password", {"get_url": {"url": "~HTTP~/secret", "dest": "@/f", "url_username": "u", "url_password": "pw-secret", "force_basic_auth": True}}, loose=GLOOSE)

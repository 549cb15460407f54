"""Cases of uri."""
from rows import played

ULOOSE = ["elapsed", "server", "date", "connection", "cookies", "cookies_string", "last_modified"]
played("uri", {"uri": {"url": "~HTTP~/hello"}}, loose=ULOOSE, always=True)
played("uri content", {"uri": {"url": "~HTTP~/hello", "return_content": True}}, loose=ULOOSE, always=True)
played("uri json", {"uri": {"url": "~HTTP~/json"}}, loose=ULOOSE, always=True)
played("uri post json", {"uri": {"url": "~HTTP~/echo", "method": "POST", "body": {"a": [1, None]}, "body_format": "json", "return_content": True}}, loose=ULOOSE, always=True)
played("uri post form", {"uri": {"url": "~HTTP~/echo", "method": "POST", "body": {"a": "x y", "b": ["1", "2"]}, "body_format": "form-urlencoded", "return_content": True}}, loose=ULOOSE, always=True)
played("uri post raw", {"uri": {"url": "~HTTP~/echo", "method": "POST", "body": "plain", "return_content": True}}, loose=ULOOSE, always=True)
played("uri put", {"uri": {"url": "~HTTP~/echo", "method": "PUT", "body": "x", "return_content": True}}, loose=ULOOSE, always=True)
played("uri delete", {"uri": {"url": "~HTTP~/echo", "method": "DELETE", "return_content": True}}, loose=ULOOSE, always=True)
played("uri 404", {"uri": {"url": "~HTTP~/nothing-here"}}, loose=ULOOSE)
played("uri 404 wanted", {"uri": {"url": "~HTTP~/nothing-here", "status_code": [200, 404]}}, loose=ULOOSE, always=True)
played("uri redirect", {"uri": {"url": "~HTTP~/moved"}}, loose=ULOOSE, always=True)
played("uri redirect not followed", {"uri": {"url": "~HTTP~/moved", "follow_redirects": "none", "status_code": 302}}, loose=ULOOSE, always=True)
played("uri dest", {"uri": {"url": "~HTTP~/hello", "dest": "@/f", "mode": "0600"}}, loose=ULOOSE, always=True)
played("uri creates", {"uri": {"url": "~HTTP~/hello", "creates": "@/have"}}, {"have": ""})
played("uri headers", {"uri": {"url": "~HTTP~/echo", "headers": {"X-One": "1"}, "return_content": True}}, loose=ULOOSE, always=True)
played("uri headers for the first server only", {"uri": {"url": "~HTTP~/moved-echo", "return_content": True, "headers": {"X-One": "1", "X-Two": "2"}, "unredirected_headers": ["x-one"]}}, loose=ULOOSE, always=True)
played("uri post sent elsewhere", {"uri": {"url": "~HTTP~/moved-echo", "method": "POST", "body": "x", "follow_redirects": "all", "return_content": True, "headers": {"X-One": "1", "X-Two": "2"}, "unredirected_headers": ["x-one"]}}, loose=ULOOSE, always=True)
played("uri post sent elsewhere with all headers", {"uri": {"url": "~HTTP~/moved-echo", "method": "POST", "body": "x", "follow_redirects": "all", "return_content": True, "headers": {"X-One": "1"}}}, loose=ULOOSE, always=True)
played("uri nobody listens", {"uri": {"url": "http://127.0.0.1:1/"}}, loose=ULOOSE + ["msg", "redirected"])

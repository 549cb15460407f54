"""Cases of x509_certificate_info."""
from keys import CA, CA_PLAIN, RSA, SELF, keyed, signed

LEAF = signed("-addext", "subjectAltName=DNS:a.example,IP:2001:db8::1", "-addext", "authorityInfoAccess=OCSP;URI:http://o.example/,"
              "caIssuers;URI:http://i.example/", "-addext", "keyUsage=keyCertSign", subject="/O=a/CN=b", key=RSA)
for name, text in {"full": LEAF, "CA": CA, "plain": CA_PLAIN, "Ed25519": SELF}.items():
    keyed(name, "x509_certificate_info", {"path": "@/c"}, {"c": text})
keyed("content, and when", "x509_certificate_info", {"content": SELF, "valid_at": {"a": "+1d", "b": "+2000w", "c": "20200101000000Z", "d": "-1h"}}, {})
keyed("bad time", "x509_certificate_info", {"path": "@/c", "valid_at": {"a": "soon"}}, {"c": SELF}, loose=["*"])
keyed("nonsense", "x509_certificate_info", {"content": "nonsense"}, {}, loose=["msg"])
keyed("not there", "x509_certificate_info", {"path": "@/c"}, {})

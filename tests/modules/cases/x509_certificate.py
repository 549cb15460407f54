"""Cases of x509_certificate."""
import pathlib
import tempfile

from keys import CA, CA_PLAIN, EC, ED, ED_OTHER, NAMED, RSA, SELF, csr, keyed, openssl, signed
from rows import File

FIXED = {"selfsigned_not_before": "20240101000000Z", "selfsigned_not_after": "20400101000000Z"}
OWN = {"ownca_not_before": "20240101000000Z", "ownca_not_after": "20500101000000Z"}


def certificate(title, given=None, loose=(), made=True, key=ED, request_text=NAMED, always=False, **args):
    keyed(title, "x509_certificate",
        {k: v for k, v in {"path": "@/c", "provider": "selfsigned", "privatekey_path": "@/k",
                           **({"csr_path": "@/r"} if request_text else {}), **args}.items() if v is not None},
        {"k": File(key, 0o600), **({"r": request_text} if request_text else {}), **(given or {})},
        [*loose, *(["tree", "serial_number", "certificate"] if made else [])], always)


certificate("selfsigned", **FIXED)
certificate("selfsigned, content returned", return_content=True, **FIXED)
certificate("selfsigned, no request", request_text=None, **FIXED)
certificate("selfsigned, now", loose=["notBefore", "notAfter"])
certificate("selfsigned, RSA", key=RSA, request_text=csr(key=RSA), selfsigned_digest="sha512", **FIXED)
certificate("selfsigned, digest unknown", key=RSA, request_text=csr(key=RSA), selfsigned_digest="nope")
certificate("selfsigned, version 2", selfsigned_version=2)
certificate("selfsigned, bad time", selfsigned_not_after="soon")
certificate("selfsigned there", {"c": SELF}, made=False)
certificate("selfsigned there, other times count", {"c": SELF}, ignore_timestamps=False, **FIXED)
certificate("selfsigned there, other request", {"c": SELF}, request_text=csr(), **FIXED)
certificate("selfsigned there, other subject", {"c": SELF}, request_text=csr("-addext", "subjectAltName=DNS:a.example",
                                                                             subject="/CN=b"), **FIXED)
certificate("selfsigned there, other key", {"c": SELF}, key=ED_OTHER,
            request_text=csr("-addext", "subjectAltName=DNS:a.example", key=ED_OTHER), **FIXED)
certificate("selfsigned there, no identifier wanted", {"c": SELF}, selfsigned_create_subject_key_identifier="never_create", **FIXED)
certificate("selfsigned, identifier of the request", request_text=csr("-addext", "subjectKeyIdentifier=00112233"), **FIXED)
certificate("selfsigned, identifier always made", request_text=csr("-addext", "subjectKeyIdentifier=00112233"),
            selfsigned_create_subject_key_identifier="always_create", **FIXED)
certificate("nonsense there", {"c": "nonsense"}, backup=True, **FIXED)
certificate("forced", {"c": SELF}, force=True, always=True, **FIXED)
certificate("mode", {"c": SELF}, made=False, mode="0600")
certificate("request not there", csr_path="@/no")
certificate("key not there", privatekey_path="@/no")
certificate("no key", privatekey_path=None)
certificate("no provider", provider=None, loose=["msg"])
certificate("absent", {"c": SELF}, made=False, state="absent", return_content=True)
certificate("absent not there", made=False, state="absent", provider=None)
certificate("no folder", path="@/no/c")


def under(ca, key, wanted):
    """The request, signed by a CA with openssl's own program."""
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        for name, text in {"ca": ca, "key": key, "csr": wanted, "ext": "subjectAltName=DNS:a.example\nsubjectKeyIdentifier=hash\n"
                           "authorityKeyIdentifier=keyid\n"}.items():
            (here / name).write_text(text)
        return openssl("x509", "-req", "-in", here / "csr", "-CA", here / "ca", "-CAkey", here / "key", "-extfile", here / "ext",
                       "-CAserial", here / "serial", "-CAcreateserial", "-days", "36500")


def by_ca(title, given=None, ca=CA, **args):
    certificate(title, {"ca": ca, "cak": File(EC, 0o600), **(given or {})}, provider="ownca", privatekey_path=None,
                **{"ownca_path": "@/ca", "ownca_privatekey_path": "@/cak", **args})


by_ca("ownca", **OWN)
by_ca("ownca without an identifier", ca=CA_PLAIN, **OWN)
by_ca("ownca there, by itself", {"c": signed(key=EC)}, **OWN)
by_ca("ownca there", {"c": under(CA, EC, NAMED)}, made=False)
by_ca("ownca there, of another CA", {"c": under(CA, EC, NAMED)}, ca=CA_PLAIN, **OWN)
by_ca("ownca there, not ours", {"c": under(CA, EC, NAMED)}, ownca_create_authority_key_identifier=False, **OWN)
by_ca("ownca, no identifier of the CA", ownca_create_authority_key_identifier=False, return_content=True, **OWN)
by_ca("ownca, content given", ownca_path=None, ownca_content=CA, ownca_privatekey_path=None, ownca_privatekey_content=EC, **OWN)
by_ca("ownca, another key", {"cak": File(ED, 0o600)})
by_ca("ownca, no certificate", ownca_path=None)
by_ca("ownca, no key", ownca_privatekey_path=None)
by_ca("ownca, certificate not there", ownca_path="@/no")
by_ca("ownca, key not there", ownca_privatekey_path="@/no")
by_ca("ownca, no request", csr_path=None)

"""Cases of openssl_csr."""
from keys import EC, ED, ED_LOCKED, ED_OTHER, NAMED, RSA, csr, keyed
from rows import File


def request(title, given=None, loose=(), key=ED, always=False, **args):
    keyed(title, "openssl_csr", {k: v for k, v in {"path": "@/r", "privatekey_path": "@/k", **args}.items() if v is not None}, {"k": File(key, 0o600), **(given or {})},
        loose, always)


request("new", common_name="a.example")
request("content returned", common_name="a.example", return_content=True)
request("nothing in it")
request("all of a subject", country_name="FR", state_or_province_name="Ain", locality_name="Bourg", organization_name="O & é",
        organizational_unit_name="unit", common_name="a.example", email_address="a~AT~example.com")
request("subject by words", subject={"CN": "a", "O": ["one", "two"], "2.5.4.97": "id", "serialNumber": "7", "DC": "x"})
request("subject in order", subject_ordered=[{"OU": "a"}, {"CN": "b"}, {"OU": ["c", "d"]}])
request("subject in order and besides", subject_ordered=[{"OU": "a"}], common_name="b")
request("subject with nothing", subject={"CN": ""}, loose=["msg"])
request("subject of no type", subject={"NOPE": "a"})
request("country too long", country_name="France")
request("names", subject_alt_name=["DNS:a.example", "DNS:*.b.example", "IP:10.0.0.1", "IP:2001:db8::1", "email:a~AT~b.example",
                                   "URI:https://A.Example:8080/X?y=Z", "RID:1.2.3.4", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a~AT~b",
                                   "otherName:1.2.3;0c:01:61", "dirName:CN=a,O=b\\,c,OU=d"])
request("names, critical", subject_alt_name="DNS:a.example,DNS:b.example", subject_alt_name_critical=True, common_name="z")
request("name of no kind", subject_alt_name=["a.example"])
request("name of unknown kind", subject_alt_name=["X:a.example"])
request("name with a bad address", subject_alt_name=["IP:10.0.0.300"])
request("common name is no other name", common_name="a.example", use_common_name_for_san=False)
request("usages", key_usage=["digitalSignature", "Key Agreement", "encipherOnly"], key_usage_critical=True,
        extended_key_usage=["serverAuth", "TLS Web Client Authentication", "1.2.3.4"], extended_key_usage_critical=True)
request("usage unknown", key_usage=["nope"])
request("extended usage unknown", extended_key_usage=["nope"])
request("a CA", basic_constraints=["CA:TRUE", "pathlen:0"], basic_constraints_critical=True, key_usage="keyCertSign,cRLSign")
request("no CA", basic_constraints=["CA:FALSE"])
request("constraint unknown", basic_constraints=["CA:MAYBE"])
request("constraint that is none", basic_constraints=["nope"])
request("must staple", ocsp_must_staple=True, ocsp_must_staple_critical=True)
request("name constraints", name_constraints_permitted=["DNS:.example", "IP:10.0.0.0/8", "email:.b"],
        name_constraints_excluded=["URI:.c", "IP:2001:db8::/32"], name_constraints_critical=True)
request("name constraint that is no network", name_constraints_permitted=["IP:10.0.0.1"])
request("name constraint with host bits", name_constraints_permitted=["IP:10.0.0.1/8"])
request("identifier", create_subject_key_identifier=True)
request("identifier given", subject_key_identifier="00:11:22:33")
request("identifier given and made", subject_key_identifier="00:11", create_subject_key_identifier=True)
request("identifier that is none", subject_key_identifier="xy", loose=["msg"])
request("authority", authority_key_identifier="00:11:22", authority_cert_issuer=["DNS:ca.example", "dirName:CN=ca"],
        authority_cert_serial_number=12345)
request("authority with no number", authority_cert_issuer=["DNS:ca.example"], authority_cert_serial_number="", loose=["msg"])
request("authority without a number", authority_cert_issuer=["DNS:ca.example"], loose=["msg"])
request("revocations", crl_distribution_points=[
    {"full_name": ["URI:https://ca.example/crl"], "crl_issuer": ["DNS:ca.example"], "reasons": ["key_compromise", "aa_compromise"]},
    {"relative_name": ["CN=a,b", "O=c"]}])
request("revocations of nothing", crl_distribution_points=[{"full_name": []}])
request("revocations with no relative name", crl_distribution_points=[{"relative_name": [""]}])
request("revocations of nobody", crl_distribution_points=[{"reasons": ["superseded"]}], loose=["msg"])
request("revocations of two", crl_distribution_points=[{"full_name": ["DNS:a"], "relative_name": ["CN=a"]}], loose=["msg"])
request("RSA", key=RSA, common_name="a.example", digest="sha512")
request("EC", key=EC, common_name="a.example", loose=["tree"])
request("digest unknown", key=RSA, common_name="a.example", digest="nope")
request("there", {"r": NAMED}, common_name="a.example")
request("there, made otherwise", {"r": csr("-addext", "subjectAltName=DNS:b.example,DNS:a.example", "-addext",
                                          "extendedKeyUsage=clientAuth,serverAuth", subject="/O=b/CN=a.example")},
        common_name="a.example", organization_name="b", subject_alt_name="DNS:a.example,DNS:b.example",
        extended_key_usage="serverAuth,clientAuth")
request("there, order counts", {"r": csr(subject="/O=b/CN=a")}, subject_ordered=[{"CN": "a"}, {"O": "b"}],
        use_common_name_for_san=False)
request("there, another subject", {"r": NAMED}, common_name="b.example")
request("there, another name", {"r": NAMED}, common_name="a.example", subject_alt_name="DNS:b.example")
request("there, of another key", {"r": csr("-addext", "subjectAltName=DNS:a.example", key=ED_OTHER)}, common_name="a.example")
request("there, a usage more", {"r": NAMED}, common_name="a.example", key_usage="digitalSignature")
request("there, a usage less", {"r": csr("-addext", "subjectAltName=DNS:a.example", "-addext", "keyUsage=digitalSignature")},
        common_name="a.example")
request("there, critical", {"r": csr("-addext", "subjectAltName=critical,DNS:a.example")}, common_name="a.example")
request("nonsense there", {"r": "nonsense"}, common_name="a.example", backup=True)
request("forced", {"r": NAMED}, common_name="a.example", force=True, always=True)
request("mode", {"r": NAMED}, common_name="a.example", mode="0600")
request("absent", {"r": NAMED}, state="absent", return_content=True, privatekey_path=None)
request("absent not there", state="absent")
request("key not there", privatekey_path="@/no", common_name="a.example", loose=["check"])
request("no key", privatekey_path=None, loose=["msg"])
request("locked key", key=ED_LOCKED, privatekey_passphrase="secret", common_name="a.example")
request("no folder", path="@/no/r", common_name="a.example")

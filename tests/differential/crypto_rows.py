"""Rows of keys, requests and certificates for test_modules_collections.py. What is signed with Ed25519 comes out the same byte for
byte in two programs; a certificate has a random number and times of its own."""
import pathlib
import subprocess
import tempfile

from files_rows import File, Row

ROWS = []


def openssl(*words, given=""):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=True).stdout


ED = openssl("genpkey", "-algorithm", "ed25519")
ED_OTHER = openssl("genpkey", "-algorithm", "ed25519")
ED_LOCKED = openssl("pkey", "-aes256", "-passout", "pass:secret", given=ED)
RSA = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
EC = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
EC5 = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")
ED448 = openssl("genpkey", "-algorithm", "ed448")
KEYS = {"k": File(ED, 0o600)}


def row(title, module, args, given, loose=(), always=False):
    ROWS.append(Row(f"{module} {title}", given, {f"community.crypto.{module}": args}, {"loose": list(loose), "always": always}))


# --- public keys --------------------------------------------------------------------------------------
def public(title, given=None, loose=(), key=ED, always=False, **args):
    row(title, "openssl_publickey", {"path": "@/p", **({} if "privatekey_content" in args or args.get("state") == "absent"
                                                       else {"privatekey_path": "@/k"}), **args},
        {"k": File(key, 0o600), **(given or {})}, loose, always)


def pem(key):
    return openssl("pkey", "-pubout", given=key)


public("new")
public("content returned", return_content=True)
public("content given", privatekey_content=ED)
for name, key in {"RSA": RSA, "EC": EC, "EC 521": EC5, "Ed25519": ED}.items():
    public(f"OpenSSH {name}", key=key, format="OpenSSH", return_content=True)
public("OpenSSH has no Ed448", key=ED448, format="OpenSSH", loose=["*"])
public("Ed448", key=ED448)
public("there", {"p": pem(ED)})
public("there, of another key", {"p": pem(ED_OTHER)}, return_content=True)
public("there, in OpenSSH's form", {"p": pem(ED)}, format="OpenSSH")
public("nonsense there", {"p": "nonsense"})
# To a program that asks whoever is at the terminal this one would say nothing: it hangs.
public("locked nonsense there", {"p": "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                                      "AAAAAAAAAAAAAAAAAAAAAA==\n-----END PUBLIC KEY-----\n"})
public("mode", {"p": pem(ED)}, mode="0600")
public("forced", {"p": pem(ED)}, force=True, always=True)
public("backup", {"p": pem(ED_OTHER)}, backup=True)
public("absent", {"p": pem(ED)}, state="absent")
public("absent with backup", {"p": pem(ED)}, state="absent", backup=True, return_content=True)
public("absent not there", state="absent")
public("locked key", key=ED_LOCKED, privatekey_passphrase="secret")
public("locked key, wrong", key=ED_LOCKED, privatekey_passphrase="other")
public("locked key, none", key=ED_LOCKED)
public("key not there", privatekey_path="@/no", loose=["check"])
public("no key", privatekey_path=None, loose=["msg"])
public("no folder", path="@/no/p", loose=["msg"])


# --- requests -----------------------------------------------------------------------------------------
def request(title, given=None, loose=(), key=ED, always=False, **args):
    row(title, "openssl_csr", {k: v for k, v in {"path": "@/r", "privatekey_path": "@/k", **args}.items() if v is not None}, {"k": File(key, 0o600), **(given or {})},
        loose, always)


def csr(*words, key=ED, subject="/CN=a.example"):
    config = "[req]\ndistinguished_name=d\n[d]\n"
    return subprocess.run(["sh", "-c", 'f=$(mktemp); c=$(mktemp); printf "%s" "$1" > $f; printf "%s" "$2" > $c; shift 2; '
                           'openssl req -new -config $c -key $f -utf8 "$@"; rm $f $c', "-", key, config, "-subj", subject, *words],
                          capture_output=True, text=True, check=True).stdout


NAMED = csr("-addext", "subjectAltName=DNS:a.example")
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


FULL = csr("-addext", "subjectAltName=DNS:a.example,IP:10.0.0.1,email:a@b,URI:https://a.example/,RID:1.2.3", "-addext",
        "keyUsage=critical,digitalSignature,keyAgreement,decipherOnly", "-addext", "extendedKeyUsage=serverAuth,1.2.3.4",
        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:3", "-addext", "tlsfeature=status_request", "-addext",
        "nameConstraints=permitted;DNS:.example,excluded;IP:10.0.0.0/255.0.0.0", subject="/C=FR/O=b/OU=c/OU=d/CN=a.example")
for name, text in {"full": FULL, "plain": csr(), "RSA": csr(key=RSA), "EC": csr(key=EC)}.items():
    row(name, "openssl_csr_info", {"path": "@/r"}, {"r": text})
row("content", "openssl_csr_info", {"content": FULL}, {})
row("nonsense", "openssl_csr_info", {"content": "nonsense"}, {}, loose=["msg"])
row("not there", "openssl_csr_info", {"path": "@/r"}, {})
row("neither", "openssl_csr_info", {}, {}, loose=["msg"])


# --- certificates -------------------------------------------------------------------------------------
FIXED = {"selfsigned_not_before": "20240101000000Z", "selfsigned_not_after": "20400101000000Z"}
OWN = {"ownca_not_before": "20240101000000Z", "ownca_not_after": "20500101000000Z"}


def certificate(title, given=None, loose=(), made=True, key=ED, request_text=NAMED, always=False, **args):
    row(title, "x509_certificate",
        {k: v for k, v in {"path": "@/c", "provider": "selfsigned", "privatekey_path": "@/k",
                           **({"csr_path": "@/r"} if request_text else {}), **args}.items() if v is not None},
        {"k": File(key, 0o600), **({"r": request_text} if request_text else {}), **(given or {})},
        [*loose, *(["tree", "serial_number", "certificate"] if made else [])], always)


def signed(*words, key=ED, subject="/CN=a.example", days="36500"):
    config = "[req]\ndistinguished_name=d\n[d]\n"
    return subprocess.run(["sh", "-c", 'f=$(mktemp); c=$(mktemp); printf "%s" "$1" > $f; printf "%s" "$2" > $c; shift 2; '
                           'openssl req -x509 -new -config $c -key $f "$@"; rm $f $c', "-", key, config, "-days", days, "-subj",
                           subject, *words], capture_output=True, text=True, check=True).stdout


SELF = signed("-addext", "subjectAltName=DNS:a.example", "-addext", "subjectKeyIdentifier=hash", "-addext", "authorityKeyIdentifier=none")
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

CA = signed("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectKeyIdentifier=hash", key=EC, subject="/O=o/CN=ca")
CA_PLAIN = signed("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectKeyIdentifier=none", key=EC, subject="/CN=ca")


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

LEAF = signed("-addext", "subjectAltName=DNS:a.example,IP:2001:db8::1", "-addext", "authorityInfoAccess=OCSP;URI:http://o.example/,"
              "caIssuers;URI:http://i.example/", "-addext", "keyUsage=keyCertSign", subject="/O=a/CN=b", key=RSA)
for name, text in {"full": LEAF, "CA": CA, "plain": CA_PLAIN, "Ed25519": SELF}.items():
    row(name, "x509_certificate_info", {"path": "@/c"}, {"c": text})
row("content, and when", "x509_certificate_info", {"content": SELF, "valid_at": {"a": "+1d", "b": "+2000w", "c": "20200101000000Z", "d": "-1h"}}, {})
row("bad time", "x509_certificate_info", {"path": "@/c", "valid_at": {"a": "soon"}}, {"c": SELF}, loose=["*"])
row("nonsense", "x509_certificate_info", {"content": "nonsense"}, {}, loose=["msg"])
row("not there", "x509_certificate_info", {"path": "@/c"}, {})

"""Keys, requests and certificates that cases begin with. What is signed with Ed25519 comes out the same byte for byte in two
programs; a certificate has a random number and times of its own."""
import subprocess

from rows import CALLED, Row


def openssl(*words, given=""):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=True).stdout


ED = openssl("genpkey", "-algorithm", "ed25519")
ED_OTHER = openssl("genpkey", "-algorithm", "ed25519")
ED_LOCKED = openssl("pkey", "-aes256", "-passout", "pass:secret", given=ED)
RSA = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
EC = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def keyed(title, module, args, given, loose=(), always=False):
    CALLED.append(Row(f"{module} {title}", given, {f"community.crypto.{module}": args}, {"loose": list(loose), "always": always}))


def csr(*words, key=ED, subject="/CN=a.example"):
    config = "[req]\ndistinguished_name=d\n[d]\n"
    return subprocess.run(["sh", "-c", 'f=$(mktemp); c=$(mktemp); printf "%s" "$1" > $f; printf "%s" "$2" > $c; shift 2; '
                           'openssl req -new -config $c -key $f -utf8 "$@"; rm $f $c', "-", key, config, "-subj", subject, *words],
                          capture_output=True, text=True, check=True).stdout


NAMED = csr("-addext", "subjectAltName=DNS:a.example")


def signed(*words, key=ED, subject="/CN=a.example", days="36500"):
    config = "[req]\ndistinguished_name=d\n[d]\n"
    return subprocess.run(["sh", "-c", 'f=$(mktemp); c=$(mktemp); printf "%s" "$1" > $f; printf "%s" "$2" > $c; shift 2; '
                           'openssl req -x509 -new -config $c -key $f "$@"; rm $f $c', "-", key, config, "-days", days, "-subj",
                           subject, *words], capture_output=True, text=True, check=True).stdout


SELF = signed("-addext", "subjectAltName=DNS:a.example", "-addext", "subjectKeyIdentifier=hash", "-addext", "authorityKeyIdentifier=none")

CA = signed("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectKeyIdentifier=hash", key=EC, subject="/O=o/CN=ca")
CA_PLAIN = signed("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectKeyIdentifier=none", key=EC, subject="/CN=ca")

"""Cases of openssl_csr_info."""
from keys import EC, RSA, csr, keyed

FULL = csr("-addext", "subjectAltName=DNS:a.example,IP:10.0.0.1,email:a@b,URI:https://a.example/,RID:1.2.3", "-addext",
        "keyUsage=critical,digitalSignature,keyAgreement,decipherOnly", "-addext", "extendedKeyUsage=serverAuth,1.2.3.4",
        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:3", "-addext", "tlsfeature=status_request", "-addext",
        "nameConstraints=permitted;DNS:.example,excluded;IP:10.0.0.0/255.0.0.0", subject="/C=FR/O=b/OU=c/OU=d/CN=a.example")
for name, text in {"full": FULL, "plain": csr(), "RSA": csr(key=RSA), "EC": csr(key=EC)}.items():
    keyed(name, "openssl_csr_info", {"path": "@/r"}, {"r": text})
keyed("content", "openssl_csr_info", {"content": FULL}, {})
keyed("nonsense", "openssl_csr_info", {"content": "nonsense"}, {}, loose=["msg"])
keyed("not there", "openssl_csr_info", {"path": "@/r"}, {})
keyed("neither", "openssl_csr_info", {}, {}, loose=["msg"])

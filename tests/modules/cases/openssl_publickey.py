"""Cases of openssl_publickey."""
from keys import EC, ED, ED_LOCKED, ED_OTHER, RSA, keyed, openssl
from rows import File

EC5 = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")
ED448 = openssl("genpkey", "-algorithm", "ed448")


def public(title, given=None, loose=(), key=ED, always=False, **args):
    keyed(title, "openssl_publickey", {"path": "@/p", **({} if "privatekey_content" in args or args.get("state") == "absent"
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

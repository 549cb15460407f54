"""Cases of openssl_privatekey."""
import subprocess

from rows import File, called


def private_key(title, given=None, loose=(), made=True, **args):
    """made: the key is a new one, which no two programs make alike."""
    called(f"openssl_privatekey {title}", {"community.crypto.openssl_privatekey": {"path": "@/k", **args}}, given,
        loose=[*loose, *(["fingerprint", "tree", "privatekey"] if made else [])])


def openssl(*words, given=""):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=True).stdout


EC1 = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
EC8 = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
ED = openssl("genpkey", "-algorithm", "ed25519")
ED_LOCKED = openssl("pkey", "-aes256", "-passout", "pass:secret", given=ED)
P256 = {"type": "ECC", "curve": "secp256r1"}
private_key("new ECC", **P256)
private_key("new RSA", size=1024)
private_key("new Ed25519", type="Ed25519", return_content=True)
private_key("there", {"k": File(EC1, 0o600)}, made=False, **P256)
private_key("there, another mode", {"k": File(EC1, 0o644)}, made=False, **P256)
private_key("there, mode kept", {"k": File(EC1, 0o640)}, made=False, mode="0640", return_content=True, **P256)
private_key("another curve", {"k": File(EC1, 0o600)}, type="ECC", curve="secp384r1")
private_key("another type", {"k": File(ED, 0o600)}, **P256)
private_key("another type, only fail", {"k": File(ED, 0o600)}, regenerate="fail", **P256)
private_key("another type, never", {"k": File(ED, 0o600)}, made=False, regenerate="never", **P256)
private_key("another format does", {"k": File(EC8, 0o600)}, made=False, **P256)
private_key("another format", {"k": File(EC8, 0o600)}, format="auto", **P256)
private_key("another format, converted", {"k": File(EC8, 0o600)}, made=False, format="pkcs1", format_mismatch="convert", **P256)
private_key("to pkcs8", {"k": File(EC1, 0o600)}, made=False, format="pkcs8", format_mismatch="convert", **P256)
private_key("raw", {"k": File(ED, 0o600)}, loose=["tree"], made=False, type="Ed25519", format="raw", format_mismatch="convert")
private_key("locked there", {"k": File(ED_LOCKED, 0o600)}, made=False, type="Ed25519", passphrase="secret")
private_key("locked otherwise", {"k": File(ED_LOCKED, 0o600)}, type="Ed25519", passphrase="other")
private_key("locked, no passphrase", {"k": File(ED_LOCKED, 0o600)}, type="Ed25519", regenerate="partial_idempotence")
private_key("new locked", type="Ed25519", passphrase="secret")
private_key("broken", {"k": File("nonsense", 0o600)}, type="Ed25519")
private_key("backup", {"k": File(ED, 0o600)}, backup=True, loose=["backup_file"], **P256)
private_key("absent", {"k": File(ED, 0o600)}, made=False, state="absent")
private_key("absent not there", made=False, state="absent")
private_key("no folder", path="@/no/k", type="Ed25519", loose=["name"])

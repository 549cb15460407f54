"""Signed documents made by hand: what a thief of keys could sign, and what nobody should believe."""
import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Key:
    """A private key file of `holdfast key generate`."""

    def __init__(self, path):
        self.private = serialization.load_pem_private_key(open(path, "rb").read(), None)
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = hashlib.sha256(raw).hexdigest()

    def sign(self, message):
        return self.private.sign(message)


class OtherAlgorithm(Key):
    """An ECDSA signature under the name of an Ed25519 key."""

    def sign(self, message):
        return ec.generate_private_key(ec.SECP256R1()).sign(message, ec.ECDSA(hashes.SHA256()))


class Malformed(Key):
    """A signature one byte short."""

    def sign(self, message):
        return self.private.sign(message)[:-1]


def kind_type(kind):
    return f"application/vnd.holdfast.{kind}.v1+json"


def payload_bytes(payload):
    return payload if isinstance(payload, bytes) else json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def envelope(kind, payload, keys, signed_as=None):
    """The one spelling; signed_as: the kind the signature is for, where that is another."""
    body, name = payload_bytes(payload), kind_type(signed_as or kind)
    pae = b" ".join([b"DSSEv1", str(len(name)).encode(), name.encode(), str(len(body)).encode(), body])
    rows = ",".join(f'{{"keyid":"{k.id}","sig":"{base64.b64encode(k.sign(pae)).decode()}"}}' for k in keys)
    return f'{{"payloadType":"{kind_type(kind)}","payload":"{base64.b64encode(body).decode()}","signatures":[{rows}]}}\n'.encode()


def payload(document):
    return json.loads(base64.b64decode(json.loads(document)["payload"]))

"""Encryption at rest of what identifies or compromises somebody, and the keyed hash it is looked up by.

One secret (`FRONTDESK_SECRET_KEY`) gives two keys: one encrypts, one hashes. `Database` installs them before the first
row is read; losing the secret means losing every encrypted column.
"""

import base64
import hashlib
import hmac
import zlib

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# What a turn found is 70,000 characters of times much alike. Packed they are a thirtieth, sooner than they are encrypted.
_LONG = 1000
_PACKED = b"\xff"  # begins no text in UTF-8


class CannotDecrypt(Exception):
    """The stored value was written with another key, or changed since."""


class Keyring:
    """The two keys made from one secret."""

    def __init__(self, secret: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(secret, b"frontdesk columns")))
        self._hash_key = _derived(secret, b"frontdesk look-up")

    def encrypt(self, text: str) -> str:
        plain = text.encode()
        if len(plain) >= _LONG:
            plain = _PACKED + zlib.compress(plain, level=1)
        return self._fernet.encrypt(plain).decode()

    def decrypt(self, token: str) -> str:
        try:
            plain = self._fernet.decrypt(token.encode())
        except InvalidToken:
            raise CannotDecrypt("FRONTDESK_SECRET_KEY is not the key this was written with") from None
        return (zlib.decompress(plain[1:]) if plain.startswith(_PACKED) else plain).decode()

    def lookup_hash(self, text: str) -> str:
        """Return a hash by which an encrypted value can be found. Pass it in one normal form (E.164, ISO date)."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()

    def signature(self, text: str) -> str:
        """Return a short tamper seal for a token that travels outside."""
        return hmac.new(self._hash_key, b"seal:" + text.encode(), hashlib.sha256).hexdigest()[:20]


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())


_installed: list[Keyring] = []


def install(keyring: Keyring) -> None:
    """Use `keyring` for all encrypted columns of this process. May be called again with the same secret or another."""
    _installed[:] = [keyring]


def keyring() -> Keyring:
    """Return the installed keyring. It is process-wide because a column type cannot be handed one per session."""
    if not _installed:
        raise RuntimeError("no keyring installed: make a kernel.work.Database first")
    return _installed[0]

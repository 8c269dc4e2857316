"""Secrets at rest: sealed with AES-256-GCM, bound to the entity that they belong to.

Promises: a sealed text opens only with its key and for its own entity (moved to another one, or changed in one bit, it
is refused); keys rotate: the first of `secret_key`'s comma-separated parts seals, all of them open.
It cannot protect a secret from somebody who has both the database and the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "vault:1:"
_NONCE = 12


class VaultRefused(ValueError):
    """A sealed text cannot be opened; the message says why and what to do, never what is inside."""


class Vault:
    """`secret_key`: one long random text, or several, newest first, separated by commas."""

    def __init__(self, secret_key: str) -> None:
        parts = [part.strip() for part in secret_key.split(",") if part.strip()]
        if not parts:
            raise VaultRefused("secret_key is empty: set WAYBILL_SECRET_KEY to a long random text")
        self._keys: dict[str, AESGCM] = {}
        for part in parts:
            key = _derive(part)
            # The id is a fingerprint of the derived key: it tells keys apart and nothing about them.
            self._keys.setdefault(hashlib.sha256(key).hexdigest()[:8], AESGCM(key))
        self._newest = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"Vault(keys={list(self._keys)})"

    def seal(self, entity: str, plain: str) -> str:
        """`vault:1:<key id>:<base64 of nonce and ciphertext>`; another text each time."""
        nonce = os.urandom(_NONCE)
        sealed = self._keys[self._newest].encrypt(nonce, plain.encode(), entity.encode())
        return f"{PREFIX}{self._newest}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, entity: str, sealed: str) -> str:
        """What was sealed for this entity; VaultRefused when it cannot be opened."""
        if not is_sealed(sealed):
            raise VaultRefused(f"the secret of {entity} is not sealed: seal it before storing it")
        key_id, _, body = sealed[len(PREFIX) :].partition(":")
        key = self._keys.get(key_id)
        if key is None:
            raise VaultRefused(
                f"the secret of {entity} was sealed with key {key_id}, which WAYBILL_SECRET_KEY does not hold:"
                " add the old key after a comma"
            )
        try:
            data = base64.urlsafe_b64decode(body)
            return key.decrypt(data[:_NONCE], data[_NONCE:], entity.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise VaultRefused(
                f"the secret of {entity} was changed, or sealed for another entity: enter it again"
            ) from error

    def outdated(self, sealed: str) -> bool:
        """Whether it was sealed with another key than the newest, so that a rotation has to seal it again."""
        return not sealed.startswith(f"{PREFIX}{self._newest}:")


def is_sealed(text: str) -> bool:
    """Whether it has the form of a sealed text."""
    return text.startswith(PREFIX)


def _derive(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"waybill vault 1").derive(secret.encode())

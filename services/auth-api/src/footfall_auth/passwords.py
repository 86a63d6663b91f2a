"""Passwords: hashed with Argon2id, and compared in the same time whether or not there is such a user."""

from __future__ import annotations

import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 200
"""Characters. Long enough for any phrase, short enough that hashing one costs what hashing any other does."""


class Passwords:
    """Hashes and verifies. `hasher` decides what a guess costs; tests pass a cheap one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        # Nobody's password: verified when there is no user, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: str) -> str:
        """What is stored of a password: parameters, salt and hash."""
        return self._hasher.hash(password)

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; False, after the same work, when nothing is stored."""
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the parameters have changed since it was hashed."""
        return self._hasher.check_needs_rehash(stored)


def make_password() -> str:
    """A new random password, of 120 bits, that a person can copy."""
    return secrets.token_urlsafe(15)

"""The keys that access tokens are signed with: made, stored encrypted, rotated and published."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWK
from sqlalchemy import ColumnElement, Engine, or_, select, update
from sqlalchemy.orm import Session

from footfall_auth.models import SigningKey
from footfall_core.auth import Access, derive_token
from footfall_core.tokens import ALGORITHM, CURVE, LEEWAY, read_key_id, sign, verify

logger = structlog.get_logger(__name__)

ACCESS_SECONDS: Final = 600
"""How long an access token is valid."""


class Signer:
    """Signs with the newest key, and makes the first one when there is none.

    Two processes that start together may both make one: then both are published, and the newer one signs.
    """

    def __init__(self, engine: Engine, secret_key: str, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._box = Fernet(base64.urlsafe_b64encode(bytes.fromhex(derive_token(secret_key, "signing-keys"))))
        self._opened: tuple[str, Ed25519PrivateKey] | None = None
        self._making = threading.Lock()

    def sign(self, access: Access) -> str:
        """An access token."""
        key_id, private_key = self._current()
        return sign(access, private_key, key_id, now=self._clock().timestamp(), seconds=ACCESS_SECONDS)

    def rotate(self, *, withdraw: bool = False) -> SigningKey:
        """Sign with a new key from now on. Tokens signed with the old ones stay valid until they expire, unless
        `withdraw`: then services refuse them as soon as they look for keys again."""
        now = self._clock()
        with Session(self._engine, expire_on_commit=False) as session:
            key = self._make(now)
            retired = now - timedelta(seconds=ACCESS_SECONDS + LEEWAY) if withdraw else now
            old = update(SigningKey).values(retired_at=retired)
            session.execute(old if withdraw else old.where(SigningKey.retired_at.is_(None)))
            session.add(key)
            session.commit()
        return key

    def published(self) -> dict[str, Any]:
        """The public keys as a JWKS document: the one that signs, and those whose tokens are still valid."""
        self._current()
        with Session(self._engine) as session:
            keys = session.scalars(select(SigningKey).where(self._is_published()).order_by(SigningKey.id))
            return {"keys": [_published(key) for key in keys]}

    def verify(self, session: Session, token: str) -> Access:
        """What a token says. Raises `BadToken` when it is not valid now."""
        key_id = read_key_id(token)
        key = session.scalars(select(SigningKey).where(SigningKey.key_id == key_id, self._is_published())).one_or_none()
        keys = {} if key is None else {key_id: PyJWK(_published(key), ALGORITHM)}
        return verify(token, keys, now=self._clock().timestamp())

    def _is_published(self) -> ColumnElement[bool]:
        oldest = self._clock() - timedelta(seconds=ACCESS_SECONDS + LEEWAY)
        return or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > oldest)

    def _current(self) -> tuple[str, Ed25519PrivateKey]:
        with self._making, Session(self._engine) as session:
            newest = session.scalars(
                select(SigningKey).where(SigningKey.retired_at.is_(None)).order_by(SigningKey.id.desc()).limit(1)
            ).one_or_none()
            if newest is not None and self._opened is not None and newest.key_id == self._opened[0]:
                return self._opened
            private_key = self._open(newest) if newest is not None else None
            if newest is None or private_key is None:
                now = self._clock()
                session.execute(update(SigningKey).where(SigningKey.retired_at.is_(None)).values(retired_at=now))
                newest = self._make(now)
                private_key = self._open(newest)
                assert private_key is not None
                session.add(newest)
                session.commit()
            self._opened = (newest.key_id, private_key)
            return self._opened

    def _make(self, now: datetime) -> SigningKey:
        private_key = Ed25519PrivateKey.generate()
        return SigningKey(
            key_id=secrets.token_urlsafe(12),
            public_key=_encode(private_key.public_key().public_bytes_raw()),
            private_key=self._box.encrypt(private_key.private_bytes_raw()).decode(),
            created_at=now,
        )

    def _open(self, key: SigningKey) -> Ed25519PrivateKey | None:
        try:
            return Ed25519PrivateKey.from_private_bytes(self._box.decrypt(key.private_key))
        except InvalidToken:
            logger.warning("the secret key has changed, so a new signing key is made", old_key=key.key_id)
            return None


def _published(key: SigningKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": CURVE, "alg": ALGORITHM, "use": "sig", "kid": key.key_id, "x": key.public_key}


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

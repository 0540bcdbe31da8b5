"""Single sign-on by OpenID Connect: authorization code with PKCE, state and nonce; the provider's keys say whose ID token it is.

OidcRefused    `code`: unavailable (the provider does not answer), refused (what came back proves nothing),
               unknown (somebody signed in there who is nobody here)
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import jwt as pyjwt
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import home_folder, transaction
from desk import accounts
from desk.models import Agent
from desk.permissions import ROLES
from messaging.models import UsedSignIn
from messaging.secret import secret_key
from messaging.writes import insert_once

logger = logging.getLogger(__name__)

SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]  # no shared secrets
MINUTES_AT_THE_PROVIDER = 10
LEEWAY = 30  # seconds, by which the provider's clock may differ from ours
PATIENCE = 10.0  # seconds
KEPT = 3600.0  # seconds, for which the provider's addresses and keys are not asked for again
LONGEST_SUBJECT = 255
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OidcRefused(Exception):
    """why: for the audit log, without anything of the token."""

    def __init__(self, code: Literal["unavailable", "refused", "unknown"], why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code, self.why = code, why


@dataclass(frozen=True)
class OidcSettings:
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "SSO"  # as the page calls it
    creates: str = ""  # role of whoever signs in there and is not known here; empty: nobody is made

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> OidcSettings | None:
        """None where there is no TENDERO_OIDC_ISSUER. Raises ValueError for what cannot be; it quotes no secret."""
        issuer = environ.get("TENDERO_OIDC_ISSUER", "").strip()
        if not issuer:
            return None
        parts = urlsplit(issuer)
        if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
            raise ValueError("TENDERO_OIDC_ISSUER is an address that begins with https://")
        client_id, secret = environ.get("TENDERO_OIDC_CLIENT_ID", ""), environ.get("TENDERO_OIDC_CLIENT_SECRET", "")
        if not client_id or not secret:
            raise ValueError("With TENDERO_OIDC_ISSUER, TENDERO_OIDC_CLIENT_ID and TENDERO_OIDC_CLIENT_SECRET are needed, too.")
        creates = environ.get("TENDERO_OIDC_CREATES_AGENTS", "").strip()
        if creates and creates not in ROLES:
            raise ValueError(f"TENDERO_OIDC_CREATES_AGENTS is a role: {', '.join(ROLES)}")
        return cls(issuer, client_id, secret, environ.get("TENDERO_OIDC_NAME") or parts.hostname or "SSO", creates)


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    address: str
    kept: str


@dataclass(frozen=True)
class Person:
    """Who the provider says it is. email: only one that it has verified."""

    subject: str  # "issuer|subject": never another's
    email: str | None
    name: str


def begin(settings: OidcSettings, redirect_uri: str, now: datetime) -> Begun:
    """Raises OidcRefused (unavailable)."""
    provider = provider_of(settings)
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
    with _client(settings, provider.metadata(), redirect_uri) as client:
        address, _ = client.create_authorization_url(
            provider.metadata()["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
    until = now + timedelta(minutes=MINUTES_AT_THE_PROVIDER)
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "until": int(until.timestamp())}
    return Begun(address, pyjwt.encode(kept, _key(), algorithm="HS256"))


def finish(settings: OidcSettings, redirect_uri: str, told: Mapping[str, str], kept: str, now: datetime) -> Person:
    """Who came back from the provider. told: the parameters with which. kept: what the browser had kept.

    The state is used up by this, in a transaction of its own, whatever comes of it. Raises OidcRefused.
    """
    begun = _begun(kept, now)
    if not hmac.compare_digest(str(begun["state"]).encode(), told.get("state", "").encode()):
        raise OidcRefused("refused", "state")
    if told.get("iss", settings.issuer) != settings.issuer:
        raise OidcRefused("refused", "issuer")  # RFC 9207: another provider's answer
    if not told.get("code"):
        raise OidcRefused("refused", "no_code")
    _use_up(str(begun["state"]), now)
    provider = provider_of(settings)
    token = _token(settings, provider, redirect_uri, told["code"], str(begun["verifier"]))
    claims = _claims(provider, token, str(begun["nonce"]), now)
    subject = f"{settings.issuer}|{claims['sub']}"
    if not claims["sub"] or len(subject) > LONGEST_SUBJECT:
        raise OidcRefused("refused", "subject")
    is_verified = claims.get("email_verified") is True and isinstance(claims.get("email"), str)
    return Person(subject, claims["email"] if is_verified else None, str(claims.get("name") or ""))


def agent_for(session: Session, settings: OidcSettings, person: Person, now: datetime) -> Agent:
    """The agent who that is. Raises OidcRefused (unknown).

    By the subject; the first time by a verified e-mail that is the sign-in name of an agent without a subject. Nobody is made,
    unless TENDERO_OIDC_CREATES_AGENTS says so.
    """
    agent = session.execute(select(Agent).where(Agent.oidc_subject == person.subject)).scalar_one_or_none()
    if agent is None:
        agent = _by_email(session, settings, person, now)
    if not agent.is_active:
        raise OidcRefused("unknown", "not_active")
    return agent


def _by_email(session: Session, settings: OidcSettings, person: Person, now: datetime) -> Agent:
    if person.email is None:
        raise OidcRefused("unknown", "email_not_verified")
    agent = accounts.by_sign_in_name(session, person.email)
    if agent is None:
        agent = _made(session, settings, person, person.email, now)
    if agent.oidc_subject is not None:
        raise OidcRefused("unknown", "other_subject")
    if agent.is_active:
        agent.oidc_subject = person.subject
        session.flush()
    return agent


def _made(session: Session, settings: OidcSettings, person: Person, email: str, now: datetime) -> Agent:
    if not settings.creates:
        raise OidcRefused("unknown", "nobodys")
    for name in (person.name, email.partition("@")[0], email.replace("@", " ")):
        try:
            return accounts.create(session, name=name, sign_in_name=email, role=settings.creates, now=now)
        except accounts.AccountError:
            continue
    raise OidcRefused("unknown", "name")


# The provider


class Provider:
    """What a provider says of itself, and its keys: asked for once an hour, and again where a token names a key that is new."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def metadata(self) -> dict[str, Any]:
        """Raises OidcRefused (unavailable): also where it says that it is somebody else."""
        if self._metadata is None or time.monotonic() - self._metadata[0] > KEPT:
            found = _json(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != self.settings.issuer or not all(isinstance(found.get(name), str) for name in needed):
                raise OidcRefused("unavailable", "metadata")
            self._metadata = (time.monotonic(), found)
        return self._metadata[1]

    def keys(self, is_new: bool = False) -> KeySet:
        """is_new: asked for now. Raises OidcRefused (unavailable)."""
        if is_new or self._keys is None or time.monotonic() - self._keys[0] > KEPT:
            try:
                found = KeySet.import_key_set(_json(self.metadata()["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, KeyError, ValueError, TypeError):
                raise OidcRefused("unavailable", "keys") from None
            self._keys = (time.monotonic(), found)
        return self._keys[1]


@lru_cache(maxsize=4)
def provider_of(settings: OidcSettings) -> Provider:
    return Provider(settings)


def _json(address: str) -> dict[str, Any]:
    try:
        answer = httpx.get(address, timeout=PATIENCE)
        answer.raise_for_status()
        content = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        logger.warning("desk: the provider for signing in does not answer: %s", type(error).__name__)
        raise OidcRefused("unavailable", type(error).__name__) from None
    if not isinstance(content, dict):
        raise OidcRefused("unavailable", "no_object")
    return content


def _client(settings: OidcSettings, metadata: Mapping[str, Any], redirect_uri: str) -> OAuth2Client:
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return OAuth2Client(
        settings.client_id,
        settings.client_secret,
        token_endpoint_auth_method="client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        timeout=PATIENCE,
    )


def _token(settings: OidcSettings, provider: Provider, redirect_uri: str, code: str, verifier: str) -> Mapping[str, Any]:
    metadata = provider.metadata()
    try:
        with _client(settings, metadata, redirect_uri) as client:
            token: Mapping[str, Any] = client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier)
    except OAuthError as error:
        logger.warning("desk: the provider for signing in refused the code: %s", error.error)
        raise OidcRefused("refused", "code") from None
    except (httpx.HTTPError, ValueError) as error:
        raise OidcRefused("unavailable", type(error).__name__) from None
    if not isinstance(token.get("id_token"), str):
        raise OidcRefused("refused", "no_id_token")
    return token


def _claims(provider: Provider, token: Mapping[str, Any], nonce: str, now: datetime) -> Mapping[str, Any]:
    settings = provider.settings
    expected = {"iss": {"essential": True, "value": settings.issuer}, "aud": {"essential": True, "value": settings.client_id}}
    params = {"nonce": nonce, "client_id": settings.client_id, "access_token": token.get("access_token")}
    try:
        decoded = _decoded(provider, token["id_token"])
        claims = CodeIDToken(decoded.claims, decoded.header, expected, params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        logger.warning("desk: an ID token was refused: %s", type(error).__name__)
        raise OidcRefused("refused", getattr(error, "error", "") or type(error).__name__) from None
    found: Mapping[str, Any] = claims
    return found


def _decoded(provider: Provider, id_token: str) -> jwt.Token:
    try:
        return jwt.decode(id_token, provider.keys(), algorithms=ALGORITHMS)
    except (JoseError, ValueError):  # their keys may have changed
        return jwt.decode(id_token, provider.keys(is_new=True), algorithms=ALGORITHMS)


# What the browser keeps meanwhile


def _begun(kept: str, now: datetime) -> dict[str, Any]:
    try:
        begun: dict[str, Any] = pyjwt.decode(kept, _key(), algorithms=["HS256"])
    except pyjwt.InvalidTokenError:
        raise OidcRefused("refused", "nothing_kept") from None
    if begun["until"] <= now.timestamp():
        raise OidcRefused("refused", "too_late")
    return begun


def _use_up(state: str, now: datetime) -> None:
    name = hashlib.sha256(f"desk-oidc:{state}".encode()).hexdigest()
    until = now + timedelta(minutes=MINUTES_AT_THE_PROVIDER)
    with transaction() as session:
        is_first = insert_once(session, UsedSignIn, {"name": name, "sender_id": "desk", "expires_at": until})
    if not is_first:
        raise OidcRefused("refused", "used")


def _key() -> str:
    return hmac.new(secret_key(home_folder()), b"desk-oidc", hashlib.sha256).hexdigest()

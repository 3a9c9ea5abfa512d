"""Authentication at the simulated Cloud Director: passwords, API tokens, service accounts, and their sessions."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, replace
from typing import Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from aiohttp import web

from provider_py.sandbox.vcd.behaviors import SYSTEM
from provider_py.sandbox.vcd.errors import forbidden, unauthorized
from provider_py.sandbox.wire import JsonObject, basic_credentials, bearer_token, oauth_error
from provider_py.sandbox.world import World

ORG: Final = "acme"
TENANTS: Final = (ORG, "globex", "Initech & Söhne")
PROVIDER_ORG: Final = "System"
# Credentials of the sandbox; nothing else accepts them.
USER, PASSWORD = "sandbox-user", "sandbox-password"
PROVIDER_USER, PROVIDER_PASSWORD = "administrator", "sandbox-provider-password"
API_TOKEN: Final = "sandbox-api-token"  # noqa: S105
PROVIDER_API_TOKEN: Final = "sandbox-provider-api-token"  # noqa: S105
SERVICE_ACCOUNT_TOKEN: Final = "sandbox-service-account-token"  # noqa: S105
"""The service account's first token; each exchange returns a new one and revokes the one exchanged."""

ORG_URN: Final = "urn:vcloud:org:"
SITE_ID: Final = str(uuid5(NAMESPACE_URL, "vcd-sandbox/site"))


@dataclass(frozen=True, slots=True)
class Session:
    """An open session."""

    id: str
    user: str
    org: str
    token: str
    expires_at: float

    @property
    def org_id(self) -> str:
        """The organization's bare UUID."""
        return org_id(self.org)


def org_id(org: str) -> str:
    """An organization's bare UUID."""
    return str(uuid5(NAMESPACE_URL, f"vcd-sandbox/org/{org}"))


class Access:
    """Opens, finds and closes sessions."""

    def __init__(self, world: World) -> None:
        """Start without a session; a reset closes all."""
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._service_account_token = SERVICE_ACCOUNT_TOKEN
        world.on_reset(self._restore)

    def _restore(self) -> None:
        self._sessions.clear()
        self._service_account_token = SERVICE_ACCOUNT_TOKEN

    def session(self, request: web.Request) -> Session:
        """The session of the request's token; raises ApiError if there is none."""
        session = self._sessions.get(bearer_token(request))
        if session is None or session.expires_at <= self._world.clock():
            raise unauthorized()
        return session

    def in_tenant_context(self, request: web.Request, session: Session) -> Session:
        """The session, in the organization of the request's tenant context; raises ApiError if it may not act there."""
        context = request.headers.get("X-VMWARE-VCLOUD-TENANT-CONTEXT")
        if context is None:
            return session
        if context.startswith(ORG_URN) and self._world.behaviors.text(SYSTEM, "tenant_context") != "any":
            raise unauthorized()
        bare = context.removeprefix(ORG_URN)
        org = next((name for name in (*TENANTS, PROVIDER_ORG) if org_id(name) == bare), None)
        if org is None or (session.org not in {PROVIDER_ORG, org}):
            raise forbidden("There is no such organization, or no right to act in it.")
        return replace(session, org=org)

    def close(self, session: Session) -> None:
        """Log out."""
        self._sessions.pop(session.token, None)

    def log_in(self, request: web.Request, provider: bool) -> Session:
        """Open a session for user@org and a password; raises ApiError if they are wrong."""
        login, password = basic_credentials(request)
        user, _, org = login.rpartition("@")
        if provider:
            valid = (user, org.lower(), password) == (PROVIDER_USER, PROVIDER_ORG.lower(), PROVIDER_PASSWORD)
        else:
            valid = (user, org, password) == (USER, ORG, PASSWORD)
        if not valid:
            raise unauthorized()
        return self._open(user, PROVIDER_ORG if provider else ORG)

    def exchange(self, form: dict[str, str], org: str) -> web.Response:
        """Exchange an API token, or the service account's latest token, for an access token."""
        if form["grant_type"] != "refresh_token":
            return oauth_error("unsupported_grant_type", "grant_type must be refresh_token")
        token = form["refresh_token"]
        next_token: str | None = token
        if org == ORG and secrets.compare_digest(token, self._service_account_token):
            next_token = self._service_account_token = secrets.token_urlsafe(24)
            user = "sandbox-service-account"
        elif {ORG: API_TOKEN, PROVIDER_ORG: PROVIDER_API_TOKEN}.get(org) == token:
            user = USER if org == ORG else PROVIDER_USER
            next_token = token if self._world.behaviors.text(SYSTEM, "api_token_answer") == "repeat" else None
        else:
            return oauth_error("invalid_grant", "the token is unknown, revoked or already exchanged")
        session = self._open(user, org)
        body = {
            "access_token": session.token,
            "token_type": "Bearer",
            "expires_in": int(self._seconds),
            "refresh_token": next_token,
        }
        return web.json_response(body)

    @property
    def _seconds(self) -> float:
        return self._world.behaviors.number(SYSTEM, "token_seconds")

    def _open(self, user: str, org: str) -> Session:
        expires_at = self._world.clock() + self._seconds
        claims = {
            "sub": user,
            "iss": f"{org_id(org)}@{SITE_ID}",
            "exp": int(expires_at),
            "version": "vcloud_1.0",
            "jti": uuid4().hex,
        }
        token = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}.{secrets.token_urlsafe(32)}"
        session = Session(f"urn:vcloud:session:{uuid4()}", user, org, token, expires_at)
        self._sessions[token] = session
        return session


def _part(content: JsonObject) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def describe(session: Session) -> JsonObject:
    """A session in an answer."""
    return {
        "id": session.id,
        "user": {"name": session.user, "id": f"urn:vcloud:user:{uuid5(NAMESPACE_URL, session.user)}"},
        "org": {"name": session.org, "id": f"{ORG_URN}{session.org_id}"},
        "site": {"name": "sandbox", "id": f"urn:vcloud:site:{SITE_ID}"},
        "location": "us-1",
        "roles": ["Organization Administrator"],
        "roleRefs": [{"name": "Organization Administrator", "id": f"urn:vcloud:role:{uuid5(NAMESPACE_URL, 'role')}"}],
        "sessionIdleTimeoutMinutes": 30,
    }


def describe_org(name: str) -> JsonObject:
    """An organization in an answer."""
    return {"id": f"{ORG_URN}{org_id(name)}", "name": name, "displayName": name, "isEnabled": True}

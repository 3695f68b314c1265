"""Endpoint of a link's webhook: skip the event that blocks its queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pmslink.errors import NotApplicableError
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.validation.json_body import BodyField, parse_body, required_field
from pmslink.validation.validators import integer_validator
from pmslink.web.api.audit_trail import UnstoredChangeError, audit_entry
from pmslink.web.api.link_lookup import find_link
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.routing import Route
from pmslink.web.serializers.link_json import LinkJson

_SKIP_FIELDS: Mapping[str, BodyField] = {"seq": required_field(integer_validator(1, 2**53))}


class WebhookResource:
    """Endpoint of webhooks."""

    def __init__(self, links: LinkRegistry, link_json: LinkJson) -> None:
        self._links = links
        self._link_json = link_json

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "POST", "/api/v1/links/<link>/webhook/skip", self.skip_event

    async def skip_event(self, request: ApiRequest, link: str) -> bytes:
        """Skip the event that the receiver does not accept, which the body names by its number."""
        target = find_link(self._links, link)
        seq: int = parse_body(_SKIP_FIELDS, parse_json_object(request), "the body of this call")["seq"]
        if target.webhook_queue is None:
            raise NotApplicableError("not_stuck", f"{link} has no webhook")
        try:
            await shield(target.webhook_queue.skip(seq, audit_entry(request, after={"seq": seq})))
        except StoreUnavailableError as problem:
            message = f"the event is skipped, but that was not stored and may be lost at a restart: {problem}"
            raise UnstoredChangeError(503, "store", message) from None
        return make_response(request, self._link_json.serialize(target) + b"\n")

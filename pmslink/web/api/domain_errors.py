"""Mapping of the hotel's and the store's errors to error responses of the API."""

from __future__ import annotations

from pmslink.hotel.manual_decisions import UnknownManualChangeError
from pmslink.hotel.wake_up_attempts import UnknownWakeUpError, WakeUpNotDueError
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.link.notice_tracker import UnknownNoticeError
from pmslink.store.core.store_errors import ReadLimitError, StoreUnavailableError
from pmslink.store.operations.operator_actions import RowNotFoundError
from pmslink.store.operations.outbox_enqueue import (
    IdempotencyKeyReusedError,
    OutboxFullError,
    PostingNumbersExhaustedError,
)
from pmslink.web.http.api_errors import ApiError


def map_domain_error(exception: BaseException) -> ApiError | None:
    """Return the error response for an error of the hotel or the store; None for any other exception."""
    match exception:
        case UnknownWakeUpError():
            return ApiError(404, "unknown_wake_up", str(exception))
        case UnknownManualChangeError():
            return ApiError(404, "unknown_change", str(exception))
        case TooManyWakeUpsError():
            return ApiError(409, "too_many_wake_ups", str(exception))
        case WakeUpNotDueError():
            return ApiError(409, "not_due", str(exception))
        case IdempotencyKeyReusedError():
            return ApiError(409, "key_reused", "Idempotency-Key was already used with a different body")
        case OutboxFullError() | PostingNumbersExhaustedError():
            return ApiError(503, "outbox_full", str(exception))
        case RowNotFoundError():
            return ApiError(404, "unknown_posting", "the link has no posting with this id")
        case UnknownNoticeError():
            return ApiError(404, "unknown_notice", str(exception))
        case ReadLimitError():
            return ApiError(503, "busy", str(exception))
        case StoreUnavailableError():
            return ApiError(503, "store", f"the store is unavailable: {exception}")
    return None

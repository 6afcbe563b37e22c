"""The shapes in which Venice refuses a request."""

import base64
import json
from typing import Any

from starlette.responses import JSONResponse


class ApiError(Exception):
    """A request that is answered with an error status instead of a result."""

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {body.get('error')}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    def response(self) -> JSONResponse:
        """The reply that the caller gets."""
        return JSONResponse(self.body, self.status, self.headers)


def standard(status: int, message: str, headers: dict[str, str] | None = None) -> ApiError:
    """Venice's StandardError: `error` is a string, and there is no code."""
    return ApiError(status, {"error": message}, headers)


def invalid(issues: list[dict[str, Any]]) -> ApiError:
    """Venice's DetailedError: what is wrong, by field and as a list of issues."""
    details: dict[str, Any] = {"_errors": []}
    for issue in issues:
        place = details
        for part in issue["path"]:
            place = place.setdefault(str(part), {"_errors": []})
        place["_errors"].append(issue["message"])
    return ApiError(
        400, {"error": "Invalid request parameters", "details": details, "issues": issues}
    )


def custom(field: str, message: str, **more: Any) -> ApiError:
    """A DetailedError about one field, for rules that no schema states."""
    return invalid(
        [{"code": "custom", "path": [field] if field else [], "message": message, **more}]
    )


def no_credentials(path: str) -> ApiError:
    """What an inference endpoint answers when no key was sent: not 401, but an offer to pay.

    Venice's document wants a 402 to be either this or a StandardError, but not both: hence no
    `error`.
    """
    accepts = [
        {
            "scheme": "exact",
            "network": network,
            "asset": asset,
            "amount": "10000000",
            "payTo": receiver,
            "maxTimeoutSeconds": 300,
            "extra": {"name": "USD Coin", "version": "2"},
        }
        for network, asset, receiver in (
            ("eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "0x" + "0" * 40),
            (
                "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
                "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
                "1" * 32,
            ),
        )
    ]
    body = {
        "x402Version": 2,
        "resource": {
            "url": f"https://api.venice.ai/api/v1{path}",
            "description": "Venice API",
            "mimeType": "application/json",
        },
        "accepts": accepts,
        "extensions": {},
        "authOptions": {
            "apiKey": {
                "header": "Authorization: Bearer YOUR_API_KEY",
                "getKey": "https://venice.ai/settings/api",
                "docs": "https://docs.venice.ai/api-reference",
            },
            "x402Wallet": {
                "header": "SIGN-IN-WITH-X",
                "legacyHeader": "X-Sign-In-With-X",
                "topUp": "POST /api/v1/x402/top-up",
                "docs": "https://docs.venice.ai/api-reference/endpoint/x402/top-up",
            },
        },
    }
    challenge = {name: body[name] for name in ("x402Version", "resource", "accepts")}
    return ApiError(
        402, body, {"PAYMENT-REQUIRED": base64.b64encode(json.dumps(challenge).encode()).decode()}
    )


def wrong_key() -> ApiError:
    """A key that Venice does not know, or none where a key alone will do."""
    return standard(401, "Authentication failed")


def admin_only() -> ApiError:
    """An inference key at an endpoint that only an admin key may call."""
    return standard(401, "Admin API key required")


def other_address() -> ApiError:
    """A key that is used from an address which is not on its list."""
    return standard(
        403,
        "This API key is restricted to configured IP addresses, "
        "and this request's source IP is not allowed",
    )


def anonymous_model(privacy: str, model: str) -> ApiError:
    """A key whose setting for privacy forbids a model."""
    return standard(
        403,
        f"This API key is set to '{privacy}', but {model} is an Anonymous model. "
        "Choose a Private, TEE, or E2EE model, "
        "or change the model privacy setting of this API key.",
    )


def empty_balance() -> ApiError:
    """A key whose account has no money left for this call."""
    return standard(
        402,
        "Insufficient USD or Diem balance to complete request. "
        "Visit https://venice.ai/settings/api to add credits.",
    )


def too_large(megabytes: int = 25) -> ApiError:
    """An upload over the limit."""
    message = f"File exceeds the maximum allowed size of {megabytes} MB."
    return ApiError(413, {"code": "PAYLOAD_TOO_LARGE", "error": message})


def too_large_body() -> ApiError:
    """A body of JSON over the limit."""
    return ApiError(
        413,
        {"code": "PAYLOAD_TOO_LARGE", "error": "Request body exceeds the maximum allowed size."},
    )


def content_violation(suggested_prompt: str = "") -> ApiError:
    """A prompt that Venice itself refuses."""
    body = {"error": "Your prompt violates the content policy of Venice.ai or the model provider"}
    return ApiError(
        422, body | ({"suggested_prompt": suggested_prompt} if suggested_prompt else {})
    )


def provider_policy(recommended_model: str = "", *, credits_refunded: bool = True) -> ApiError:
    """A job that the model's provider refused when it was already queued."""
    refunded = " Credits have been refunded." if credits_refunded else ""
    advice = f" Try using {recommended_model} instead." if recommended_model else ""
    error = {
        "message": "The selected model provider rejected this request due to its content policies."
        + refunded
        + advice,
        "type": "provider_content_policy",
        "credits_refunded": credits_refunded,
    }
    return ApiError(
        422,
        {"error": error | ({"recommended_model": recommended_model} if recommended_model else {})},
    )

"""What PostHog's SDKs ask for besides sending: no feature flags, and a configuration that turns off all they cannot
have here, so that they run without errors."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from footfall_capture.origins import cors_headers, preflight_headers

CONFIG: Final[dict[str, Any]] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "analytics": {"endpoint": "/e/"},
    "elementsChainAsString": True,
    "defaultIdentifiedOnly": True,
    "autocapture_opt_out": False,
    "autocaptureExceptions": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "conversations": False,
    "errorTracking": {"autocaptureExceptions": False, "suppressionRules": []},
    "heatmaps": False,
    "isAuthenticated": False,
    "logs": {"captureConsoleLogs": False},
    "productTours": False,
    "sessionRecording": False,
    "siteApps": [],
    "toolbarParams": {},
}
"""What these SDKs may do with us. Nothing is said of `surveys`: at `false` posthog-js would load a script for them."""

_FLAGS: Final = {"flags": {}, "featureFlags": {}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": False}
_DEFINITIONS: Final[dict[str, Any]] = {"flags": [], "group_type_mapping": {}, "cohorts": {}}

Endpoint = Callable[[Request], Awaitable[Response]]


def stub_routes() -> list[Route]:
    """The routes, each with and without a slash at the end."""
    found: list[tuple[str, list[str], Endpoint]] = [
        ("/flags", ["POST"], _flags),
        ("/decide", ["POST"], _flags),
        ("/flags/definitions", ["GET"], _definitions),
        ("/api/feature_flag/local_evaluation", ["GET"], _definitions),
        ("/array/{token}/config", ["GET"], _config),
        ("/array/{token}/config.js", ["GET"], _config_script),
    ]
    return [
        Route(f"{path}{slash}", _for_browsers(endpoint), methods=[*methods, "OPTIONS"])
        for path, methods, endpoint in found
        for slash in ("", "/")
    ]


def _for_browsers(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        origin = request.headers.get("origin")
        if request.method == "OPTIONS":
            requested = request.headers.get("access-control-request-headers")
            response: Response = JSONResponse({"status": "ok"})
            response.raw_headers.extend(preflight_headers(requested.encode("latin-1") if requested else None))
        else:
            response = await endpoint(request)
        response.raw_headers.extend(cors_headers(origin.encode("latin-1") if origin is not None else None))
        return response

    return answer


async def _flags(_: Request) -> Response:
    return JSONResponse({**CONFIG, **_FLAGS, "requestId": str(uuid.uuid4())})


async def _definitions(_: Request) -> Response:
    return JSONResponse(_DEFINITIONS, headers={"etag": '"none"'})


async def _config(request: Request) -> Response:
    return JSONResponse({"token": request.path_params["token"], **CONFIG})


async def _config_script(request: Request) -> Response:
    token = request.path_params["token"]
    # Inside a script `<` could end it, if a page ever took this text into itself.
    name, config = (json.dumps(value).replace("<", "\\u003c") for value in (token, {"token": token, **CONFIG}))
    script = (
        "(function(w){(w._POSTHOG_REMOTE_CONFIG=w._POSTHOG_REMOTE_CONFIG||{})"
        f"[{name}]={{config:{config},siteApps:[]}}}})(window);\n"
    )
    return Response(script, media_type="application/javascript", headers={"cache-control": "public, max-age=300"})

"""The page on which the API's description is read and tried out, with everything that it needs from here."""

import html
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from libs.service.routes import Routes

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}
_START = """"use strict";
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: document.body.dataset.description,
    dom_id: "#api",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: false,
    presets: [SwaggerUIBundle.presets.apis],
    validatorUrl: null,
  });
});
"""
_PAGE = """<!DOCTYPE html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{at}/favicon.png">
<link rel="stylesheet" href="{at}/swagger-ui.css">
</head>
<body data-description="{description}">
<div id="api"></div>
<script src="{at}/swagger-ui-bundle.js"></script>
<script src="{at}/start.js"></script>
</body>
</html>
"""
# The page draws itself with styles of its own making; nothing comes from anywhere else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_CACHED = "public, max-age=86400"


def add_docs(routes: Routes, at: str, *, title: str, description: str) -> list[str]:
    """Adds the page `at` a path; `description` is the path of the OpenAPI document. Answers the paths that
    need no token.
    """
    contents = {f"{at}/{name}": (_asset(name), media_type) for name, media_type in _ASSETS.items()}
    contents[f"{at}/start.js"] = (_START.encode(), _ASSETS["swagger-ui-bundle.js"])
    page = _PAGE.format(title=html.escape(title), at=at, description=description).encode()

    async def show(_: Request) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return Response(page, media_type="text/html", headers=headers)

    async def asset(request: Request) -> Response:
        body, media_type = contents[request.url.path]
        return Response(body, media_type=media_type, headers={"Cache-Control": _CACHED})

    routes.add_endpoint("GET", at, show)
    for path in contents:
        routes.add_endpoint("GET", path, asset)
    return [at, *contents]


def _asset(name: str) -> bytes:
    """Of Swagger UI, which comes in a package of its own; read when the process starts."""
    return (files("fastapi_offline") / "static" / name).read_bytes()

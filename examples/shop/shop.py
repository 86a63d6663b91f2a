"""A small shop: the web SDK in its pages, the Python SDK on its server, and people who sign in.

python examples/shop/shop.py --write-key ffw_… [--capture-url http://127.0.0.1:8000] [--port 8080]
"""

from __future__ import annotations

import argparse
import json
import secrets
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from footfall import Client

SDK = Path(__file__).resolve().parents[2] / "sdks" / "web" / "dist" / "footfall.js"
PRODUCTS = {"lamp": 49.0, "chair": 129.0, "table": 349.0}
SIGNED_IN = "shop_user"

# Sessions of people who are signed in: cookie → user. A real shop has a database.
users: dict[str, str] = {}


def user_of(request: Request) -> str | None:
    return users.get(request.cookies.get(SIGNED_IN, ""))


def js(value: object) -> str:
    """A value as JavaScript that cannot end the script around it."""
    return json.dumps(value).replace("<", "\\u003c")


def page(request: Request, title: str, body: str, script: str = "") -> HTMLResponse:
    """A page with the web SDK in it, which knows who is signed in."""
    user, settings = user_of(request), request.app.state
    # The page tells the SDK who this is; what the visitor did before becomes theirs.
    identify = f"if (visits.distinctId !== {js(user)}) visits.identify({js(user)})" if user else ""
    return HTMLResponse(
        f"""<!doctype html><html lang="en"><title>{escape(title)}</title>
<script defer src="/assets/visits.js" data-name="visits" data-autocapture="true"
  data-key="{escape(settings.write_key)}" data-host="{escape(settings.capture_url)}"></script>
<nav><a href="/">Shop</a> {"<a href='/sign-out'>Sign out</a>" if user else "<a href='/sign-in'>Sign in</a>"}</nav>
<h1>{escape(title)}</h1>{body}
<script>addEventListener('DOMContentLoaded', () => {{ {identify};{script} }})</script></html>"""
    )


async def home(request: Request) -> Response:
    items = "".join(f'<li><a href="/products/{name}">{name}</a>: {price:.2f}</li>' for name, price in PRODUCTS.items())
    return page(request, "A small shop", f"<ul>{items}</ul>")


async def product(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in PRODUCTS:
        return page(request, "No such thing", "")
    viewed = f"visits.capture('product_viewed', {js({'product': name, 'price': PRODUCTS[name]})})"
    buy = f'<form method="post" action="/buy/{name}"><button id="buy">Buy for {PRODUCTS[name]:.2f}</button></form>'
    return page(request, name.capitalize(), buy, viewed)


async def sign_in(request: Request) -> Response:
    if request.method == "GET":
        form = """<form method="post"><input type="hidden" name="visitor" id="visitor">
<input name="email" type="email" required><button id="enter">Sign in</button></form>"""
        # The server says who signed in; for that it must know whom the browser took them for.
        return page(request, "Sign in", form, "document.getElementById('visitor').value = visits.distinctId")
    given = parse_qs((await request.body()).decode())
    email, visitor = given.get("email", [""])[0], given.get("visitor", [""])[0]
    events: Client = request.app.state.events
    if email not in users.values():
        events.identify(email, {"email": email}, set_once={"signed_up_on": "shop"}, anonymous_id=visitor or None)
        events.capture("signup", email)
    cookie = secrets.token_urlsafe()
    users[cookie] = email
    answer = RedirectResponse("/", 303)
    answer.set_cookie(SIGNED_IN, cookie, httponly=True, samesite="lax")
    return answer


async def sign_out(request: Request) -> Response:
    answer = page(request, "Goodbye", "", "visits.reset()")
    answer.delete_cookie(SIGNED_IN)
    return answer


async def buy(request: Request) -> Response:
    user, name = user_of(request), request.path_params["name"]
    if user is None or name not in PRODUCTS:
        return RedirectResponse("/sign-in", 303)
    # Money is the server's word, not the browser's.
    request.app.state.events.capture("purchase", user, {"product": name, "amount": PRODUCTS[name]})
    return page(request, "Thank you", f"<p id='thanks'>The {name} is on its way.</p>")


async def script(_: Request) -> Response:
    return FileResponse(SDK, media_type="text/javascript")


def make_shop(write_key: str, capture_url: str) -> Starlette:
    """The shop. Its server's events are sent when it stops, at the latest."""
    routes = [
        Route("/", home),
        Route("/products/{name}", product),
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route("/sign-out", sign_out),
        Route("/buy/{name}", buy, methods=["POST"]),
        Route("/assets/visits.js", script),
    ]
    shop = Starlette(routes=routes)
    shop.state.write_key, shop.state.capture_url = write_key, capture_url
    shop.state.events = Client(write_key, capture_url)
    return shop


def main() -> None:
    parser = argparse.ArgumentParser(description="A small shop that sends its events to Footfall.")
    parser.add_argument("--write-key", required=True)
    parser.add_argument("--capture-url", default="http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    if not SDK.exists():
        parser.error("build the web SDK first: cd sdks/web && npm ci && npm run build")
    uvicorn.run(make_shop(given.write_key, given.capture_url), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()

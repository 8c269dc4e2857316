"""Everything that the console answers over HTTP, mounted on the service's app."""

from collections.abc import Callable
from importlib import resources
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from console.api import problems
from console.api.actions import actions_router
from console.api.audits import audits_router
from console.api.bundle import bundle_router
from console.api.by_hand import by_hand_router
from console.api.commands import commands_router
from console.api.config import config_router, entities_router
from console.api.couriers import couriers_router
from console.api.dead_letters import dead_letters_router
from console.api.erasures import erasures_router
from console.api.explain import explain_router
from console.api.failures import failures_router
from console.api.fr_actions import fr_actions_router
from console.api.frs import frs_router
from console.api.hooks import add_hooks
from console.api.idempotency import Idempotency
from console.api.intake import intake_router
from console.api.keys import keys_router
from console.api.lists import lists_router
from console.api.mappings import mappings_router
from console.api.order_actions import order_actions_router
from console.api.orders import orders_router
from console.api.rebuild import rebuild_router
from console.api.releases import releases_router
from console.api.rerun import rerun_router
from console.api.routing import routing_router
from console.api.schedule import schedule_router
from console.api.security import COOKIE, Keys
from console.api.shipments import shipments_router
from console.api.sign_in import SignIn
from console.api.stock import stock_router
from console.api.users import users_router
from console.api.views import views_router
from console.api.webhooks import webhooks_router
from console.commander import Commander
from console.configure.apply import Applier
from console.erase_person import ErasePerson
from console.fresh import Fresh
from console.owners import Owners
from console.rebuild import Rebuilder
from waybill_common.db import Pool, Queries

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_REFUSED = '<p class="bad" role="alert">This is not valid here: it is mistyped, revoked, or of another Waybill.</p>'


def mounted(
    pool: Pool,
    q: Queries,
    keys: Keys,
    applier: Applier,
    owners: Owners,
    commander: Commander,
    eraser: ErasePerson,
    fresh: Fresh,
) -> Callable[[FastAPI], None]:
    """The API under /api/v1, its description at /api/openapi.json, the page at /."""

    def mount(app: FastAPI) -> None:
        api = FastAPI(
            title="Waybill",
            version="0.1.0",
            openapi_url="/openapi.json",
            docs_url=None,
            redoc_url=None,
            root_path_in_servers=False,
            servers=[{"url": "/api"}],
            responses=problems.DECLARED,
        )
        problems.install(api)
        problems.declare(api)
        api.add_middleware(Idempotency, pool=pool, q=q)
        for router in (
            lists_router(pool, q, keys, fresh),
            explain_router(pool, q, keys, owners),
            orders_router(pool, q, keys, fresh),
            config_router(pool, q, keys, applier),
            entities_router(pool, q, keys),
            keys_router(pool, q, keys),
            users_router(pool, q, keys),
            failures_router(pool, q, keys, fresh),
            dead_letters_router(keys, owners),
            fr_actions_router(keys, owners, commander),
            frs_router(keys, owners, commander),
            routing_router(keys, owners),
            stock_router(keys, owners),
            schedule_router(keys, owners),
            actions_router(keys, commander),
            intake_router(keys, owners, commander),
            by_hand_router(pool, q, keys, commander),
            audits_router(keys, owners, commander),
            webhooks_router(keys, owners),
            shipments_router(pool, q, keys, owners, commander, fresh),
            couriers_router(keys, owners),
            mappings_router(pool, q, keys, applier, owners),
            views_router(pool, q, keys),
            bundle_router(pool, q, keys, owners),
            rebuild_router(keys, Rebuilder(pool, q, owners)),
            order_actions_router(keys, commander),
            commands_router(pool, q, keys, commander),
            releases_router(keys, owners),
            erasures_router(pool, q, keys, eraser),
            rerun_router(pool, q, keys, owners),
        ):
            api.include_router(router, prefix="/v1")
        app.mount("/api", api)
        add_hooks(app, pool, q, owners, eraser)
        problems.install(app)
        _pages(app, keys, SignIn(pool, q))

    return mount


def _pages(app: FastAPI, keys: Keys, sign_in_desk: SignIn) -> None:
    folder = resources.files("console") / "pages"
    style = (folder / "style.css").read_text()
    texts = {name: (folder / name).read_text().replace("/*style*/", style) for name in ("sign-in.html", "flow.html")}

    def html(name: str, message: str = "", status: int = 200) -> HTMLResponse:
        return HTMLResponse(texts[name].replace("<!--message-->", message), status, _HEADERS)

    @app.get("/", include_in_schema=False)
    async def flow(request: Request) -> Response:
        if await keys.actor_of(request) is None:
            return html("sign-in.html")
        return html("flow.html")

    @app.post("/sign-in", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = parse_qs((await request.body())[:4096].decode("utf-8", "replace"))
        given = {name: form.get(name, [""])[0].strip() for name in ("name", "password", "key")}
        address = request.client.host if request.client else ""
        try:
            if given["key"]:
                session = await sign_in_desk.by_key(given["key"], address)
            else:
                session = await sign_in_desk.by_password(given["name"], given["password"], address)
        except problems.ProblemError as too_many:
            return html(
                "sign-in.html",
                f'<p class="bad" role="alert">{too_many.detail}. {too_many.remedy}.</p>',
                too_many.status,
            )
        if session is None:
            return html("sign-in.html", _REFUSED, 401)
        answer = RedirectResponse("/", 303, _HEADERS)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer

    @app.post("/sign-out", include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        await sign_in_desk.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/", 303, _HEADERS)
        answer.delete_cookie(COOKIE)
        return answer

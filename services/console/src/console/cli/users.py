"""`waybill users`: people who sign in to the pages."""

from typing import Annotated, Any

import typer

from console.cli.client import call, fail, out, print_json, print_table
from console.cli.options import Json
from console.words import Role

app = typer.Typer(no_args_is_help=True, help="People who sign in; programs have `waybill keys`.")
Name = Annotated[str, typer.Argument(help="as the person signs in")]
Password = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="asked for when left out")
]
Stores = Annotated[list[str] | None, typer.Option("--store", help="only orders of this store; may be repeated")]


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List users.

    Example: waybill users list
    """
    items = call("GET", "/users")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        [
            u["name"],
            u["role"],
            ", ".join(u["stores"] or ["all"]),
            u["signed_in_at"],
            "disabled" if u["disabled_at"] else "",
        ]
        for u in items
    ]
    print_table("Users", ["name", "role", "stores", "signed in", ""], rows, "No users: waybill users add NAME")


@app.command()
def add(
    name: Name,
    password: Password,
    role: Annotated[Role, typer.Option(help="viewers read, operators act, admins configure")] = "viewer",
    store: Stores = None,
) -> None:
    """Add a user. Example: waybill users add zoe --role operator --store acme"""
    body = {"name": name, "password": password, "role": role, "stores": store or None}
    call("POST", "/users", json=body)
    out.print(f"{name} may sign in as {role}.", highlight=False)


@app.command()
def change(
    name: Name,
    role: Annotated[Role | None, typer.Option(help="viewers read, operators act, admins configure")] = None,
    store: Stores = None,
    all_stores: Annotated[bool, typer.Option("--all-stores", help="lift the limit to some stores")] = False,
) -> None:
    """Change what a user may do; it counts from their next click on.

    Example: waybill users change zoe --role admin --all-stores
    """
    body = {"role": role, "stores": store or None, "all_stores": all_stores}
    print_json(call("PATCH", f"/users/{_find(name)}", json=body))


@app.command()
def password(name: Name, password: Password) -> None:
    """Set a new password; the user's sessions end.

    Example: waybill users password zoe
    """
    call("POST", f"/users/{_find(name)}/password", json={"password": password})
    out.print(f"{name} signs in with the new password now.", highlight=False)


@app.command()
def disable(name: Name) -> None:
    """Let a user sign in no more; their sessions end.

    Example: waybill users disable zoe
    """
    call("DELETE", f"/users/{_find(name)}")
    out.print(f"{name} is signed out, for good.", highlight=False)


def _state(user: dict[str, Any]) -> str:
    return "disabled" if user["disabled_at"] else str(user["signed_in_at"] or "never")


def _find(name: str) -> str:
    users: list[dict[str, Any]] = call("GET", "/users")["items"]
    found = [user["user_id"] for user in users if user["name"] == name and not user["disabled_at"]]
    return str(found[0]) if found else str(fail(f"no user {name!r} is enabled", "list them: waybill users list"))

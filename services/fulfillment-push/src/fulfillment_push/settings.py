"""What can be set from the environment beside the settings that every service has."""

from datetime import timedelta

from pydantic import Field

from waybill_common.settings import ServiceSettings


class PushSettings(ServiceSettings):
    """How hard the send run works."""

    side_by_side: int = Field(default=12, ge=1, le=64, description="calls to one source at the same time, 1 to 64")
    lease_seconds: float = Field(default=60.0, ge=30, description="seconds for which claimed FRs are held, at least 30")
    idle_max: float = Field(default=1.0, gt=0, description="longest rest of the send run, seconds")

    @property
    def hold(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

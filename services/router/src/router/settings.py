"""What can be set from the environment beside the settings that every service has."""

from pydantic import Field

from waybill_common.settings import ServiceSettings


class RouterSettings(ServiceSettings):
    """How much is planned at a time."""

    plan_batch: int = Field(default=200, ge=1, le=2000, description="orders planned in one round, 1 to 2000")
    idle_max: float = Field(default=1.0, gt=0, description="longest rest of the planner, seconds")
    decisions_kept_days: float = Field(
        default=400.0, gt=0, description="days for which decisions can be read and rerun"
    )

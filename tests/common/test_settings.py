"""Settings come from the environment once; what is missing is named in one line."""

import pytest

from waybill_common.ids import new_id, stable_id
from waybill_common.settings import MissingSettings, ServiceSettings, load_settings

GOOD = {
    "WAYBILL_DATABASE_URL": "postgresql://localhost/waybill",
    "WAYBILL_KAFKA": "localhost:9092",
    "WAYBILL_SECRET_KEY": "new, old",
}


def test_settings_are_read_from_the_environment() -> None:
    settings = load_settings(ServiceSettings, {**GOOD, "WAYBILL_BATCH_SIZE": "50", "PATH": "/bin"})
    assert settings.kafka == "localhost:9092"
    assert settings.batch_size == 50
    assert "old" not in repr(settings)


def test_one_line_names_every_variable_that_is_missing_and_what_to_set() -> None:
    with pytest.raises(MissingSettings) as caught:
        load_settings(ServiceSettings, {"WAYBILL_KAFKA": " "})
    text = str(caught.value)
    assert "\n" not in text
    for name in GOOD:
        assert f"{name} is not set: set it to" in text


@pytest.mark.parametrize(
    ("name", "value"), [("WAYBILL_POOL_SIZE", "many"), ("WAYBILL_POOL_SIZE", "1"), ("WAYBILL_LOG_LEVEL", "loud")]
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(MissingSettings, match=name):
        load_settings(ServiceSettings, {**GOOD, name: value})


def test_a_url_of_another_database_is_refused_by_name_and_never_told() -> None:
    given = {**GOOD, "WAYBILL_DATABASE_URL": "mysql://me:hush@localhost/x", "WAYBILL_KAFKA": ""}
    with pytest.raises(MissingSettings) as caught:
        load_settings(ServiceSettings, given)
    assert "WAYBILL_DATABASE_URL is wrong (it does not begin with postgresql://): set it to" in str(caught.value)
    assert "WAYBILL_KAFKA is not set" in str(caught.value)
    assert "hush" not in str(caught.value)
    with pytest.raises(MissingSettings, match="WAYBILL_DATABASE_URL is wrong"):
        load_settings(ServiceSettings, {**GOOD, "WAYBILL_DATABASE_URL": "localhost:5432"})


def test_the_environment_is_not_read_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_KAFKA", "elsewhere:9092")
    assert load_settings(ServiceSettings, GOOD).kafka == "localhost:9092"


def test_each_secret_key_in_rotation_has_a_service_token_and_the_newest_comes_first() -> None:
    rotating = load_settings(ServiceSettings, GOOD)
    old = load_settings(ServiceSettings, {**GOOD, "WAYBILL_SECRET_KEY": "old"})
    assert rotating.service_token != old.service_token
    assert rotating.service_tokens[1] == old.service_token


def test_new_ids_sort_by_time_and_stable_ids_depend_on_each_part() -> None:
    made = [new_id() for _ in range(100)]
    assert made == sorted(made)
    assert made[0].version == 7
    assert stable_id("order", "1") == stable_id("order", "1")
    assert stable_id("a", "bc") != stable_id("ab", "c")

"""IN-3: the address that a shop is told to post to is one that it could reach, and that is this connection's."""

import pytest

from waybill_platforms.webhooks import HooksRefused, check_address


@pytest.mark.parametrize(
    "address",
    [
        "https://hub.example/hooks/shop",
        "http://127.0.0.1:8080/hooks/shop",
        "https://hub.example:8443/waybill/hooks/shop",
        "https://[2001:db8::1]/hooks/shop",
    ],
)
def test_in3_an_address_of_this_channel_is_taken(address: str) -> None:
    check_address("channel", "shop", address)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("hub.example/hooks/shop", "no plain http or https address"),
        ("ftp://hub.example/hooks/shop", "no plain http or https address"),
        ("https:///hooks/shop", "no plain http or https address"),
        ("https://hub.example:x/hooks/shop", "no plain http or https address"),
        ("https://hub.example:99999/hooks/shop", "no plain http or https address"),
        ("https://anna:pw@hub.example/hooks/shop", "no plain http or https address"),
        ("https://hub.example/hooks/shop?a=b", "no plain http or https address"),
        ("https://hub.example/a b/hooks/shop", "no plain http or https address"),
        ("https://hub.example/hooks/other", "does not lead to channel shop"),
        ("https://hub.example/hooks/shop/", "does not lead to channel shop"),
    ],
)
def test_in3_what_no_shop_could_post_to_is_refused_with_the_fix(address: str, told: str) -> None:
    with pytest.raises(HooksRefused, match=told):
        check_address("channel", "shop", address)

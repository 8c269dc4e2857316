"""Sealed secrets open with their key, for their entity, unchanged; else never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_common.vault import Vault, VaultRefused, is_sealed

KEY = "an-old-key-of-some-length"


@given(st.text(min_size=1), st.text())
def test_what_was_sealed_comes_back(entity: str, plain: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(entity, plain)
    assert is_sealed(sealed)
    assert vault.open(entity, sealed) == plain


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal("shop", "hush") != vault.seal("shop", "hush")


def test_a_secret_moved_to_another_entity_does_not_open() -> None:
    vault = Vault(KEY)
    with pytest.raises(VaultRefused, match=r"the secret of other .* enter it again"):
        vault.open("other", vault.seal("shop", "hush"))


@pytest.mark.parametrize("where", [17, 25, -3])
def test_a_changed_letter_is_noticed(where: int) -> None:
    vault = Vault(KEY)
    sealed = list(vault.seal("shop", "hush"))
    sealed[where] = "A" if sealed[where] != "A" else "B"
    with pytest.raises(VaultRefused):
        vault.open("shop", "".join(sealed))


@pytest.mark.parametrize("text", ["plain", "", "vault:1:", "vault:1:x:y", "vault:2:a:b"])
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(VaultRefused):
        Vault(KEY).open("shop", text)


def test_after_a_rotation_old_secrets_open_and_new_ones_use_the_new_key() -> None:
    old = Vault(KEY).seal("shop", "hush")
    rotated = Vault(f"a-new-key,{KEY}")
    assert rotated.open("shop", old) == "hush"
    assert rotated.outdated(old)
    new = rotated.seal("shop", "hush")
    assert not rotated.outdated(new)
    assert Vault("a-new-key").open("shop", new) == "hush"


def test_a_missing_key_is_named_with_the_fix() -> None:
    with pytest.raises(VaultRefused, match="WAYBILL_SECRET_KEY does not hold: add the old key after a comma"):
        Vault("other").open("shop", Vault(KEY).seal("shop", "hush"))


def test_no_key_no_vault() -> None:
    with pytest.raises(VaultRefused, match="WAYBILL_SECRET_KEY"):
        Vault(" , ")


def test_neither_keys_nor_secrets_show_in_messages() -> None:
    vault = Vault(KEY)
    sealed = vault.seal("shop", "hush")
    with pytest.raises(VaultRefused) as refused:
        vault.open("other", sealed)
    assert KEY not in repr(vault) + str(refused.value)
    assert "hush" not in str(refused.value)

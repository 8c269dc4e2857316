"""Reasons in words: for each code one sentence that a buyer of goods understands, and what to do about it. Pure.

Codes are the contract (they stand in events and decisions); these sentences are for people and may change.
"""

from typing import NamedTuple

from router.routing.reasons import Lack


class Words(NamedTuple):
    """`sentence` may name {source}, {sku}, {detail}; `fix` too. An empty fix: there is nothing to mend."""

    sentence: str
    fix: str = ""


REASONS: dict[str, Words] = {
    # why a source cannot ship a line
    "not_configured": Words("{source} is not set up", "add it to the configuration, or take it out of the group"),
    "does_not_serve_country": Words("{source} does not ship to {detail}", "add the country to its serves.countries"),
    "no_shipping_zone": Words("{source} has no shipping price ({detail})", "add the zone to its costs.shipping"),
    "does_not_serve_sku": Words("{source} does not carry {sku}", "add it to its serves.skus"),
    "unmapped_sku": Words("{source} has no name for {sku}", "add it to its skus.map"),
    "canceled_by_source": Words(
        "{source} canceled {sku} of this order, and is not asked for it again",
        "if it has some after all: waybill frs regenerate; else create the FR by hand at another source",
    ),
    "no_stock": Words("{source} has no {sku} free", "count it again: waybill sources stock {source} --file FILE"),
    "missing_cost": Words(
        "the price of {sku} at {source} is not known",
        "send it as unit_cost with a count: waybill sources stock {source} --file FILE",
    ),
    "missing_weight": Words(
        "the weight of {sku} at {source} is not known, and its shipping goes by weight",
        "send it as weight_g with a count: waybill sources stock {source} --file FILE",
    ),
    "unmapped_shipping_method": Words(
        "{source} has no name for the shipping method ({detail})", "add it to its shipping_methods.map"
    ),
    "number_too_long": Words("{detail}", "raise {source}'s fr_number.max_length or shorten its prefix"),
    "number_empty": Words("{detail}", "let {source}'s fr_number.forbid leave something of the number"),
    "number_duplicate": Words("{detail}", "widen {source}'s fr_number pattern"),
    # why a source that could ship is not in the plan
    "dearer": Words("{source} would cost more: {detail}"),
    "tie_break": Words("{source} costs the same, and stands later in the group"),
    "not_preferred": Words("the group prefers others to {source}: {detail}"),
    "not_better": Words("{source} {detail}"),
    # why units stay behind
    "no_source_serves": Words(
        "no source of the group ships it there ({detail})", "widen the group, or what they serve"
    ),
    "source_not_in_group": Words("{detail}", "add that source to the group, or create the FR by hand"),
    "single_fr_impossible": Words("{detail}, and the group wants one FR", "let it be single_fr: preferred"),
    "max_frs_reached": Words("{detail}", "raise the group's max_frs"),
    "line_not_splittable": Words("{detail}", "set the group's split_lines: true"),
    "mixed_currencies": Words("{detail}", "keep one currency in a group"),
    # why the order as a whole does not go on
    "held": Words(
        "the order is held: {detail}", "that, or let it go as it is: waybill orders release NUMBER --reason WHY"
    ),
    "canceled": Words("the order is canceled: nothing of it is wanted any more"),
    "awaiting_generate": Words("its channel does not generate by itself", "waybill frs generate NUMBER --reason WHY"),
    "voided_by_hand": Words("{detail}", "waybill frs regenerate, or waybill frs create"),
    "source_canceled": Words("{detail}", "waybill frs regenerate, or waybill frs create"),
    "no_address": Words("the order has no ship-to address", "mend it at the channel"),
    "nothing_to_ship": Words("all of it is in FRs, or has shipped"),
}


def sentence(reason: str, *, source: str = "", sku: str = "", detail: str = "") -> str:
    """The reason in words; a code that nobody has put in words yet stands for itself."""
    words = REASONS.get(reason, Words(f"{reason}: {{detail}}" if detail else reason))
    return words.sentence.format(source=source, sku=sku, detail=detail)


def fix(reason: str, *, source: str = "", sku: str = "", detail: str = "") -> str:
    """What a person does about it; empty where there is nothing to mend."""
    return REASONS[reason].fix.format(source=source, sku=sku, detail=detail) if reason in REASONS else ""


def lack_words(lack: Lack) -> tuple[str, str]:
    """Of units that stay behind: why, and what to do about it."""
    if lack.reason == "no_stock":
        return f"there is not enough stock: {lack.detail}", (
            f"get {lack.sku} in and count it: waybill sources stock SOURCE --file FILE; the order then goes by itself"
        )
    detail = lack.detail.removeprefix(f"{lack.source}: ") if lack.source else lack.detail
    about = {"source": lack.source, "sku": lack.sku, "detail": detail}
    return sentence(lack.reason, **about), fix(lack.reason, **about)

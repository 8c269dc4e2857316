"""Certification (OP-15): does an HTTP source keep the rules of `http-source.openapi.yaml`, and can Waybill do at a shop
what it will do there (`channel.py`)?

For sources everything is asked from the document alone, by a client of its own: nothing of how Waybill itself calls
sources is used here, so that a misunderstanding in one is seen by the other. The document in this folder is the one in
`docs/`, byte by byte (a test holds that), so that an installed command line has it.
"""

from console.certify.channel import CHANNELS, ChannelWish
from console.certify.rules import RULES, Rule, Verdict
from console.certify.run import Wish, certify
from console.certify.run_channel import certify_channel
from console.certify.supplier import Unreachable

__all__ = [
    "CHANNELS",
    "RULES",
    "ChannelWish",
    "Rule",
    "Unreachable",
    "Verdict",
    "Wish",
    "certify",
    "certify_channel",
]
